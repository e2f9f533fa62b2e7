"""`python -m target_tableau` is the `target-tableau` command."""

from __future__ import annotations

from target_tableau.target import TargetTableau

TargetTableau.cli()

"""`python -m target_tableau.webhooks`."""

from __future__ import annotations

from target_tableau.webhooks.command import main

main()

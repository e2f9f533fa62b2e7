"""Singer target that lands records in Hyper extracts and publishes them to Tableau."""

from __future__ import annotations

__all__: list[str] = []

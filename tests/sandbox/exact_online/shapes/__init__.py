"""The entities of the REST API: which properties each endpoint has, and of which type."""

from __future__ import annotations

from tests.sandbox.exact_online.shapes import cash, documents, goods, ledger, partners, system
from tests.sandbox.exact_online.shapes.shape import SHAPES, Kind, Shape

__all__ = ["SHAPES", "Kind", "Shape", "cash", "documents", "goods", "ledger", "partners", "system"]

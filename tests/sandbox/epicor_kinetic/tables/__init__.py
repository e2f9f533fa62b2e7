"""All row types of the server, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.epicor_kinetic.tables import ledger, masters, payables, purchasing, sales, small

if TYPE_CHECKING:
    from tests.sandbox.epicor_kinetic.schema import Table

TABLES: dict[str, Table] = {
    table.name: table
    for module in (small, masters, ledger, purchasing, payables, sales)
    for table in module.TABLES
}

__all__ = ["TABLES"]

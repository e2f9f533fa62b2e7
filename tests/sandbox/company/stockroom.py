"""What lies in the warehouses: counted, received and shipped, without the item itself being touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.company.model import StockLevel

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.company.registry import Registry


def stock_key(item: str, warehouse: str) -> str:
    """The key of a stock level in `Company.stock`."""
    return f"{item}|{warehouse}"


class Stockroom:
    """Keeps the quantities per item and warehouse."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._company = registry.company

    def open(self, item: str, warehouse: str, quantity: Decimal) -> StockLevel:
        """Begin to keep an item in a warehouse."""
        key = stock_key(item, warehouse)
        level = StockLevel(
            **self._registry.stamps("stock", key), item=item, warehouse=warehouse, quantity=quantity
        )
        return self._registry.insert(self._company.stock, key, level)

    def move(self, item: str | None, warehouse: str | None, by: Decimal) -> None:
        """Put something in, or take it out; nothing happens for what is not kept in stock.

        More can be taken than there is: such a company ships first and books the receipt later.
        """
        level = self._company.stock.get(stock_key(item or "", warehouse or ""))
        if level is not None and by:
            level.quantity += by
            self._registry.touch(level)

    def count(self, key: str, quantity: Decimal) -> StockLevel:
        """Correct a quantity after counting."""
        level = self._company.stock[key]
        level.quantity = quantity
        self._registry.touch(level)
        return level

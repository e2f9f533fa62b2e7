"""Sales orders: entered, changed, shipped by invoices, closed, cancelled."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, SalesInvoiceLine, SalesOrder, SalesOrderLine
from tests.sandbox.company.money import ZERO, cents, rate_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.company.registry import Registry
    from tests.sandbox.company.stockroom import Stockroom

_WHOLE = Decimal(1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SalesOrderDraft:
    """What somebody types into the sales order form."""

    customer: str
    branch: str
    currency: str
    lines: list[SalesOrderLine]
    requested_in_days: int | None = None
    customer_order: str | None = None
    description: str | None = None
    project: str | None = None


class Selling:
    """Enters and changes sales orders. They are never in the books."""

    def __init__(self, registry: Registry, stockroom: Stockroom) -> None:
        self._registry = registry
        self._stockroom = stockroom
        self._company = registry.company

    def enter_order(self, draft: SalesOrderDraft) -> SalesOrder:
        """Enter an order on hold, dated today."""
        today = self._registry.today
        requested_on = None
        if draft.requested_in_days is not None:
            requested_on = today + dt.timedelta(days=draft.requested_in_days)
        order_nbr = f"SO{self._registry.next_number('sales_orders'):06d}"
        order = SalesOrder(
            **self._registry.stamps("sales_orders", order_nbr),
            order_nbr=order_nbr,
            customer=draft.customer,
            branch=draft.branch,
            date=today,
            requested_on=requested_on,
            currency=draft.currency,
            rate=rate_on(self._company.seed, draft.currency, today),
            customer_order=draft.customer_order,
            description=draft.description,
            project=draft.project,
            status=DocumentStatus.HOLD,
            lines=draft.lines,
        )
        return self._registry.insert(self._company.sales_orders, order_nbr, order)

    def release_order(self, order: SalesOrder) -> SalesOrder:
        """Accept an order on hold.

        Raises:
            ValueError: The order is not on hold.
        """
        return self._move(order, DocumentStatus.HOLD, DocumentStatus.OPEN)

    def close_order(self, order: SalesOrder) -> SalesOrder:
        """Complete an open order, shipped in full or not.

        Raises:
            ValueError: The order is not open.
        """
        return self._move(order, DocumentStatus.OPEN, DocumentStatus.CLOSED)

    def cancel_order(self, order: SalesOrder) -> SalesOrder:
        """Cancel an open order of which nothing was shipped.

        Raises:
            ValueError: The order is not open, or something was shipped.
        """
        if any(line.quantity_shipped for line in order.lines):
            raise ValueError(f"sales order {order.order_nbr} was shipped in part and cannot be cancelled")
        return self._move(order, DocumentStatus.OPEN, DocumentStatus.VOIDED)

    def remove_line(self, order: SalesOrder, line_nbr: int) -> None:
        """Take a line out of an order; its number is not given again.

        Raises:
            ValueError: The line was shipped, at least in part, or is the last one.
        """
        line = sales_line(order, line_nbr)
        if line.quantity_shipped or len(order.lines) == 1:
            raise ValueError(f"line {line_nbr} of sales order {order.order_nbr} cannot be removed")
        self._registry.keep_line_numbers("sales_orders", order.order_nbr, order.lines)
        order.lines.remove(line)
        self._changed(order)

    def add_line(self, order: SalesOrder, line: SalesOrderLine) -> None:
        """Append a line; it gets the order's next line number."""
        line.line_nbr = self._registry.next_line_nbr("sales_orders", order.order_nbr, order.lines)
        order.lines.append(line)
        self._registry.touch(order)

    def change_quantity(self, order: SalesOrder, line_nbr: int, quantity: Decimal) -> None:
        """Order more or less of something, at the line's discount.

        Raises:
            ValueError: More than that was shipped already.
        """
        line = sales_line(order, line_nbr)
        if quantity < line.quantity_shipped:
            raise ValueError(
                f"line {line_nbr} of sales order {order.order_nbr} was shipped beyond {quantity}"
            )
        line.quantity = quantity
        price_line(line)
        self._changed(order)

    def ship(self, order: SalesOrder, line_nbrs: Iterable[int], part: Decimal) -> list[SalesInvoiceLine]:
        """Ship a part of some lines (1 for all that is open) and return the invoice lines for it.

        Raises:
            ValueError: The order is not open.
        """
        if order.status is not DocumentStatus.OPEN:
            raise ValueError(f"sales order {order.order_nbr} is {order.status}: nothing can be shipped")
        lines: list[SalesInvoiceLine] = []
        for line_nbr in line_nbrs:
            line = sales_line(order, line_nbr)
            due = line.quantity_open
            shipped = due if part == 1 else min(due, (due * part).quantize(_WHOLE, ROUND_UP))
            line.quantity_shipped += shipped
            self._stockroom.move(line.item, line.warehouse, -shipped)
            lines.append(_invoice_line(len(lines) + 1, order, line, shipped))
        self._changed(order)
        return lines

    def _changed(self, order: SalesOrder) -> None:
        """Stamp an order; when nothing is to be shipped any more it is completed."""
        is_due = any(line.quantity_open for line in order.lines)
        if order.status is DocumentStatus.OPEN and not is_due:
            order.status = DocumentStatus.CLOSED
        self._registry.touch(order)

    def _move(self, order: SalesOrder, before: DocumentStatus, after: DocumentStatus) -> SalesOrder:
        if order.status is not before:
            raise ValueError(f"sales order {order.order_nbr} is {order.status}, not {before}")
        order.status = after
        self._registry.touch(order)
        return order


def price_line(line: SalesOrderLine) -> None:
    """Bring discount and amount of a line in line with its quantity."""
    gross = cents(line.quantity * line.unit_price)
    line.discount_amount = cents(gross * line.discount_percent / 100)
    line.amount = gross - line.discount_amount


def sales_line(order: SalesOrder, line_nbr: int) -> SalesOrderLine:
    """The line with a number.

    Raises:
        LookupError: The order has no such line.
    """
    for line in order.lines:
        if line.line_nbr == line_nbr:
            return line
    raise LookupError(f"sales order {order.order_nbr} has no line {line_nbr}")


def _invoice_line(
    line_nbr: int, order: SalesOrder, line: SalesOrderLine, quantity: Decimal
) -> SalesInvoiceLine:
    gross = cents(quantity * line.unit_price)
    discount = cents(gross * line.discount_percent / 100)
    return SalesInvoiceLine(
        line_nbr=line_nbr,
        item=line.item,
        description=line.description,
        quantity=quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount_amount=discount,
        amount=gross - discount,
        base_amount=ZERO,
        account=line.account,
        cost_center=line.cost_center,
        order_nbr=order.order_nbr,
        order_line_nbr=line.line_nbr,
    )

"""Purchase orders: entered, changed, delivered, closed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, PurchaseOrder, PurchaseOrderLine
from tests.sandbox.company.money import cents, rate_on

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.company.registry import Registry


@dataclasses.dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """What somebody types into the order form."""

    vendor: str
    branch: str
    currency: str
    lines: list[PurchaseOrderLine]
    promised_in_days: int | None = None
    vendor_ref: str | None = None
    description: str | None = None


class Purchasing:
    """Enters and changes purchase orders. They are never in the books."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._company = registry.company

    def enter_order(self, draft: OrderDraft) -> PurchaseOrder:
        """Enter an order on hold, dated today."""
        today = self._registry.today
        promised_on = None
        if draft.promised_in_days is not None:
            promised_on = today + dt.timedelta(days=draft.promised_in_days)
        order_nbr = f"PO{self._registry.next_number('purchase_orders'):06d}"
        order = PurchaseOrder(
            **self._registry.stamps("purchase_orders", order_nbr),
            order_nbr=order_nbr,
            vendor=draft.vendor,
            branch=draft.branch,
            date=today,
            promised_on=promised_on,
            currency=draft.currency,
            rate=rate_on(self._company.seed, draft.currency, today),
            description=draft.description,
            vendor_ref=draft.vendor_ref,
            status=DocumentStatus.HOLD,
            lines=draft.lines,
        )
        return self._registry.insert(self._company.purchase_orders, order_nbr, order)

    def release_order(self, order: PurchaseOrder) -> PurchaseOrder:
        """Send an order on hold to its vendor.

        Raises:
            ValueError: The order is not on hold.
        """
        return self._move(order, DocumentStatus.HOLD, DocumentStatus.OPEN)

    def close_order(self, order: PurchaseOrder) -> PurchaseOrder:
        """Close an open order, delivered in full or not.

        Raises:
            ValueError: The order is not open.
        """
        return self._move(order, DocumentStatus.OPEN, DocumentStatus.CLOSED)

    def cancel_order(self, order: PurchaseOrder) -> PurchaseOrder:
        """Cancel an open order of which nothing was delivered.

        Raises:
            ValueError: The order is not open, or something was delivered.
        """
        if any(line.quantity_received for line in order.lines):
            raise ValueError(f"order {order.order_nbr} was delivered in part and cannot be cancelled")
        return self._move(order, DocumentStatus.OPEN, DocumentStatus.VOIDED)

    def remove_line(self, order: PurchaseOrder, line_nbr: int) -> None:
        """Take a line out of an order; its number is not given again.

        Raises:
            ValueError: The line was delivered, at least in part, or is the last one.
        """
        line = order_line(order, line_nbr)
        if line.quantity_received or len(order.lines) == 1:
            raise ValueError(f"line {line_nbr} of order {order.order_nbr} cannot be removed")
        self._registry.keep_line_numbers("purchase_orders", order.order_nbr, order.lines)
        order.lines.remove(line)
        self._changed(order)

    def add_line(self, order: PurchaseOrder, line: PurchaseOrderLine) -> None:
        """Append a line; it gets the order's next line number."""
        line.line_nbr = self._registry.next_line_nbr("purchase_orders", order.order_nbr, order.lines)
        order.lines.append(line)
        self._registry.touch(order)

    def change_quantity(self, order: PurchaseOrder, line_nbr: int, quantity: Decimal) -> None:
        """Order more or less of something.

        Raises:
            ValueError: More than that was delivered already.
        """
        line = order_line(order, line_nbr)
        if quantity < line.quantity_received:
            raise ValueError(f"line {line_nbr} of order {order.order_nbr} was delivered beyond {quantity}")
        line.quantity = quantity
        line.amount = cents(quantity * line.unit_cost)
        self._changed(order)

    def deliver(self, order: PurchaseOrder, line_nbr: int, quantity: Decimal) -> None:
        """Count what came of a line.

        Raises:
            ValueError: The order is not open, or that is more than is due.
        """
        line = order_line(order, line_nbr)
        if order.status is not DocumentStatus.OPEN:
            raise ValueError(f"order {order.order_nbr} is {order.status}: nothing can be delivered")
        if not 0 < quantity <= line.quantity - line.quantity_received:
            raise ValueError(f"line {line_nbr} of order {order.order_nbr}: {quantity} is not due")
        line.quantity_received += quantity
        self._changed(order)

    def take_back(self, order: PurchaseOrder, line_nbr: int, quantity: Decimal) -> None:
        """Count what went back of a line; it is not due again.

        Raises:
            ValueError: That is more than came.
        """
        line = order_line(order, line_nbr)
        if not 0 < quantity <= line.quantity_received - line.quantity_returned:
            raise ValueError(f"line {line_nbr} of order {order.order_nbr}: {quantity} is not there to return")
        line.quantity_returned += quantity
        self._registry.touch(order)

    def _changed(self, order: PurchaseOrder) -> None:
        """Stamp an order; when nothing is due any more it is closed."""
        due = any(line.quantity_received < line.quantity for line in order.lines)
        if order.status is DocumentStatus.OPEN and not due:
            order.status = DocumentStatus.CLOSED
        self._registry.touch(order)

    def _move(self, order: PurchaseOrder, before: DocumentStatus, after: DocumentStatus) -> PurchaseOrder:
        if order.status is not before:
            raise ValueError(f"order {order.order_nbr} is {order.status}, not {before}")
        order.status = after
        self._registry.touch(order)
        return order


def order_line(order: PurchaseOrder, line_nbr: int) -> PurchaseOrderLine:
    """The line with a number.

    Raises:
        LookupError: The order has no such line.
    """
    for line in order.lines:
        if line.line_nbr == line_nbr:
            return line
    raise LookupError(f"order {order.order_nbr} has no line {line_nbr}")

"""Goods that come from vendors and go back to them: purchase receipts and returns."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import (
    BillLine,
    DocumentStatus,
    PurchaseReceipt,
    PurchaseReceiptLine,
    ReceiptType,
)
from tests.sandbox.company.money import ZERO, cents, rate_on
from tests.sandbox.company.orders import order_line
from tests.sandbox.company.registry import period_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.sandbox.company.model import PurchaseOrder
    from tests.sandbox.company.orders import Purchasing
    from tests.sandbox.company.registry import Registry
    from tests.sandbox.company.stockroom import Stockroom

_WHOLE = Decimal(1)


class Receiving:
    """Enters and releases purchase receipts. They are never in the books: the bill for them is."""

    def __init__(self, registry: Registry, purchasing: Purchasing, stockroom: Stockroom) -> None:
        self._registry = registry
        self._purchasing = purchasing
        self._stockroom = stockroom
        self._company = registry.company

    def receive(self, order: PurchaseOrder, line_nbrs: Iterable[int], part: Decimal) -> list[BillLine]:
        """Take delivery of a part of some lines (1 for all that is due) and return the bill lines for it.

        Raises:
            ValueError: The order is not open, or a line has nothing due.
        """
        quantities: dict[int, Decimal] = {}
        for line_nbr in line_nbrs:
            line = order_line(order, line_nbr)
            due = line.quantity - line.quantity_received
            quantities[line_nbr] = due if part == 1 else (due * part).quantize(_WHOLE, ROUND_UP)
        receipt = self.release_receipt(self.enter_receipt(order, quantities, warehouse="MAIN"))
        return [_bill_line(receipt, line) for line in receipt.lines]

    def enter_receipt(
        self, order: PurchaseOrder, quantities: Mapping[int, Decimal], *, warehouse: str
    ) -> PurchaseReceipt:
        """Enter what came of an order, on hold, dated today.

        Args:
            order: Must be open.
            quantities: Line number of the order to the quantity that came.
            warehouse: Where stock items are put.

        Raises:
            ValueError: The order is not open.
        """
        if order.status is not DocumentStatus.OPEN:
            raise ValueError(f"order {order.order_nbr} is {order.status}: nothing can be delivered")
        lines: list[PurchaseReceiptLine] = []
        for line_nbr, quantity in quantities.items():
            ordered = order_line(order, line_nbr)
            item = self._company.items.get(ordered.item or "")
            lines.append(
                PurchaseReceiptLine(
                    line_nbr=len(lines) + 1,
                    item=ordered.item,
                    description=ordered.description,
                    quantity=quantity,
                    unit=ordered.unit,
                    unit_cost=ordered.unit_cost,
                    amount=cents(quantity * ordered.unit_cost),
                    account=ordered.account,
                    cost_center=ordered.cost_center,
                    warehouse=warehouse if item is not None and item.is_stock else None,
                    order_nbr=order.order_nbr,
                    order_line_nbr=line_nbr,
                )
            )
        rate = rate_on(self._company.seed, order.currency, self._registry.today)
        return self._enter(ReceiptType.RECEIPT, order, rate, lines)

    def enter_return(self, receipt: PurchaseReceipt, quantities: Mapping[int, Decimal]) -> PurchaseReceipt:
        """Enter what goes back of a released receipt, on hold, dated today, at the receipt's rate.

        Args:
            receipt: What the goods came with.
            quantities: Line number of the receipt to the quantity that goes back.

        Raises:
            ValueError: The receipt is not released, or is a return itself.
        """
        if receipt.status is not DocumentStatus.CLOSED or receipt.type is not ReceiptType.RECEIPT:
            raise ValueError(f"receipt {receipt.receipt_nbr} is {receipt.status}: nothing can go back")
        lines: list[PurchaseReceiptLine] = []
        for line in receipt.lines:
            if line.line_nbr in quantities:
                quantity = quantities[line.line_nbr]
                lines.append(
                    PurchaseReceiptLine(
                        line_nbr=len(lines) + 1,
                        item=line.item,
                        description=line.description,
                        quantity=quantity,
                        unit=line.unit,
                        unit_cost=line.unit_cost,
                        amount=cents(quantity * line.unit_cost),
                        account=line.account,
                        cost_center=line.cost_center,
                        warehouse=line.warehouse,
                        order_nbr=line.order_nbr,
                        order_line_nbr=line.order_line_nbr,
                        receipt_nbr=receipt.receipt_nbr,
                        receipt_line_nbr=line.line_nbr,
                    )
                )
        return self._enter(ReceiptType.RETURN, receipt, receipt.rate, lines)

    def change_receipt(self, receipt: PurchaseReceipt, lines: list[PurchaseReceiptLine]) -> None:
        """Replace the lines of a receipt on hold.

        Raises:
            ValueError: The receipt is released.
        """
        _expect_hold(receipt)
        receipt.lines = lines
        self._registry.touch(receipt)

    def release_receipt(self, receipt: PurchaseReceipt) -> PurchaseReceipt:
        """Release a receipt or return on hold: stock and orders move.

        Raises:
            ValueError: It is not on hold, or its order no longer has that much due or received.
        """
        _expect_hold(receipt)
        sign = 1 if receipt.type is ReceiptType.RECEIPT else -1
        change = self._purchasing.deliver if sign > 0 else self._purchasing.take_back
        for line in receipt.lines:
            change(self._company.purchase_orders[line.order_nbr], line.order_line_nbr, line.quantity)
            self._stockroom.move(line.item, line.warehouse, line.quantity * sign)
        receipt.period = period_of(self._registry.posting_date(receipt.date))
        receipt.status = DocumentStatus.CLOSED
        self._registry.touch(receipt)
        return receipt

    def can_release(self, receipt: PurchaseReceipt) -> bool:
        """Whether a receipt on hold still fits its orders."""
        for line in receipt.lines:
            order = self._company.purchase_orders[line.order_nbr]
            ordered = order_line(order, line.order_line_nbr)
            if receipt.type is ReceiptType.RETURN:
                fits = line.quantity <= ordered.quantity_received - ordered.quantity_returned
            else:
                due = ordered.quantity - ordered.quantity_received
                fits = order.status is DocumentStatus.OPEN and line.quantity <= due
            if not fits:
                return False
        return receipt.status is DocumentStatus.HOLD

    def _enter(
        self,
        type_: ReceiptType,
        source: PurchaseOrder | PurchaseReceipt,
        rate: Decimal,
        lines: list[PurchaseReceiptLine],
    ) -> PurchaseReceipt:
        today = self._registry.today
        receipt_nbr = f"PR{self._registry.next_number('purchase_receipts'):06d}"
        receipt = PurchaseReceipt(
            **self._registry.stamps("purchase_receipts", receipt_nbr),
            type=type_,
            receipt_nbr=receipt_nbr,
            vendor=source.vendor,
            branch=source.branch,
            date=today,
            period=period_of(today),
            currency=source.currency,
            rate=rate,
            vendor_ref=source.vendor_ref,
            status=DocumentStatus.HOLD,
            lines=lines,
        )
        return self._registry.insert(self._company.purchase_receipts, receipt_nbr, receipt)


def _expect_hold(receipt: PurchaseReceipt) -> None:
    if receipt.status is not DocumentStatus.HOLD:
        raise ValueError(f"receipt {receipt.receipt_nbr} is {receipt.status}, not on hold")


def _bill_line(receipt: PurchaseReceipt, line: PurchaseReceiptLine) -> BillLine:
    return BillLine(
        line_nbr=line.line_nbr,
        item=line.item,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_cost=line.unit_cost,
        amount=line.amount,
        base_amount=ZERO,
        account=line.account,
        cost_center=line.cost_center,
        order_nbr=line.order_nbr,
        order_line_nbr=line.order_line_nbr,
        receipt_nbr=receipt.receipt_nbr,
        receipt_line_nbr=line.line_nbr,
    )

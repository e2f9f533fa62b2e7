"""Events of sales orders, purchase receipts, stock, projects and user-defined fields."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from tests.sandbox.company import chart, words
from tests.sandbox.company.customs import custom_values
from tests.sandbox.company.events import Events, event, on_hold
from tests.sandbox.company.model import DocumentStatus, ReceiptType
from tests.sandbox.company.money import cents

if TYPE_CHECKING:
    from tests.sandbox.company.model import (
        Bill,
        Deletion,
        Item,
        Project,
        PurchaseOrder,
        PurchaseReceipt,
        SalesInvoice,
        SalesOrder,
        StockLevel,
        Vendor,
    )


class SalesOrdersLife(Events):
    """Events of sales orders. A method that takes a number chooses at random when it gets none."""

    @event
    def post_sales_order(self, *, hold: bool = False) -> SalesOrder:
        """Enter a sales order and accept it, or leave it on hold."""
        order = self._office.selling.enter_order(self._draw.sales_order())
        return order if hold else self._office.selling.release_order(order)

    @event
    def release_sales_order(self, order_nbr: str | None = None) -> SalesOrder:
        """Accept a sales order on hold.

        Raises:
            NothingToDoError: No sales order is on hold.
        """
        return self._office.selling.release_order(self._held_sales_order(order_nbr))

    @event
    def change_sales_order(self, order_nbr: str | None = None, *, how: str | None = None) -> SalesOrder:
        """Change the lines of an open sales order.

        Args:
            order_nbr: Which order.
            how: "quantity", "add" or "remove" (a line that was not shipped); by chance when not given.

        Raises:
            NothingToDoError: No sales order is open.
        """
        order = self._open_sales_order(order_nbr)
        how = how or self._rng.choice(("quantity", "add", "remove"))
        removable = [line.line_nbr for line in order.lines if not line.quantity_shipped]
        if how == "remove" and removable and len(order.lines) > 1:
            self._office.selling.remove_line(order, self._rng.choice(removable))
        elif how == "quantity":
            line = self._rng.choice(order.lines)
            quantity = line.quantity_shipped + self._rng.randint(1, 50)
            self._office.selling.change_quantity(order, line.line_nbr, quantity)
        else:
            self._office.selling.add_line(order, self._draw.sales_order_line(0))
        return order

    @event
    def ship_sales_order(self, order_nbr: str | None = None) -> SalesInvoice:
        """Ship some lines of an open sales order and release the invoice for them.

        Raises:
            NothingToDoError: No sales order is open.
        """
        order = self._open_sales_order(order_nbr)
        due = [line.line_nbr for line in order.lines if line.quantity_open]
        chosen = due[: self._rng.randint(1, max(1, len(due)))]
        lines = self._office.selling.ship(order, chosen, self._draw.delivered_part())
        draft = self._draw.invoice_for_order(order, lines)
        return self._office.receivables.release_invoice(self._office.receivables.enter_invoice(draft))

    @event
    def close_sales_order(self, order_nbr: str | None = None) -> SalesOrder:
        """Complete an open sales order, shipped or not.

        Raises:
            NothingToDoError: No sales order is open.
        """
        return self._office.selling.close_order(self._open_sales_order(order_nbr))

    @event
    def cancel_sales_order(self, order_nbr: str | None = None) -> SalesOrder:
        """Cancel an open sales order of which nothing was shipped.

        Raises:
            NothingToDoError: There is none.
        """
        orders = self._company.sales_orders
        if order_nbr is None:
            untouched = (
                order
                for order in orders.values()
                if order.status is DocumentStatus.OPEN
                and not any(line.quantity_shipped for line in order.lines)
            )
            order_nbr = self._choose(untouched, "open sales order of which nothing was shipped").order_nbr
        return self._office.selling.cancel_order(orders[order_nbr])

    @event
    def delete_sales_order(self, order_nbr: str | None = None) -> Deletion:
        """Delete a sales order on hold.

        Raises:
            NothingToDoError: No sales order is on hold.
        """
        return self._office.registry.remove("sales_orders", self._held_sales_order(order_nbr).order_nbr)

    def _open_sales_order(self, order_nbr: str | None) -> SalesOrder:
        orders = self._company.sales_orders
        if order_nbr is not None:
            return orders[order_nbr]
        is_open = (each for each in orders.values() if each.status is DocumentStatus.OPEN)
        return self._choose(is_open, "open sales order")

    def _held_sales_order(self, order_nbr: str | None) -> SalesOrder:
        orders = self._company.sales_orders
        if order_nbr is not None:
            return on_hold(orders[order_nbr], order_nbr)
        held = (each for each in orders.values() if each.status is DocumentStatus.HOLD)
        return self._choose(held, "sales order on hold")


class ReceiptsLife(Events):
    """Events of purchase receipts and stock. Numbers and keys are chosen at random when not given."""

    @event
    def hold_receipt(self, order_nbr: str | None = None) -> PurchaseReceipt:
        """Enter goods that came of an open order, not released yet.

        Raises:
            NothingToDoError: No order is open.
        """
        orders = self._company.purchase_orders
        if order_nbr is None:
            is_open = (each for each in orders.values() if each.status is DocumentStatus.OPEN)
            order_nbr = self._choose(is_open, "open order").order_nbr
        order: PurchaseOrder = orders[order_nbr]
        due = {
            line.line_nbr: line.quantity - line.quantity_received
            for line in order.lines
            if line.quantity > line.quantity_received
        }
        return self._office.receiving.enter_receipt(order, due, warehouse=self._draw.warehouse())

    @event
    def change_receipt(self, receipt_nbr: str | None = None) -> PurchaseReceipt:
        """Correct a receipt on hold: its last line goes, or when it is the only one, its quantity.

        Raises:
            NothingToDoError: No receipt is on hold.
        """
        receipt = self._held_receipt(receipt_nbr)
        lines = [msgspec.structs.replace(line) for line in receipt.lines]
        if len(lines) > 1:
            lines.pop()
        else:
            line = lines[0]
            line.quantity = line.quantity / 2
            line.amount = cents(line.quantity * line.unit_cost)
        self._office.receiving.change_receipt(receipt, lines)
        return receipt

    @event
    def release_receipt(self, receipt_nbr: str | None = None) -> PurchaseReceipt:
        """Release a receipt or return on hold; stock and orders move.

        Raises:
            NothingToDoError: None is on hold that still fits its order.
        """
        receipts = self._company.purchase_receipts
        if receipt_nbr is None:
            fitting = (each for each in receipts.values() if self._office.receiving.can_release(each))
            receipt_nbr = self._choose(fitting, "receipt on hold").receipt_nbr
        return self._office.receiving.release_receipt(receipts[receipt_nbr])

    @event
    def delete_receipt(self, receipt_nbr: str | None = None) -> Deletion:
        """Delete a receipt or return on hold.

        Raises:
            NothingToDoError: None is on hold.
        """
        receipt = self._held_receipt(receipt_nbr)
        return self._office.registry.remove("purchase_receipts", receipt.receipt_nbr)

    @event
    def return_goods(self, receipt_nbr: str | None = None) -> PurchaseReceipt:
        """Send something of a released receipt back.

        Raises:
            NothingToDoError: Nothing was received that is still there.
        """
        receipts, orders = self._company.purchase_receipts, self._company.purchase_orders
        there = [
            (receipt, line)
            for receipt in receipts.values()
            if receipt.type is ReceiptType.RECEIPT
            and receipt.status is DocumentStatus.CLOSED
            and not receipt.archived
            and receipt_nbr in {None, receipt.receipt_nbr}
            for line in receipt.lines
            for ordered in orders[line.order_nbr].lines
            if ordered.line_nbr == line.order_line_nbr
            and ordered.quantity_received - ordered.quantity_returned >= line.quantity
        ]
        receipt, line = self._choose(there, "receipt of which everything is still there")
        back = self._office.receiving.enter_return(receipt, {line.line_nbr: line.quantity})
        return self._office.receiving.release_receipt(back)

    @event
    def count_stock(self, key: str | None = None) -> StockLevel:
        """Count what lies of an item in a warehouse; the item itself is not touched."""
        key = key or self._choose(self._company.stock, "stock")
        return self._office.stockroom.count(key, Decimal(self._rng.randint(0, 4_000)) / 4)

    def _held_receipt(self, receipt_nbr: str | None) -> PurchaseReceipt:
        receipts = self._company.purchase_receipts
        if receipt_nbr is not None:
            return on_hold(receipts[receipt_nbr], receipt_nbr)
        held = (each for each in receipts.values() if each.status is DocumentStatus.HOLD)
        return self._choose(held, "receipt on hold")


class CustomsLife(Events):
    """Events of projects, user-defined fields and attributes. Codes are chosen at random when not given."""

    @event
    def new_project(self) -> Project:
        """Begin a project for a customer."""
        number = self._office.registry.next_number("new_projects")
        customer = self._draw.customer().code
        return self._office.masters.project(f"{200 + number:06d}", f"Auftrag {number} & more", customer)

    @event
    def rename_project(self, code: str | None = None) -> Project:
        """A project takes another name, and ends or begins again."""
        project = self._company.projects[code or self._choose(self._company.projects, "project")]
        stem = project.name.partition(" (")[0]
        project.name = f"{stem} ({self._rng.choice(words.SURNAMES)})"
        project.active = not project.active
        self._office.registry.touch(project)
        return project

    @event
    def change_custom(self, key: str | None = None) -> Bill:
        """Somebody fills the user-defined fields of a bill and its first line, released or not."""
        bill = self._company.bills[key or self._choose(self._company.bills, "bill")]
        bill.custom = custom_values(f"{bill.note_id}|{self._rng.random()}")
        bill.lines[0].custom = custom_values(f"{bill.note_id}|{self._rng.random()}")
        self._office.payables.changed(bill)
        return bill

    @event
    def change_vendor_custom(self, code: str | None = None) -> Vendor:
        """Somebody fills the user-defined fields of a vendor, and takes its attributes out or in."""
        vendor = self._company.vendors[code or self._choose(self._company.vendors, "vendor")]
        vendor.custom = custom_values(f"{vendor.note_id}|{self._rng.random()}")
        number = f"{self._rng.randint(0, 9_999):06d}"
        vendor.attributes = {} if vendor.attributes else {"DIVERSITY": "SB", "OLDNBR": number}
        self._office.registry.touch(vendor)
        return vendor

    @event
    def change_attributes(self, code: str | None = None) -> Item:
        """An item takes another colour."""
        item = self._company.items[code or self._choose(self._company.items, "item")]
        color = next(each for each in chart.ATTRIBUTES["items"] if each.code == "COLOR")
        item.attributes = {**item.attributes, "COLOR": self._rng.choice(list(color.values))}
        self._office.registry.touch(item)
        return item

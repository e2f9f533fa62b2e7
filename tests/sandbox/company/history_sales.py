"""What customers did in those months: orders, invoices, credit memos, payments; and goods that went back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, InvoiceType, ReceiptType
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from tests.sandbox.company.agenda import Agenda
    from tests.sandbox.company.model import CustomerPayment, PurchaseReceipt, SalesInvoice, SalesOrder
    from tests.sandbox.company.office import Office

_Group = tuple[str, str, str]  # customer, branch, currency: what one payment may settle
INVOICE_FATES = {"receive": 13, "leave": 4, "void": 1, "hold": 1, "delete": 1, "credit": 1}
SALES_ORDER_FATES = {"ship": 8, "hold": 1, "cancel": 1, "shorten": 2, "delete": 1}
RETURN_FATES = {"return": 3, "hold": 1}
_MOST_INVOICES_PER_PAYMENT = 5


class SalesHistory:
    """Events of sales, as `History` schedules them."""

    def __init__(self, office: Office, agenda: Agenda) -> None:
        self._office = office
        self._company = office.company
        self._draw = office.drafter
        self._agenda = agenda
        self._collectable: defaultdict[_Group, list[str]] = defaultdict(list)
        self._credits: defaultdict[_Group, list[str]] = defaultdict(list)

    # ---------------------------------------------------------- invoices

    def invoice(self, fate: str) -> None:
        """An invoice or credit memo is entered."""
        type_ = InvoiceType.CREDIT_MEMO if fate == "credit" else InvoiceType.INVOICE
        groups = [group for group, numbers in self._collectable.items() if numbers]
        if type_ is InvoiceType.CREDIT_MEMO and groups:
            customer, branch, _ = self._draw.rng.choice(groups)
            draft = self._draw.invoice(type_, self._company.customers[customer], branch)
        else:
            draft = self._draw.invoice(type_)
        invoice = self._office.receivables.enter_invoice(draft)
        if fate == "delete":
            remove = partial(self._office.registry.remove, "sales_invoices", invoice.invoice_nbr)
            self._agenda.after(0.5, 4, remove, at_latest=True)
        elif fate != "hold":
            self._agenda.after(0, 2, partial(self._release_invoice, invoice, fate))

    def _release_invoice(self, invoice: SalesInvoice, fate: str) -> None:
        self._office.receivables.release_invoice(invoice)
        if invoice.status is not DocumentStatus.OPEN:
            return
        group = (invoice.customer, invoice.branch, invoice.currency)
        if fate == "void":
            self._agenda.after(2, 20, partial(self._office.receivables.void_invoice, invoice))
        elif invoice.type is InvoiceType.CREDIT_MEMO:
            self._credits[group].append(invoice.invoice_nbr)
        elif fate != "leave":
            self._collectable[group].append(invoice.invoice_nbr)
            days = ((invoice.due_date or invoice.date) - self._company.clock.date()).days
            self._agenda.after(max(days - 5, 0), days + 20, partial(self._receive, group))

    # ---------------------------------------------------------- payments

    def receive_later(self) -> None:
        """A payment is entered that nobody has released yet."""
        groups = [group for group, numbers in self._collectable.items() if numbers]
        if groups:
            self._receive(self._draw.rng.choice(groups), hold=True)

    def _receive(self, group: _Group, *, hold: bool = False) -> None:
        """A customer pays what is due soon, less credit memos; a payment on hold stays there."""
        waiting = self._collectable[group]
        horizon = self._company.clock.date() + dt.timedelta(days=14)
        invoices = self._company.sales_invoices
        due = [number for number in waiting if (invoices[number].due_date or horizon) <= horizon or hold]
        numbers = due[:_MOST_INVOICES_PER_PAYMENT]
        if not numbers:
            return
        parts = {number: invoices[number].balance for number in numbers}
        if self._draw.chance(15):
            parts[numbers[-1]] = self._draw.part_of(parts[numbers[-1]])
        to_pay = sum(parts.values(), ZERO)
        for number in list(self._credits[group]):
            if invoices[number].balance < to_pay:
                parts[number] = invoices[number].balance
                to_pay -= parts[number]
                self._credits[group].remove(number)
        payment = self._office.receivables.enter_payment(
            parts, method=self._draw.method(), payment_ref=self._draw.reference()
        )
        self._collectable[group] = [number for number in waiting if number not in parts]
        if hold:
            return
        self._office.receivables.release_payment(payment)
        if self._draw.chance(6):
            self._agenda.after(1, 12, partial(self._bounce, group, payment))
        else:
            self._wait_again(group, payment)

    def _bounce(self, group: _Group, payment: CustomerPayment) -> None:
        self._office.receivables.void_payment(payment)
        self._wait_again(group, payment)

    def _wait_again(self, group: _Group, payment: CustomerPayment) -> None:
        """What a payment left open is mostly paid later."""
        for application in payment.applications:
            invoice = self._company.sales_invoices[application.invoice_nbr]
            if invoice.status is not DocumentStatus.OPEN or not self._draw.chance(70):
                continue
            if invoice.type is InvoiceType.CREDIT_MEMO:
                self._credits[group].append(invoice.invoice_nbr)
            else:
                self._collectable[group].append(invoice.invoice_nbr)
                self._agenda.after(10, 40, partial(self._receive, group))

    # ------------------------------------------------------------ orders

    def order(self, fate: str) -> None:
        """A sales order is entered."""
        order = self._office.selling.enter_order(self._draw.sales_order())
        if fate == "delete":
            remove = partial(self._office.registry.remove, "sales_orders", order.order_nbr)
            self._agenda.after(0.5, 4, remove, at_latest=True)
        elif fate != "hold":
            self._agenda.after(0, 2, partial(self._release_order, order, fate))

    def _release_order(self, order: SalesOrder, fate: str) -> None:
        selling = self._office.selling
        selling.release_order(order)
        if fate == "cancel":
            self._agenda.after(2, 30, partial(selling.cancel_order, order))
            return
        if fate == "shorten" and len(order.lines) > 1:
            selling.remove_line(order, order.lines[0].line_nbr)
        self._agenda.after(2, 20, partial(self._ship, order))

    def _ship(self, order: SalesOrder) -> None:
        due = [line.line_nbr for line in order.lines if line.quantity_open]
        lines = self._office.selling.ship(order, due, self._draw.delivered_part())
        invoice = self._office.receivables.enter_invoice(self._draw.invoice_for_order(order, lines))
        self._release_invoice(invoice, "receive")
        if order.status is DocumentStatus.OPEN:
            self._agenda.after(5, 40, partial(self._ship, order))

    # ---------------------------------------- goods that go back

    def returned(self, fate: str) -> None:
        """Something of a late delivery goes back, or is about to."""
        receipt = self._any_receipt()
        if receipt is None:
            return
        line = self._draw.rng.choice(receipt.lines)
        back = self._office.receiving.enter_return(receipt, {line.line_nbr: min(line.quantity, Decimal(1))})
        if fate == "return" and self._office.receiving.can_release(back):
            self._office.receiving.release_receipt(back)

    def _any_receipt(self) -> PurchaseReceipt | None:
        """One of the newest receipts."""
        found = [
            receipt
            for number in self._newest_receipts()
            if (receipt := self._company.purchase_receipts[number]).type is ReceiptType.RECEIPT
            and receipt.status is DocumentStatus.CLOSED
        ]
        return self._draw.rng.choice(found) if found else None

    def _newest_receipts(self) -> list[str]:
        last = self._company.counters.get("purchase_receipts", 0)
        return [f"PR{number:06d}" for number in range(max(1, last - 8), last + 1)]

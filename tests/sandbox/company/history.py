"""Eighteen months of business: who bought, sold, paid and voided what, and when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, deque
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tests.sandbox.company import words
from tests.sandbox.company.agenda import Agenda, Deck
from tests.sandbox.company.history_sales import (
    INVOICE_FATES,
    RETURN_FATES,
    SALES_ORDER_FATES,
    SalesHistory,
)
from tests.sandbox.company.model import BillType, DocumentStatus, JournalStatus
from tests.sandbox.company.payables import bill_key
from tests.sandbox.company.registry import documents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.model import Bill, Payment, PurchaseOrder
    from tests.sandbox.company.office import Office
    from tests.sandbox.company.payables import BillDraft

_Group = tuple[str, str, str]  # vendor, branch, currency: what one payment may settle
_BILL_FATES = {"pay": 53, "leave": 10, "debit": 6, "credit": 3, "void": 4, "hold": 2, "nil": 1, "delete": 1}
_ORDER_FATES = {"deliver": 8, "hold": 1, "cancel": 1, "shorten": 2}
_JOURNAL_FATES = {"post": 17, "hold": 2, "delete": 1}
_MOST_BILLS_PER_PAYMENT = 5
_ARCHIVE_AFTER = dt.timedelta(days=300)


class History:
    """Schedules the documents of a span of time and what becomes of them, then plays it all.

    Args:
        office: Who does it; its company's clock is moved.
        start: When business begins.
        end: No event is later.
    """

    def __init__(self, office: Office, *, start: dt.datetime, end: dt.datetime) -> None:
        self._office = office
        self._company = office.company
        self._draw = office.drafter
        self._rng = office.drafter.rng
        self._agenda = Agenda(office.company, self._rng, start, end)
        self._payable: defaultdict[_Group, list[str]] = defaultdict(list)
        self._adjustments: defaultdict[_Group, list[str]] = defaultdict(list)
        self._open_orders: deque[str] = deque()
        self._sales = SalesHistory(office, self._agenda)

    def run(self, bills: int) -> None:
        """Play everything; afterwards the company has that many payables documents."""
        month = self._agenda.start.replace(day=1, hour=0, minute=0, second=5, microsecond=500_000)
        while month <= self._agenda.end:
            self._agenda.at(month, self._office.registry.open_periods)
            month = (month + dt.timedelta(days=32)).replace(day=1)
        self._plan(bills, _BILL_FATES, self._bill)
        self._plan(max(20, bills * 2 // 3), INVOICE_FATES, self._sales.invoice)
        self._plan(max(12, bills // 5), SALES_ORDER_FATES, self._sales.order)
        self._plan(max(4, bills // 30), RETURN_FATES, self._sales.returned)
        self._plan(max(12, bills // 4), _ORDER_FATES, self._order)
        self._plan(max(20, bills // 6), _JOURNAL_FATES, self._journal)
        self._plan(4, {"rename": 1}, self._rename)
        self._agenda.at(self._agenda.end - dt.timedelta(days=170), self._archive)
        self._agenda.at(self._agenda.end - dt.timedelta(days=5), partial(self._bill, "delete"))
        for _ in range(1 + bills // 400):
            self._agenda.at(self._agenda.recent(days=5), self._pay_later)
            self._agenda.at(self._agenda.recent(days=5), self._sales.receive_later)
        self._agenda.play()

    def _plan(self, count: int, fates: dict[str, int], event: Callable[[str], None]) -> None:
        """Schedule as many documents as it takes for `count` of them not to be deleted."""
        deck = Deck(self._rng, fates)
        dealt: list[str] = []
        while count > 0:
            dealt.append(deck.deal())
            count -= dealt[-1] != "delete"
        for moment, fate in zip(self._agenda.moments(len(dealt)), dealt, strict=True):
            self._agenda.at(self._agenda.recent() if fate == "hold" else moment, partial(event, fate))

    # ----------------------------------------------------------- payables

    def _bill(self, fate: str) -> None:
        bill = self._office.payables.enter_bill(self._bill_draft(fate))
        if fate == "delete":
            self._remove_soon("bills", bill_key(bill))
        elif fate != "hold":
            release = partial(self._release_bill, bill, fate)
            if self._draw.chance(60):
                release()
            else:
                self._agenda.after(0.1, 3, release)

    def _bill_draft(self, fate: str) -> BillDraft:
        if fate == "debit" and self._payable:
            vendor, branch, _ = self._rng.choice(list(self._payable))
            return self._draw.bill(BillType.DEBIT_ADJUSTMENT, self._company.vendors[vendor], branch)
        if fate == "credit":
            return self._draw.bill(BillType.CREDIT_ADJUSTMENT)
        if fate == "pay" and self._open_orders and self._draw.chance(45):
            order = self._company.purchase_orders[self._open_orders.popleft()]
            if order.status is DocumentStatus.OPEN:
                return self._delivery(order)
        draft = self._draw.nil_bill() if fate == "nil" else self._draw.bill()
        if not self._company.bills:
            draft.lines[0].description = words.EMOJI_TEXT
        return draft

    def _delivery(self, order: PurchaseOrder) -> BillDraft:
        due = [line.line_nbr for line in order.lines if line.quantity_received < line.quantity]
        lines = self._office.receiving.receive(order, due, self._draw.delivered_part())
        if order.status is DocumentStatus.OPEN:
            self._open_orders.append(order.order_nbr)
        return self._draw.bill_for_order(order, lines)

    def _release_bill(self, bill: Bill, fate: str) -> None:
        self._office.payables.release_bill(bill)
        if bill.status is not DocumentStatus.OPEN:
            return
        group = (bill.vendor, bill.branch, bill.currency)
        if fate == "void":
            self._agenda.after(2, 20, partial(self._office.payables.void_bill, bill))
        elif bill.type is BillType.DEBIT_ADJUSTMENT:
            self._adjustments[group].append(bill_key(bill))
        elif fate != "leave":
            self._payable[group].append(bill_key(bill))
            days = ((bill.due_date or bill.date) - self._company.clock.date()).days
            self._agenda.after(max(days - 4, 0), max(days + 6, 1), partial(self._pay, group))

    def _pay(self, group: _Group, *, hold: bool = False) -> None:
        """Pay what is due soon in a group, less what the vendor owes; a payment on hold stays there."""
        waiting = self._payable[group]
        horizon = self._company.clock.date() + dt.timedelta(days=21)
        due = [key for key in waiting if (self._company.bills[key].due_date or horizon) <= horizon]
        keys = due[:_MOST_BILLS_PER_PAYMENT]
        if not keys:
            return
        parts = {key: self._company.bills[key].balance for key in keys}
        if self._draw.chance(12):
            parts[keys[-1]] = self._draw.part_of(parts[keys[-1]])
        self._deduct(group, parts)
        payment = self._office.payables.enter_payment(
            parts, method=self._rng.choice(("CHECK", "ACH", "WIRE")), payment_ref=self._draw.reference()
        )
        self._payable[group] = [key for key in waiting if key not in parts]
        if hold:
            return
        self._office.payables.release_payment(payment)
        if self._draw.chance(4):
            self._agenda.after(1, 12, partial(self._void_payment, payment))
        else:
            self._wait_again(group, payment)

    def _pay_later(self) -> None:
        """Prepare a payment that nobody has released yet."""
        groups = [group for group, keys in self._payable.items() if keys]
        if groups:
            self._pay(self._rng.choice(groups), hold=True)

    def _deduct(self, group: _Group, parts: dict[str, Decimal]) -> None:
        """Take open debit adjustments off a payment while something is left to pay."""
        to_pay = sum(parts.values(), Decimal(0))
        for key in list(self._adjustments[group]):
            balance = self._company.bills[key].balance
            if balance < to_pay and self._draw.chance(70):
                parts[key] = balance
                to_pay -= balance
                self._adjustments[group].remove(key)

    def _wait_again(self, group: _Group, payment: Payment) -> None:
        """What a payment left open is mostly paid later."""
        for application in payment.applications:
            key = bill_key(application)
            bill = self._company.bills[key]
            if bill.status is DocumentStatus.OPEN and self._draw.chance(70):
                if bill.type is BillType.DEBIT_ADJUSTMENT:
                    self._adjustments[group].append(key)
                else:
                    self._payable[group].append(key)
                    self._agenda.after(5, 30, partial(self._pay, group))

    def _void_payment(self, payment: Payment) -> None:
        self._office.payables.void_payment(payment)
        self._wait_again((payment.vendor, payment.branch, payment.currency), payment)

    # ---------------------------------------------------- orders and rest

    def _order(self, fate: str) -> None:
        order = self._office.purchasing.enter_order(self._draw.order())
        if fate != "hold":
            self._agenda.after(0, 2, partial(self._release_order, order, fate))

    def _release_order(self, order: PurchaseOrder, fate: str) -> None:
        purchasing = self._office.purchasing
        purchasing.release_order(order)
        if fate == "cancel":
            self._agenda.after(2, 30, partial(purchasing.cancel_order, order))
            return
        if fate == "shorten" and len(order.lines) > 1:
            purchasing.remove_line(order, order.lines[0].line_nbr)
        self._open_orders.append(order.order_nbr)

    def _journal(self, fate: str) -> None:
        heading = self._draw.manual_heading(self._office.registry.today)
        status = JournalStatus.POSTED if fate == "post" else JournalStatus.BALANCED
        journal = self._office.ledger.post(heading, self._draw.journal_entries(heading.rate), status)
        if fate == "delete":
            self._remove_soon("journals", f"{journal.module}|{journal.batch_nbr}")

    def _remove_soon(self, table: str, key: str) -> None:
        self._agenda.after(0.5, 4, partial(self._office.registry.remove, table, key), at_latest=True)

    def _rename(self, _: str) -> None:
        vendor = self._draw.vendor()
        vendor.name = f"{vendor.name} (vormals Żak & Söhne)"
        self._office.registry.touch(vendor)

    def _archive(self) -> None:
        """Put away what was settled long ago."""
        before = self._company.clock - _ARCHIVE_AFTER
        for document in documents(self._company):
            if document.status is DocumentStatus.CLOSED and document.modified_at < before:
                document.archived = True
                self._office.registry.touch(document)

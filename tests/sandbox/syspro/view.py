"""One version of the company as one SYSPRO company sees it: its documents, and what changed their balances."""

from __future__ import annotations

import collections
import dataclasses
import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import BillType, DocumentStatus
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.payables import bill_key
from tests.sandbox.syspro import COMPANIES, WAREHOUSE_COMPANIES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from tests.sandbox.company.books import Balance
    from tests.sandbox.company.model import (
        Account,
        Application,
        Bill,
        Company,
        CustomerPayment,
        Journal,
        Payment,
        SalesInvoice,
        SalesOrderLine,
    )
    from tests.sandbox.syspro.switches import Switches

RELEASED = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED, DocumentStatus.VOIDED})
KEY_DIGITS = 15  # numeric codes are padded with zeros to so many
_JOURNAL_KINDS = {"GL": 1, "AP": 2, "AR": 3}
_PREFIXES = {BillType.BILL: "", BillType.CREDIT_ADJUSTMENT: "CA", BillType.DEBIT_ADJUSTMENT: "DN"}
_SIX = Decimal("0.000001")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """One entry on a document: what it changed of the balance, in the document's currency.

    Attributes:
        entry: Number within the document; never given again.
        kind: Payment or adjustment.
        amount: Signed: payments reduce a bill's balance.
        rate: Base currency per unit.
    """

    entry: int
    kind: Literal["P", "A"]
    amount: Decimal
    journal: Journal
    rate: Decimal
    reference: str
    payment_nbr: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """A released document with its entries, oldest period first.

    Attributes:
        original: Signed amount in the document's currency.
    """

    original: Decimal
    period: str
    changes: tuple[Change, ...]

    def balance(self, period: str) -> Decimal:
        """What was open at the end of a period."""
        if self.period > period:
            return ZERO
        return sum((each.amount for each in self.changes if each.journal.period <= period), self.original)

    @property
    def settled_in(self) -> str:
        """The period in which the balance became zero; empty while it is open."""
        if self.original + sum((each.amount for each in self.changes), ZERO):
            return ""
        return max([self.period, *(each.journal.period for each in self.changes)])


class View:
    """What the tables are made from.

    Args:
        company: The records. Whoever reads them holds the lock of the world.
        company_id: The SYSPRO company.
        switches: How the site behaves.
    """

    def __init__(self, company: Company, company_id: str, switches: Switches) -> None:
        self.company = company
        self.company_id = company_id
        self.branch = COMPANIES[company_id]
        self.switches = switches
        self.period = f"{company.clock:%Y%m}"

    @functools.cached_property
    def three_periods(self) -> tuple[str, str, str]:
        """The current period and the two before."""
        months = self.company.clock.year * 12 + self.company.clock.month - 1
        first, second, third = (
            f"{month // 12:04d}{month % 12 + 1:02d}" for month in (months, months - 1, months - 2)
        )
        return first, second, third

    @functools.cached_property
    def journals(self) -> list[Journal]:
        """The journals of this company, waiting ones too."""
        return [each for each in self.company.journals.values() if each.branch == self.branch]

    @functools.cached_property
    def gl_view(self) -> list[View]:
        """The companies whose general ledger this database holds."""
        if not self.switches.gl_in_first_company:
            return [self]
        if self.company_id != next(iter(COMPANIES)):
            return []
        return [self, *(View(self.company, other, self.switches) for other in list(COMPANIES)[1:])]

    @functools.cached_property
    def bills(self) -> list[tuple[Bill, Standing]]:
        """The payables documents that are in the ledgers."""
        found = []
        for bill in self.company.bills.values():
            if bill.branch == self.branch and bill.status in RELEASED:
                sign = bill.type.sign
                changes = list(self._bill_changes[bill_key(bill)])
                if bill.voiding_batch_nbr is not None:
                    changes.append(self._voiding("AP", bill, bill.amount * sign))
                found.append((bill, _standing(bill.amount * sign, bill.period, changes)))
        return [(bill, each) for bill, each in found if not self.is_purged_document(each)]

    @functools.cached_property
    def invoices(self) -> list[tuple[SalesInvoice, Standing]]:
        """The receivables documents that are in the ledgers."""
        found = []
        for invoice in self.company.sales_invoices.values():
            if invoice.branch == self.branch and invoice.status in RELEASED:
                sign = invoice.type.sign
                changes = list(self._invoice_changes[invoice.invoice_nbr])
                if invoice.voiding_batch_nbr is not None:
                    changes.append(self._voiding("AR", invoice, invoice.amount * sign))
                found.append((invoice, _standing(invoice.amount * sign, invoice.period, changes)))
        return [(invoice, each) for invoice, each in found if not self.is_purged_document(each)]

    @functools.cached_property
    def balances(self) -> dict[str, dict[str, Balance]]:
        """GL code to the balance of every period with postings."""
        found: dict[str, dict[str, Balance]] = collections.defaultdict(dict)
        for place, balance in books_of(self.company).balances.items():
            if place.branch == self.branch:
                found[gl_code(place.account, place.cost_center)][place.period] = balance
        return dict(found)

    def payables_of(self, journal: Journal) -> dict[int, str]:
        """The payables document that each line of the control account is about, by line number."""
        documents = self._payables.get(journal.batch_nbr, []) if journal.module == "AP" else []
        controls = [line.line_nbr for line in journal.lines if line.account == chart.ACCOUNTS_PAYABLE]
        return dict(zip(controls, documents, strict=False))

    @functools.cached_property
    def projects(self) -> dict[str, str]:
        """AR batch to the project that its invoice was shipped for."""
        found = {}
        for invoice in self.company.sales_invoices.values():
            orders = (self.company.sales_orders.get(line.order_nbr or "") for line in invoice.lines)
            project = next((order.project for order in orders if order and order.project), None)
            if project is not None:
                for batch in (invoice.batch_nbr, invoice.voiding_batch_nbr):
                    found[batch or ""] = project
        return found

    def is_purged(self, day: dt.date) -> bool:
        """Whether ledger rows of a day are gone."""
        before = self.switches.purged_before
        return before is not None and day < before

    def is_purged_document(self, standing: Standing) -> bool:
        """Whether a document is gone: settled in a period before the one of the purge."""
        before = self.switches.purged_before
        return before is not None and "" < standing.settled_in < f"{before:%Y%m}"

    def journal(self, module: str, batch_nbr: str | None) -> Journal:
        """The journal of a document."""
        return self.company.journals[f"{module}|{batch_nbr}"]

    def rate(self, currency: str, rate: Decimal) -> tuple[Decimal, str]:
        """A rate as it is kept: with whether to multiply (`M`) or divide (`D`) by it."""
        if currency in self.switches.divided_currencies:
            return (1 / rate).quantize(_SIX), "D"
        return rate, "M"

    def keeps(self, warehouse: str | None) -> bool:
        """Whether this company keeps the stock of a warehouse."""
        first = next(iter(COMPANIES))
        return bool(warehouse) and WAREHOUSE_COMPANIES.get(warehouse or "", first) == self.company_id

    @functools.cached_property
    def sales_lines(self) -> dict[tuple[str, int], SalesOrderLine]:
        """Order number and line number to the line, in all companies."""
        return {
            (order.order_nbr, line.line_nbr): line
            for order in self.company.sales_orders.values()
            for line in order.lines
        }

    @functools.cached_property
    def _payables(self) -> dict[str, list[str]]:
        """AP batch to the documents that it books, in the order of its lines."""
        found: dict[str, list[str]] = {}
        for bill in self.company.bills.values():
            for batch in (bill.batch_nbr, bill.voiding_batch_nbr):
                found[batch or ""] = [payable_number(bill)]
        for payment in self.company.payments.values():
            for batch in (payment.batch_nbr, payment.voiding_batch_nbr):
                found[batch or ""] = [payable_number(each) for each in payment.applications]
        return found

    @functools.cached_property
    def _bill_changes(self) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = collections.defaultdict(list)
        for payment in self.company.payments.values():
            if payment.status in RELEASED:
                for application in payment.applications:
                    amount = -application.amount * application.type.sign
                    found[bill_key(application)] += self._payment_changes("AP", payment, amount)
        return found

    @functools.cached_property
    def _invoice_changes(self) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = collections.defaultdict(list)
        for payment in self.company.customer_payments.values():
            if payment.status in RELEASED:
                for application in payment.applications:
                    sign = self.company.sales_invoices[application.invoice_nbr].type.sign
                    amount = -application.amount * sign
                    found[application.invoice_nbr] += self._payment_changes("AR", payment, amount)
        return found

    def _payment_changes(
        self, module: str, payment: Payment | CustomerPayment, amount: Decimal
    ) -> Iterable[Change]:
        """What a payment did to a document, and what its void did."""
        number = int(payment.payment_nbr) * 2
        paid = Change(
            entry=number,
            kind="P",
            amount=amount,
            journal=self.journal(module, payment.batch_nbr),
            rate=payment.rate,
            reference=payment.payment_ref or "",
            payment_nbr=payment.payment_nbr,
        )
        if payment.voiding_batch_nbr is None:
            return [paid]
        reversal = self.journal(module, payment.voiding_batch_nbr)
        voided = dataclasses.replace(paid, entry=number + 1, amount=-amount, journal=reversal)
        return [paid, voided]

    def _voiding(self, module: str, document: Bill | SalesInvoice, original: Decimal) -> Change:
        return Change(
            entry=1,  # payments have numbers from 2 on
            kind="A",
            amount=-original,
            journal=self.journal(module, document.voiding_batch_nbr),
            rate=document.rate,
            reference="Void",
            payment_nbr="",
        )

    @functools.cached_property
    def gl_accounts(self) -> dict[str, tuple[Account, str]]:
        """GL code to account and cost centre: every account without one, and every pair in use."""
        pairs = {(account, "000000") for account in self.company.accounts}
        for journal in self.journals:
            pairs.update((line.account, line.cost_center) for line in journal.lines)
        for documents in (self.company.bills, self.company.sales_invoices, self.company.purchase_orders):
            for document in documents.values():
                if document.branch == self.branch:
                    pairs.update((line.account, line.cost_center) for line in document.lines)
        return {
            gl_code(account, center): (self.company.accounts[account], center)
            for account, center in sorted(pairs)
        }


def _standing(original: Decimal, period: str, changes: list[Change]) -> Standing:
    changes.sort(key=lambda change: (change.journal.period, change.entry))
    return Standing(original=original, period=period, changes=tuple(changes))


def payable_number(document: Bill | Application) -> str:
    """The number of a payables document: unique for its supplier, whatever its kind."""
    return _PREFIXES[document.type] + document.reference_nbr


def gl_code(account: str, cost_center: str) -> str:
    """A GL code of this site: account and cost centre."""
    return f"{account}-{cost_center}"


def padded(code: str | None) -> str:
    """A code as it is stored: numeric ones with zeros on the left, others as they are."""
    code = code or ""
    return code.zfill(KEY_DIGITS) if code.isdigit() else code


def order_number(number: str | None) -> str:
    """The number of an order: `PO000012` and `SO000012` are numeric here."""
    return padded(number[2:]) if number else ""


def journal_number(journal: Journal) -> int:
    """The number of a journal, unique over modules and companies."""
    return int(journal.batch_nbr) * 10 + _JOURNAL_KINDS[journal.module]


def year_of(period: str) -> int:
    """The fiscal year of a period; 0 for none."""
    return int(period[:4] or 0)


def month_of(period: str) -> int:
    """The month of a period within its year; 0 for none."""
    return int(period[4:] or 0)

"""One version of the company with what the objects of Intacct need beside their own record."""

from __future__ import annotations

import collections
import dataclasses
import functools
import zlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.payables import bill_key
from tests.sandbox.sage_intacct import ACCRUAL_BOOK, numbers

if TYPE_CHECKING:
    import datetime as dt

    from tests.sandbox.company.basics import Record
    from tests.sandbox.company.books import Balance, Place
    from tests.sandbox.company.model import Bill, Company, CustomerPayment, Journal, Payment
    from tests.sandbox.sage_intacct.switches import Switches


class Stamps(NamedTuple):
    """When a row was made and last changed, and what its chance depends on."""

    note_id: str
    created_at: dt.datetime
    modified_at: dt.datetime


@dataclasses.dataclass
class View:
    """What tables are made from. Whoever uses it holds the lock of the world."""

    company: Company
    switches: Switches
    _balances: dict[str, dict[Place, Balance]] = dataclasses.field(default_factory=dict)

    # ------------------------------------------------------------- stamps

    def modified(self, name: str, stamps: Stamps | Record) -> dt.datetime | None:
        """WHENMODIFIED: empty in some rows that were never changed since they were made."""
        untouched = stamps.modified_at == stamps.created_at
        nullable = {"*", name} & self.switches.null_when_modified
        if untouched and nullable and zlib.crc32(stamps.note_id.encode()) % 2:
            return None
        return stamps.modified_at

    def bill_stamps(self, bill: Bill) -> Stamps:
        """The stamps of a payables document."""
        stamps = [bill.created_at, *bill.remade_at]
        if self.switches.payments_touch_bills or not bill.batch_nbr:  # what is not posted, nobody pays
            stamps.append(bill.modified_at)
        else:
            batches = (bill.batch_nbr, bill.voiding_batch_nbr)
            stamps += [self.company.journals[f"AP|{nbr}"].created_at for nbr in batches if nbr]
        made = bill.remade_at[-1] if bill.remade_at else bill.created_at
        return Stamps(bill.note_id, made, max(stamps))

    # ------------------------------------------------------- reverse maps

    @functools.cached_property
    def account_keys(self) -> dict[str, int]:
        """Account code to RECORDNO."""
        return {code: account.account_id for code, account in self.company.accounts.items()}

    @functools.cached_property
    def location_keys(self) -> dict[str, int]:
        """Branch code to RECORDNO of the location."""
        return {code: branch.branch_id for code, branch in self.company.branches.items()}

    @functools.cached_property
    def bills_by_batch(self) -> dict[str, Bill]:
        """Batch number of an AP journal to the document that it books or takes back."""
        found: dict[str, Bill] = {}
        for bill in self.company.bills.values():
            found.update({nbr: bill for nbr in (bill.batch_nbr, bill.voiding_batch_nbr) if nbr})
        return found

    @functools.cached_property
    def payments_by_batch(self) -> dict[str, Payment]:
        """Batch number of an AP journal to the payment that it books or takes back."""
        found: dict[str, Payment] = {}
        for payment in self.company.payments.values():
            found.update({nbr: payment for nbr in (payment.batch_nbr, payment.voiding_batch_nbr) if nbr})
        return found

    @functools.cached_property
    def payments_of(self) -> dict[str, list[Payment]]:
        """Bill key to the released payments that settle it."""
        found: dict[str, list[Payment]] = collections.defaultdict(list)
        for payment in self.company.payments.values():
            if payment.status is DocumentStatus.CLOSED:
                for application in payment.applications:
                    found[bill_key(application)].append(payment)
        return dict(found)

    @functools.cached_property
    def receipts_of(self) -> dict[str, list[CustomerPayment]]:
        """Invoice number to the released customer payments that settle it."""
        found: dict[str, list[CustomerPayment]] = collections.defaultdict(list)
        for payment in self.company.customer_payments.values():
            if payment.status is DocumentStatus.CLOSED:
                for application in payment.applications:
                    found[application.invoice_nbr].append(payment)
        return dict(found)

    @functools.cached_property
    def open_by_vendor(self) -> dict[str, object]:
        """Vendor to what is owed to them, in base currency."""
        return dict(books_of(self.company).open_payables_by_vendor)

    @functools.cached_property
    def open_by_customer(self) -> dict[str, object]:
        """Customer to what they owe, in base currency."""
        return dict(books_of(self.company).open_receivables_by_customer)

    def balances(self, book: str) -> dict[Place, Balance]:
        """The balances of one book."""
        if book not in self._balances:
            company = self.company
            if book != ACCRUAL_BOOK:
                journals = {key: each for key, each in company.journals.items() if touches_cash(each)}
                company = msgspec.structs.replace(company, journals=journals)
            self._balances[book] = books_of(company).balances
        return self._balances[book]

    def channel(self, cost_center: str) -> int | None:
        """Record id of the user-defined dimension's value that goes with a department; some have none."""
        noise = zlib.crc32(cost_center.encode()) % (len(CHANNELS) + 1)
        return noise or None


CHANNELS = ("Direct", "Web & Shop", "Partner <EU>")
_CASH = frozenset({*chart.CASH.values(), "010200"})


def touches_cash(journal: Journal) -> bool:
    """Whether a journal is also in the cash book."""
    return any(line.account in _CASH for line in journal.lines)


def journal_number(journal: Journal) -> int:
    """RECORDNO of a journal."""
    return numbers.journal(f"{journal.module}|{journal.batch_nbr}")

"""One Epicor company of the sandbox: the branch that it is, and the look-ups that its rows need."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tests.sandbox.company.books import Balance, Place, books_of
from tests.sandbox.company.model import Bill, BillType, CustomerPayment, DocumentStatus, Payment, SalesInvoice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Company, Journal
    from tests.sandbox.company.registry import Document
    from tests.sandbox.epicor_kinetic.switches import Switches

    D = TypeVar("D", bound=Document | Journal)

VOID_NUMBERS = 900_000  # numbers of rows that undo another are its number and this
_PREFIXES = {BillType.BILL: "", BillType.CREDIT_ADJUSTMENT: "CA", BillType.DEBIT_ADJUSTMENT: "DM"}


class Posting(NamedTuple):
    """The document behind a journal, and whether the journal undoes it."""

    document: Bill | Payment | SalesInvoice | CustomerPayment
    is_void: bool


class View:
    """What the rows of one Epicor company are made from.

    Attributes:
        company: The records. Whoever reads them holds the lock of the world.
        epicor: The Epicor company.
        branch: The branch that it is.
    """

    def __init__(self, company: Company, epicor: str, branch: str, switches: Switches) -> None:
        self.company = company
        self.epicor = epicor
        self.branch = branch
        self.switches = switches

    def own(self, documents: Iterable[D]) -> Iterator[D]:
        """Those of this branch."""
        return (document for document in documents if document.branch == self.branch)

    def vendor_num(self, code: str | None) -> int:
        """The number of a vendor; 0 for none."""
        return 0 if code is None else self.company.vendors[code].vendor_id

    def cust_num(self, code: str | None) -> int:
        """The number of a customer; 0 for none."""
        return 0 if code is None else self.company.customers[code].customer_id

    @functools.cached_property
    def postings(self) -> dict[tuple[str, str], Posting]:
        """Module and batch number to the document that was booked or undone with it."""
        found: dict[tuple[str, str], Posting] = {}
        company = self.company
        for module, tables in (
            ("AP", (company.bills, company.payments)),
            ("AR", (company.sales_invoices, company.customer_payments)),
        ):
            for table in tables:
                for document in table.values():
                    for batch, is_void in ((document.batch_nbr, False), (document.voiding_batch_nbr, True)):
                        if batch is not None:
                            found[module, batch] = Posting(document, is_void)
        return found

    @functools.cached_property
    def balances(self) -> dict[Place, Balance]:
        """The balances of this branch."""
        rows = books_of(self.company).balances
        return {place: balance for place, balance in rows.items() if place.branch == self.branch}

    @functools.cached_property
    def invoiced(self) -> dict[tuple[str, int], Decimal]:
        """Order and line to the quantity that posted bills were written for."""
        found: dict[tuple[str, int], Decimal] = {}
        for bill in self.own(self.company.bills.values()):
            if bill.status in {DocumentStatus.OPEN, DocumentStatus.CLOSED}:
                for line in bill.lines:
                    if line.order_nbr is not None and line.order_line_nbr is not None:
                        place = line.order_nbr, line.order_line_nbr
                        found[place] = found.get(place, line.quantity * 0) + line.quantity
        return found


def number(code: str) -> int:
    """The digits of a document's number: 12 for `PO000012`."""
    return int("".join(filter(str.isdigit, code)))


def invoice_num(document: Bill) -> str:
    """The AP invoice number of a bill or adjustment; leading zeros are real."""
    return _PREFIXES[document.type] + document.reference_nbr


def gl_account(account: str, cost_center: str) -> str:
    """A full account with the database's own delimiter."""
    return f"{account}|{cost_center}"


def fiscal(period: str) -> tuple[int, int]:
    """Fiscal year and period of `YYYYMM`."""
    return int(period[:4]), int(period[4:])

"""One division's look at the company: its documents, its own guids, and the names that rows carry along."""

from __future__ import annotations

import functools
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tests.sandbox.company import chart
from tests.sandbox.company.model import Bill, CustomerPayment, Payment, SalesInvoice
from tests.sandbox.exact_online.clock import midnight, wall
from tests.sandbox.exact_online.rows.row import Row, basis_of, guid

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from tests.sandbox.company.model import Branch, Company, Customer, Journal, Project, Record, Vendor

USER_ID = "a6f3c1de-5a6b-4a8e-9b0e-0c57e1a40614"
USER_NAME = "Sandbox Integration"
_ACCOUNT_CODE_WIDTH = 18
_RATE_STEP = Decimal("0.0001")

Document = Bill | SalesInvoice | Payment | CustomerPayment
R = TypeVar("R", bound="Record")


class Booking(NamedTuple):
    """What a journal was written for: a document, or its reversal; nothing for a journal entered by hand."""

    document: Document | None
    is_reversal: bool


class View:
    """A division at one moment.

    Args:
        company: The records; whoever uses the view holds their lock.
        division: Code of the division.
        branch: The branch that it shows.
        now: What time it is in the records.
        padded: Whether codes are padded.
    """

    def __init__(
        self, company: Company, division: int, branch: Branch, now: dt.datetime, *, padded: bool
    ) -> None:
        self.company = company
        self.division = division
        self.branch = branch
        self.now = now
        self.padded = padded

    # ------------------------------------------------------------------ records of this division

    def own(self, table: dict[str, R]) -> Iterator[R]:
        """The records of a table that belong to this division's branch."""
        return (each for each in table.values() if getattr(each, "branch", None) == self.branch.code)

    @functools.cached_property
    def bookings(self) -> dict[tuple[str, str], Booking]:
        """(module, batch number) to what the journal was written for."""
        found: dict[tuple[str, str], Booking] = {}
        groups: tuple[tuple[str, dict[str, Any]], ...] = (
            ("AP", self.company.bills),
            ("AP", self.company.payments),
            ("AR", self.company.sales_invoices),
            ("AR", self.company.customer_payments),
        )
        for module, table in groups:
            for document in table.values():
                if document.batch_nbr:
                    found[module, document.batch_nbr] = Booking(document, is_reversal=False)
                if document.voiding_batch_nbr:
                    found[module, document.voiding_batch_nbr] = Booking(document, is_reversal=True)
        return found

    def booking(self, journal: Journal) -> Booking:
        """What a journal was written for."""
        return self.bookings.get((journal.module, journal.batch_nbr), Booking(None, is_reversal=False))

    def reversal_of(self, document: Document) -> Journal | None:
        """The journal that reversed a document."""
        module = "AP" if isinstance(document, Bill | Payment) else "AR"
        return self.company.journals.get(f"{module}|{document.voiding_batch_nbr}")

    # ------------------------------------------------------------------ identity

    def master_id(self, record: Record, *parts: object) -> str:
        """The guid of a master record here: every division has its own."""
        return guid(record.note_id, self.division, *parts)

    def gl_account_id(self, code: str) -> str:
        """The guid of a GL account."""
        return self.master_id(self.company.accounts[code])

    def item_id(self, code: str | None) -> str | None:
        """The guid of an item."""
        return None if code is None else self.master_id(self.company.items[code])

    def row(self, record: Record, id_: object, values: Mapping[str, object]) -> Row:
        """A row of a record, with the stamps that nearly every entity has."""
        stamps = {
            "Created": wall(record.created_at),
            "Creator": USER_ID,
            "CreatorFullName": USER_NAME,
            "Modified": wall(record.modified_at),
            "Modifier": USER_ID,
            "ModifierFullName": USER_NAME,
            "Division": self.division,
        }
        return Row(str(id_), {**stamps, **values}, self._basis(record))

    def _basis(self, record: Record) -> int:
        if record.note_id not in self._bases:
            self._bases[record.note_id] = basis_of(record)
        return self._bases[record.note_id]

    @functools.cached_property
    def _bases(self) -> dict[str, int]:
        return {}

    # ------------------------------------------------------------------ words

    def partner(self, document: Document) -> Vendor | Customer:
        """Whom a document was made with."""
        if isinstance(document, Bill | Payment):
            return self.company.vendors[document.vendor]
        return self.company.customers[document.customer]

    def account_code(self, partner: Vendor | Customer) -> str:
        """The code of a relation: padded on the left, and unique over vendors and customers."""
        code = partner.code
        if code.isdecimal() and hasattr(partner, "customer_id"):
            code = f"5{code[1:]}"
        return code.rjust(_ACCOUNT_CODE_WIDTH) if self.padded else code

    def account_columns(self, partner: Vendor | Customer) -> dict[str, Any]:
        """Guid, code and name of a relation, as documents carry them."""
        return {
            "Account": self.master_id(partner),
            "AccountCode": self.account_code(partner),
            "AccountName": partner.name,
        }

    def gl_columns(self, code: str) -> dict[str, Any]:
        """Guid, code and name of a GL account."""
        account = self.company.accounts[code]
        return {
            "GLAccount": self.master_id(account),
            "GLAccountCode": account.code,
            "GLAccountDescription": account.name,
        }

    def cost_center_columns(self, code: str) -> dict[str, Any]:
        """Code and name of a cost centre; nothing where none was given."""
        if code == chart.NO_COST_CENTER:
            return {}
        return {"CostCenter": code, "CostCenterDescription": self.company.cost_centers[code].name}

    def item_columns(self, code: str | None) -> dict[str, Any]:
        """Guid, code and name of an item."""
        if code is None:
            return {}
        item = self.company.items[code]
        return {"Item": self.master_id(item), "ItemCode": item.code, "ItemDescription": item.description}

    def project_of(self, document: Document | None, line_nbr: int, item: str | None) -> Project | None:
        """The project that a bill's line of services was bought for; one in two has one."""
        if not isinstance(document, Bill) or item is None or self.company.items[item].is_stock:
            return None
        choice = int(document.note_id[:8], 16) + line_nbr
        code, _ = chart.PROJECTS[choice // 2 % len(chart.PROJECTS)]
        return self.company.projects.get(code) if choice % 2 else None

    def project_columns(self, project: Project | None) -> dict[str, Any]:
        """Guid, code and name of a project."""
        if project is None:
            return {}
        return {
            "Project": self.master_id(project),
            "ProjectCode": project.code,
            "ProjectDescription": project.name,
        }

    def terms_columns(self, code: str | None) -> dict[str, Any]:
        """Code and name of a payment condition."""
        if code is None:
            return {}
        return {
            "PaymentCondition": code,
            "PaymentConditionDescription": self.company.terms[code].description,
        }

    def vat_columns(self, net: Decimal, tax: Decimal) -> dict[str, Any]:
        """The VAT code that a document was taxed with; its percentage is a fraction."""
        code, name, percentage = vat_code(net, tax)
        return {
            "VATCode": code.ljust(3) if self.padded else code,
            "VATCodeDescription": name,
            "VATPercentage": percentage,
        }


VAT_CODES: tuple[tuple[str, str, Decimal], ...] = (
    ("0", "No VAT", Decimal(0)),
    ("1", "Sales tax 8.25 %", Decimal("0.0825")),
    ("2", "USt / Vorsteuer 19 %", Decimal("0.19")),
    ("3", "VAT 20 %", Decimal("0.2")),
)


def vat_code(net: Decimal, tax: Decimal) -> tuple[str, str, Decimal]:
    """The VAT code whose percentage comes nearest to what was taxed."""
    if not net or not tax:
        return VAT_CODES[0]
    fraction = (tax / net).quantize(_RATE_STEP, ROUND_HALF_UP)
    return min(VAT_CODES, key=lambda each: abs(each[2] - fraction))


def day(date: dt.date | None) -> dt.datetime | None:
    """A day as the API writes it."""
    return None if date is None else midnight(date)


def period(code: str) -> tuple[int, int]:
    """Year and month of a fiscal period."""
    return int(code[:4]), int(code[4:])

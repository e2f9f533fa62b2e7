"""The generic inquiries of the site: queries that its users made and exposed over OData."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.shapes import attr
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company.model import DocumentStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from tests.sandbox.acumatica.labels import Choices
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wire import Value
    from tests.sandbox.company.model import Bill, SalesInvoice


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """One column of a generic inquiry.

    Attributes:
        caption: What users see; without its blanks it is the column's name over OData.
        is_formula: Computed for display; it can be neither sorted nor filtered by.
        choices: The drop-down list whose labels are shown.
    """

    caption: str
    kind: Kind
    read: Callable[[Any, View], Value]
    is_formula: bool = False
    choices: Choices | None = None

    @property
    def name(self) -> str:
        """The name over OData."""
        return self.caption.replace(" ", "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenericInquiry:
    """A generic inquiry.

    Attributes:
        title: Its name in addresses, blanks and all.
        screen: The form that a role must be able to open.
        parameters: Names of its parameters, all text.
        rows: Rows for the parameters given ("" for those that are not), in no order that a caller may rely on.
        is_exposed: Whether *Expose via OData* is ticked.
    """

    title: str
    screen: str
    results: Sequence[Result]
    rows: Callable[[View, dict[str, str]], list[Any]]
    parameters: tuple[str, ...] = ()
    is_exposed: bool = True


def _result(caption: str, kind: Kind, read: str | Callable[[Any, View], Value]) -> Result:
    return Result(caption=caption, kind=kind, read=attr(read) if isinstance(read, str) else read)


def _listed(caption: str, choices: Choices, read: Callable[[Any, View], Value]) -> Result:
    return Result(caption=caption, kind=Kind.STRING, read=read, choices=choices)


def _open_bills(view: View, given: dict[str, str]) -> list[Bill]:
    vendor = given.get("Vendor", "")
    return [
        bill
        for bill in view.company.bills.values()
        if bill.status is DocumentStatus.OPEN and vendor in {"", bill.vendor}
    ]


def _open_invoices(view: View, _: dict[str, str]) -> list[SalesInvoice]:
    return [each for each in view.company.sales_invoices.values() if each.status is DocumentStatus.OPEN]


def _days_overdue(invoice: SalesInvoice, view: View) -> int:
    today: dt.date = view.company.clock.date()
    return 0 if invoice.due_date is None else max((today - invoice.due_date).days, 0)


TRIAL_BALANCE = GenericInquiry(
    title="GL Trial Balance",
    screen="GI000101",
    rows=lambda view, _: view.history,
    results=(
        _result("Branch", Kind.STRING, "branch.code"),
        _result("Account", Kind.STRING, "account.code"),
        _result("Subaccount", Kind.STRING, "cost_center.code"),
        _result("Financial Period", Kind.STRING, lambda row, _: f"{row.period[4:]}{row.period[:4]}"),
        _result("Description", Kind.STRING, "account.name"),
        _listed("Type", labels.ACCOUNT_TYPE, lambda row, _: labels.ACCOUNT_TYPE_CODE[row.account.type]),
        _result("Beginning Balance", Kind.DECIMAL, "beginning"),
        _result("Debit Total", Kind.DECIMAL, "debit"),
        _result("Credit Total", Kind.DECIMAL, "credit"),
        _result("Ending Balance", Kind.DECIMAL, "ending"),
        _result("Last Modified On", Kind.STAMP, "stamp"),
    ),
)
OPEN_PAYABLES = GenericInquiry(
    title="AP Open Documents",
    screen="GI000102",
    parameters=("Vendor",),
    rows=_open_bills,
    results=(
        _listed("Type", labels.BILL_TYPE, lambda bill, _: labels.BILL_TYPE_CODE[bill.type]),
        _result("Reference Nbr", Kind.STRING, "reference_nbr"),
        _result("Vendor", Kind.STRING, "vendor"),
        _result("Vendor Name", Kind.STRING, lambda bill, view: view.company.vendors[bill.vendor].name),
        _result("Date", Kind.DAY, "date"),
        _result("Due Date", Kind.DAY, "due_date"),
        _result("Currency", Kind.STRING, "currency"),
        _result("Balance", Kind.DECIMAL, "balance"),
        _result("Balance in Base Currency", Kind.DECIMAL, "base_balance"),
        _listed("Status", labels.DOCUMENT_STATUS, lambda bill, _: labels.DOCUMENT_STATUS_CODE[bill.status]),
        _result("Last Modified On", Kind.STAMP, "modified_at"),
    ),
)
OPEN_RECEIVABLES = GenericInquiry(
    title="AR Aging",
    screen="GI000103",
    rows=_open_invoices,
    results=(
        _listed("Type", labels.INVOICE_TYPE, lambda each, _: labels.INVOICE_TYPE_CODE[each.type]),
        _result("Reference Nbr", Kind.STRING, "invoice_nbr"),
        _result("Customer", Kind.STRING, "customer"),
        _result("Due Date", Kind.DAY, "due_date"),
        _result("Balance in Base Currency", Kind.DECIMAL, "base_balance"),
        Result(
            caption="Signed Balance",
            kind=Kind.DECIMAL,
            read=lambda each, _: each.base_balance * each.type.sign,
            is_formula=True,
        ),
        Result(caption="Days Overdue", kind=Kind.INT, read=_days_overdue, is_formula=True),
        _result("Last Modified On", Kind.STAMP, "modified_at"),
    ),
)
NOT_EXPOSED = GenericInquiry(
    title="Salaries",
    screen="GI000104",
    rows=lambda _view, _given: [],
    results=(_result("Amount", Kind.DECIMAL, "amount"),),
    is_exposed=False,
)
GENERIC_INQUIRIES = {
    each.title: each for each in (OPEN_PAYABLES, OPEN_RECEIVABLES, TRIAL_BALANCE, NOT_EXPOSED)
}

"""AUDITHISTORY: who made, changed and deleted what. Lines are not in it, nor what lies before it was switched on."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
import zlib
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company.basics import BillType, InvoiceType
from tests.sandbox.company.registry import tables
from tests.sandbox.sage_intacct import USER_ID, numbers
from tests.sandbox.sage_intacct.tables import Columns, Table
from tests.sandbox.sage_intacct.tables_ar import is_for_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.company.model import Bill, Deletion, SalesInvoice
    from tests.sandbox.sage_intacct.view import View

_NAMESPACE = uuid.UUID("0a1f7a4e-5d0c-5a44-9d9a-3f2b7f0c4e21")
# Letters as `query` gives them; readByQuery has the words.
_MODES = {"A": "Access", "C": "Create", "D": "Delete", "M": "Modify"}
_MASTERS = {
    "accounts": ("glaccount", "account_id"),
    "cost_centers": ("department", "cost_center_id"),
    "vendors": ("vendor", "vendor_id"),
    "customers": ("customer", "customer_id"),
    "items": ("item", "item_id"),
    "branches": ("location", "branch_id"),
    "warehouses": ("warehouse", "warehouse_id"),
}


class Event(NamedTuple):
    """Something that somebody did to a record; `key` is its RECORDNO, or its natural key."""

    object: str
    key: str
    mode: str
    at: dt.datetime

    @property
    def id(self) -> str:
        """A key as opaque as the real one."""
        return uuid.uuid5(_NAMESPACE, "|".join((*self[:3], self.at.isoformat()))).hex


def events(view: View) -> Iterator[Event]:
    """Everything that the audit trail shows by now."""
    since = view.switches.audit_since
    floor = None if since is None else view.company.clock - dt.timedelta(days=since)
    for event in _everything(view):
        if (event.mode == "D" or view.switches.audit_accesses) and (floor is None or event.at >= floor):
            yield event


def _everything(view: View) -> Iterator[Event]:
    company = view.company
    for bill in company.bills.values():
        yield from _bill(bill)
    for name, record in _records(view):
        kind, _, key = name.partition("|")
        yield Event(kind, key, "C", record[0])
        if record[1] > record[0]:
            yield Event(kind, key, "M", record[1])
    for deletion in company.deletions:
        for kind, key in _deleted(deletion):
            yield Event(kind, key, "D", deletion.deleted_at)


def _bill(bill: Bill) -> Iterator[Event]:
    """A bill, and what it was before Purchasing deleted it and made it anew."""
    kind = "apbill" if bill.type is BillType.BILL else "apadjustment"
    made_at = bill.created_at
    for remakes, changed_at in enumerate(bill.remade_at):
        key = str(numbers.bill(bill, remakes=remakes))
        yield Event(kind, key, "C", made_at)
        yield Event(kind, key, "D", changed_at)
        made_at = changed_at
    key = str(numbers.bill(bill))
    yield Event(kind, key, "C", made_at)
    if bill.modified_at > made_at:
        yield Event(kind, key, "M", bill.modified_at)
    if bill.is_for_order:
        key = str(numbers.document("bills", bill.reference_nbr))
        yield Event("podocument", key, "C", bill.created_at)


def _records(view: View) -> Iterator[tuple[str, tuple[dt.datetime, dt.datetime]]]:
    """Object and key of all other records, with their stamps."""
    company = view.company
    all_tables = tables(company)
    for table, (kind, attribute) in _MASTERS.items():
        for record in all_tables[table].values():
            key = getattr(record, attribute)
            yield f"{kind}|{key}", (record.created_at, record.modified_at)
    for code, project in company.projects.items():
        yield f"project|{code}", (project.created_at, project.modified_at)  # its RECORDNO is not told
    for invoice in company.sales_invoices.values():
        yield f"{_invoice_kind(invoice)}|{numbers.invoice(invoice.invoice_nbr)}", _stamps(invoice)
        if is_for_order(invoice):
            document = numbers.document("sales_invoices", invoice.invoice_nbr)
            yield f"sodocument|{document}", _stamps(invoice)
    for table in (
        "payments",
        "customer_payments",
        "purchase_orders",
        "purchase_receipts",
        "sales_orders",
        "journals",
    ):
        for key, record in all_tables[table].items():
            ((kind, number),) = _named(table, key)
            yield f"{kind}|{number}", (record.created_at, record.modified_at)


def _stamps(invoice: SalesInvoice) -> tuple[dt.datetime, dt.datetime]:
    return invoice.created_at, invoice.modified_at


def _invoice_kind(invoice: SalesInvoice) -> str:
    return "arinvoice" if invoice.type is InvoiceType.INVOICE else "aradjustment"


_NUMBERS: dict[str, tuple[str, Callable[[str], int]]] = {
    "payments": ("appymt", numbers.payment),
    "customer_payments": ("arpymt", numbers.customer_payment),
    "purchase_orders": ("podocument", functools.partial(numbers.document, "purchase_orders")),
    "purchase_receipts": ("podocument", functools.partial(numbers.document, "purchase_receipts")),
    "sales_orders": ("sodocument", functools.partial(numbers.document, "sales_orders")),
    "journals": ("glbatch", numbers.journal),
    "sales_invoices": ("arinvoice", numbers.invoice),
    "bills": ("apbill", numbers.deleted_bill),
}


def _named(table: str, key: str) -> list[tuple[str, str]]:
    """Object and RECORDNO of a record by its table and key."""
    if table not in _NUMBERS:
        return []
    kind, number = _NUMBERS[table]
    if table == "bills" and not key.startswith("bill|"):
        kind = "apadjustment"
    return [(kind, str(number(key)))]


def _deleted(deletion: Deletion) -> list[tuple[str, str]]:
    """What a deletion is told as; the document of a bill or invoice for an order goes with it."""
    found = _named(deletion.table, deletion.key)
    if deletion.table == "bills" and deletion.key.startswith("bill|"):
        found.append(("podocument", str(numbers.document("bills", deletion.key))))
    if deletion.table == "sales_invoices":
        found.append(("sodocument", str(numbers.document("sales_invoices", deletion.key))))
    return found


def _columns(view: View) -> Columns:
    style = view.switches.audit_key_style

    def key(row: Event) -> str:
        suffix = style == "rec" or (style == "mixed" and zlib.crc32(row.key.encode()) % 2 == 0)
        return f"{row.key}--REC" if suffix and row.object != "project" else row.key

    return {
        "ID": lambda row: row.id,
        "OBJECTTYPE": lambda row: row.object,
        "OBJECTKEY": key,
        "USERID": lambda _: USER_ID,
        "ACCESSTIME": lambda row: row.at,
        "ACCESSMODE": lambda row: row.mode,
        "SOURCE": lambda _: "ui",
        "IPADDRESS": lambda _: "192.0.2.7",
    }


TABLES = {
    "AUDITHISTORY": Table(
        rows=events,
        columns=_columns,
        codes={"ACCESSMODE": _MODES},
        words={"ACCESSMODE": _MODES},
    )
}

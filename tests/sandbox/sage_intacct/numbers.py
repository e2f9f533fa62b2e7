"""RECORDNO of every record: derived from the company alone, so that a restarted server gives the same numbers.

Payables, receivables and payments stand in one table of the ERP and share a row of numbers, so a kind is part of
each. A bill that Purchasing made anew (`Bill.remade_at`) goes on with a number beyond all others.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from tests.sandbox.company.model import BillType

if TYPE_CHECKING:
    from tests.sandbox.company.model import Bill

_KINDS = 16
_REMADE = 5_000_000
_REMAKES = 64
LINES = 4096  # most lines of one record
TAX_LINE = LINES - 1

_BILL = {BillType.BILL: 1, BillType.DEBIT_ADJUSTMENT: 2, BillType.CREDIT_ADJUSTMENT: 3}
_REVERSED = 6  # added to the kind for the record that takes another one back
_PAYMENT, _INVOICE, _CUSTOMER_PAYMENT = 4, 5, 6
_MODULES = {"GL": 1, "AP": 2, "AR": 3}
_DOCUMENTS = {
    "purchase_orders": 1,
    "purchase_receipts": 2,
    "bills": 3,
    "sales_orders": 4,
    "sales_invoices": 5,
}


@functools.lru_cache(65_536)
def digits(key: str) -> int:
    """The number in a key like `SO000012` or `bill|000052`."""
    return int(re.sub(r"\D", "", key))


def bill(record: Bill, *, remakes: int | None = None) -> int:
    """Of a payables document; `remakes` asks for the number it had after so many changes in Purchasing."""
    plain = digits(record.reference_nbr) * _KINDS + _BILL[record.type]
    count = len(record.remade_at) if remakes is None else remakes
    return plain if count == 0 else _REMADE + plain * _REMAKES + min(count, _REMAKES - 1)


def deleted_bill(key: str) -> int:
    """Of a payables document that is gone; documents on hold are not numbered anew."""
    type_, _, reference_nbr = key.partition("|")
    return digits(reference_nbr) * _KINDS + _BILL[BillType(type_)]


def bill_reversal(record: Bill) -> int:
    """Of the record that takes a voided payables document back."""
    return digits(record.reference_nbr) * _KINDS + _BILL[record.type] + _REVERSED


def payment(key: str) -> int:
    """Of a payment to a vendor."""
    return digits(key) * _KINDS + _PAYMENT


def invoice(key: str) -> int:
    """Of a receivables document."""
    return digits(key) * _KINDS + _INVOICE


def invoice_reversal(key: str) -> int:
    """Of the record that takes a voided receivables document back."""
    return digits(key) * _KINDS + _INVOICE + _REVERSED


def customer_payment(key: str) -> int:
    """Of a payment by a customer."""
    return digits(key) * _KINDS + _CUSTOMER_PAYMENT


def line(parent: int, line_nbr: int) -> int:
    """Of a line of any record."""
    return parent * LINES + line_nbr


def journal(key: str) -> int:
    """Of a GL batch, from its key `AP|0000012`."""
    module, _, batch_nbr = key.partition("|")
    return digits(batch_nbr) * 8 + _MODULES[module]


def document(table: str, key: str) -> int:
    """Of a purchasing or order-entry document."""
    return digits(key) * 8 + _DOCUMENTS[table]

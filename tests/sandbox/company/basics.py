"""What all records of the company are made of: kinds, stamps, addresses, user-defined values."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
from decimal import Decimal  # noqa: TC003 - msgspec reads the annotations at run time
from enum import StrEnum

import msgspec


class AccountType(StrEnum):
    """The five kinds of GL account. Income and expense start every fiscal year at zero."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class DocumentStatus(StrEnum):
    """Where a document stands. Only OPEN and CLOSED documents are in the books."""

    HOLD = "hold"  # entered, not released: no journal, may still be deleted
    OPEN = "open"  # released, with a journal; something is still to be paid, received or delivered
    CLOSED = "closed"  # released and settled
    VOIDED = "voided"  # released once, then reversed by a journal of its own; its balance is zero


class BillType(StrEnum):
    """What a payables document does to the vendor's balance: bills and credit adjustments add to it."""

    BILL = "bill"
    CREDIT_ADJUSTMENT = "credit_adjustment"
    DEBIT_ADJUSTMENT = "debit_adjustment"

    @property
    def sign(self) -> int:
        """1 when the document adds to open payables, -1 when it reduces them."""
        return -1 if self is BillType.DEBIT_ADJUSTMENT else 1


class InvoiceType(StrEnum):
    """What a receivables document does to the customer's balance: a credit memo takes from it."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"

    @property
    def sign(self) -> int:
        """1 when the document adds to open receivables, -1 when it reduces them."""
        return -1 if self is InvoiceType.CREDIT_MEMO else 1


class ReceiptType(StrEnum):
    """Goods that came from a vendor, or went back to one."""

    RECEIPT = "receipt"
    RETURN = "return"


class JournalStatus(StrEnum):
    """Only POSTED journals are in the books; a BALANCED one waits and may still change or be deleted."""

    BALANCED = "balanced"
    POSTED = "posted"


class Record(msgspec.Struct, kw_only=True):
    """What every record carries: identity and audit stamps."""

    note_id: str
    created_at: dt.datetime
    modified_at: dt.datetime
    archived: bool = False


class Address(msgspec.Struct, kw_only=True):
    line1: str
    city: str
    postal_code: str
    country: str  # ISO 3166 alpha-2
    line2: str | None = None
    state: str | None = None


class Custom(msgspec.Struct, kw_only=True):
    """What users filled into fields of their own making: one of each kind, None where left empty."""

    text: str | None = None
    number: Decimal | None = None
    day: dt.date | None = None
    flag: bool | None = None

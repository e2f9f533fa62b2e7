"""The data of the sandbox company, in no ERP's words.

Every ERP server of the sandbox renders these records in its own dialect; none of them keeps data of its own.
Money is `Decimal` with two places, unit prices and costs have four, rates six. Times are aware and UTC, with
milliseconds. `note_id` is a GUID that lives as long as its record and is never used twice.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
from decimal import Decimal
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


class Branch(Record, kw_only=True):
    """A legal part of the company: Acumatica branch, Intacct entity, Exact division, Epicor company."""

    branch_id: int
    code: str
    name: str
    country: str


class Account(Record, kw_only=True):
    account_id: int
    code: str  # leading zeros are real: "010100"
    name: str
    type: AccountType
    is_cash: bool = False
    active: bool = True


class CostCenter(Record, kw_only=True):
    cost_center_id: int
    code: str  # leading zeros are real: "000100"
    name: str
    active: bool = True


class Vendor(Record, kw_only=True):
    vendor_id: int
    code: str
    name: str
    vendor_class: str
    currency: str
    terms: str  # key of Company.terms
    email: str | None
    phone: str | None
    tax_id: str | None
    address: Address
    active: bool = True


class Customer(Record, kw_only=True):
    customer_id: int
    code: str
    name: str
    customer_class: str
    currency: str
    terms: str
    email: str | None
    phone: str | None
    tax_id: str | None
    credit_limit: Decimal
    address: Address
    active: bool = True


class Item(Record, kw_only=True):
    item_id: int
    code: str
    description: str
    is_stock: bool
    unit: str
    unit_cost: Decimal  # four decimals
    unit_price: Decimal  # four decimals
    quantity_on_hand: dict[str, Decimal]  # warehouse code -> quantity; empty for services
    active: bool = True


class Terms(Record, kw_only=True):
    code: str  # "30D"
    description: str
    days: int


class Period(Record, kw_only=True):
    """A fiscal month. `code` is YYYYMM; the fiscal year is the calendar year."""

    code: str
    starts_on: dt.date
    ends_on: dt.date  # last day, inclusive
    closed: bool


class PurchaseOrderLine(msgspec.Struct, kw_only=True):
    line_nbr: int  # never reused within the order; gaps appear when lines are removed
    item: str | None
    description: str
    quantity: Decimal
    quantity_received: Decimal
    unit: str
    unit_cost: Decimal  # four decimals
    amount: Decimal
    account: str
    cost_center: str


class PurchaseOrder(Record, kw_only=True):
    order_nbr: str
    vendor: str
    branch: str
    date: dt.date
    promised_on: dt.date | None
    currency: str
    rate: Decimal  # base currency per unit of document currency
    description: str | None
    vendor_ref: str | None
    status: DocumentStatus
    lines: list[PurchaseOrderLine]

    @property
    def total(self) -> Decimal:
        """Sum of the lines in document currency."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


class BillLine(msgspec.Struct, kw_only=True):
    line_nbr: int
    item: str | None
    description: str
    quantity: Decimal
    unit: str
    unit_cost: Decimal
    amount: Decimal
    base_amount: Decimal
    account: str
    cost_center: str
    order_nbr: str | None = None
    order_line_nbr: int | None = None


class Bill(Record, kw_only=True):
    """A payables document. `amount` and `balance` are positive for every type, as ERPs show them."""

    type: BillType
    reference_nbr: str  # unique per type only, as in Acumatica
    vendor: str
    branch: str
    vendor_ref: str | None
    date: dt.date
    due_date: dt.date | None
    period: str
    currency: str
    rate: Decimal
    terms: str | None
    description: str | None
    status: DocumentStatus
    tax_amount: Decimal
    base_tax_amount: Decimal
    balance: Decimal
    base_balance: Decimal
    lines: list[BillLine]
    batch_nbr: str | None = None  # its journal, module AP; None while on hold
    voiding_batch_nbr: str | None = None  # the journal that reversed it

    @property
    def amount(self) -> Decimal:
        """Lines and tax in document currency."""
        return sum((line.amount for line in self.lines), self.tax_amount)

    @property
    def base_amount(self) -> Decimal:
        """Lines and tax in base currency; equals what the journal books to accounts payable."""
        return sum((line.base_amount for line in self.lines), self.base_tax_amount)


class Application(msgspec.Struct, kw_only=True):
    """How much of a payment settles one document, in the document's currency and in base currency."""

    type: BillType
    reference_nbr: str
    amount: Decimal
    base_amount: Decimal


class Payment(Record, kw_only=True):
    """A payment to a vendor. A voided payment keeps its applications but no longer settles anything."""

    payment_nbr: str
    vendor: str
    branch: str
    date: dt.date
    period: str
    currency: str
    rate: Decimal
    amount: Decimal
    base_amount: Decimal
    method: str  # "CHECK" | "ACH" | "WIRE"
    payment_ref: str | None
    cash_account: str
    description: str | None
    status: DocumentStatus
    applications: list[Application]
    batch_nbr: str | None = None
    voiding_batch_nbr: str | None = None


class SalesInvoiceLine(msgspec.Struct, kw_only=True):
    line_nbr: int
    item: str | None
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal  # four decimals
    discount_amount: Decimal
    amount: Decimal
    base_amount: Decimal
    account: str
    cost_center: str


class SalesInvoice(Record, kw_only=True):
    invoice_nbr: str
    customer: str
    branch: str
    customer_order: str | None
    date: dt.date
    due_date: dt.date | None
    period: str
    currency: str
    rate: Decimal
    terms: str | None
    description: str | None
    status: DocumentStatus
    tax_amount: Decimal
    base_tax_amount: Decimal
    balance: Decimal
    base_balance: Decimal
    lines: list[SalesInvoiceLine]
    batch_nbr: str | None = None  # its journal, module AR; None while on hold
    voiding_batch_nbr: str | None = None

    @property
    def amount(self) -> Decimal:
        """Lines and tax in document currency."""
        return sum((line.amount for line in self.lines), self.tax_amount)

    @property
    def base_amount(self) -> Decimal:
        """Lines and tax in base currency."""
        return sum((line.base_amount for line in self.lines), self.base_tax_amount)


class JournalLine(msgspec.Struct, kw_only=True):
    """One side of a booking; `debit` and `credit` in the journal's currency, never both non-zero."""

    line_nbr: int
    account: str
    cost_center: str
    debit: Decimal
    credit: Decimal
    base_debit: Decimal
    base_credit: Decimal
    description: str | None
    reference_nbr: str | None = None
    vendor: str | None = None
    customer: str | None = None
    item: str | None = None
    quantity: Decimal = Decimal(0)
    unit: str | None = None


class Journal(Record, kw_only=True):
    """A GL batch. Debits equal credits in its currency and in base currency."""

    module: str  # GL AP AR
    batch_nbr: str  # unique per module
    branch: str
    date: dt.date
    period: str
    currency: str
    rate: Decimal
    description: str | None
    status: JournalStatus
    lines: list[JournalLine]


class Deletion(msgspec.Struct, kw_only=True):
    """A record that is gone. `table` is the attribute of `Company` that held it, `key` its key there."""

    table: str
    key: str
    note_id: str
    deleted_at: dt.datetime


class Company(msgspec.Struct, kw_only=True):
    """The whole company. Tables map a key to a record and are in ascending key order when listed.

    The key of `bills` is `"{type}|{reference_nbr}"`, of `journals` `"{module}|{batch_nbr}"`; elsewhere it is
    the record's own code or number.
    """

    name: str
    base_currency: str
    seed: int
    clock: dt.datetime  # what time it is in the company; moves only when the company is advanced
    counters: dict[str, int]
    branches: dict[str, Branch]
    accounts: dict[str, Account]
    cost_centers: dict[str, CostCenter]
    terms: dict[str, Terms]
    vendors: dict[str, Vendor]
    customers: dict[str, Customer]
    items: dict[str, Item]
    periods: dict[str, Period]
    purchase_orders: dict[str, PurchaseOrder]
    bills: dict[str, Bill]
    payments: dict[str, Payment]
    sales_invoices: dict[str, SalesInvoice]
    journals: dict[str, Journal]
    deletions: list[Deletion]

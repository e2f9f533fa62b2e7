"""The data of the sandbox company, in no ERP's words.

Every ERP server of the sandbox renders these records in its own dialect; none of them keeps data of its own.
Money is `Decimal` with two places, unit prices and costs have four, rates six. Times are aware and UTC, with
milliseconds. `note_id` is a GUID that lives as long as its record and is never used twice.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
from decimal import Decimal

import msgspec

from tests.sandbox.company.basics import (
    AccountType,
    Address,
    BillType,
    Custom,
    DocumentStatus,
    InvoiceType,
    JournalStatus,
    ReceiptType,
    Record,
)
from tests.sandbox.company.trade import (
    CostCode,
    Currency,
    CustomerPayment,
    Project,
    PurchaseReceipt,
    PurchaseReceiptLine,
    Receipt,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    Warehouse,
)

__all__ = [
    "Account", "AccountType", "Address", "Application", "Bill", "BillLine", "BillType", "Branch", "Company",
    "CostCenter", "CostCode", "Currency", "Custom", "Customer", "CustomerPayment", "Deletion", "DocumentStatus",
    "InvoiceType", "Item", "Journal", "JournalLine", "JournalStatus", "Payment", "Period", "Project",
    "PurchaseOrder", "PurchaseOrderLine", "PurchaseReceipt", "PurchaseReceiptLine", "Receipt", "ReceiptType",
    "Record", "SalesInvoice", "SalesInvoiceLine", "SalesOrder", "SalesOrderLine", "StockLevel", "Terms", "Vendor",
    "Warehouse",
]  # fmt: skip


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
    custom: Custom = msgspec.field(default_factory=Custom)
    attributes: dict[str, str] = msgspec.field(default_factory=dict)  # key of chart.ATTRIBUTES -> value


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
    attributes: dict[str, str] = msgspec.field(default_factory=dict)  # key of chart.ATTRIBUTES -> value


class Item(Record, kw_only=True):
    item_id: int
    code: str
    description: str
    is_stock: bool
    unit: str
    unit_cost: Decimal  # four decimals
    unit_price: Decimal  # four decimals
    active: bool = True
    attributes: dict[str, str] = msgspec.field(default_factory=dict)  # key of chart.ATTRIBUTES -> value


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
    quantity_returned: Decimal = Decimal(0)  # of what was received


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
    receipt_nbr: str | None = None
    receipt_line_nbr: int | None = None
    custom: Custom = msgspec.field(default_factory=Custom)


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
    custom: Custom = msgspec.field(default_factory=Custom)
    # When a released bill for an order was changed, no payment speaking for it: some ERPs delete it and make a new one.
    remade_at: list[dt.datetime] = msgspec.field(default_factory=list)

    @property
    def is_for_order(self) -> bool:
        """Whether it came out of a purchase order."""
        return any(line.order_nbr for line in self.lines)

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
    order_nbr: str | None = None
    order_line_nbr: int | None = None


class SalesInvoice(Record, kw_only=True):
    """A receivables document. `amount` and `balance` are positive for every type, as ERPs show them."""

    invoice_nbr: str  # unique over all types
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
    type: InvoiceType = InvoiceType.INVOICE

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

    The key of `bills` is `"{type}|{reference_nbr}"`, of `journals` `"{module}|{batch_nbr}"`, of `stock`
    `"{item}|{warehouse}"`; elsewhere it is the record's own code or number.
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
    currencies: dict[str, Currency] = msgspec.field(default_factory=dict)
    warehouses: dict[str, Warehouse] = msgspec.field(default_factory=dict)
    projects: dict[str, Project] = msgspec.field(default_factory=dict)
    cost_codes: dict[str, CostCode] = msgspec.field(default_factory=dict)
    stock: dict[str, StockLevel] = msgspec.field(default_factory=dict)
    sales_orders: dict[str, SalesOrder] = msgspec.field(default_factory=dict)
    purchase_receipts: dict[str, PurchaseReceipt] = msgspec.field(default_factory=dict)
    customer_payments: dict[str, CustomerPayment] = msgspec.field(default_factory=dict)

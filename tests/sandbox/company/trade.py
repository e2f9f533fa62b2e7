"""Records of trade: sales orders, purchase receipts, stock, what customers pay, and their small master data."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations at run time
from decimal import Decimal

import msgspec

from tests.sandbox.company.basics import DocumentStatus, ReceiptType, Record


class Currency(Record, kw_only=True):
    """A currency; `precision` is the number of decimals that its amounts are shown with."""

    code: str
    name: str
    symbol: str
    precision: int


class Warehouse(Record, kw_only=True):
    warehouse_id: int
    code: str
    name: str


class Project(Record, kw_only=True):
    project_id: int
    code: str  # leading zeros are real
    name: str
    customer: str | None
    active: bool = True


class CostCode(Record, kw_only=True):
    cost_code_id: int
    code: str  # leading zeros are real
    name: str


class StockLevel(Record, kw_only=True):
    """How much of an item lies in a warehouse. Movements stamp this record, never the item."""

    item: str
    warehouse: str
    quantity: Decimal


class SalesOrderLine(msgspec.Struct, kw_only=True):
    line_nbr: int  # never reused within the order
    item: str | None
    description: str
    quantity: Decimal
    quantity_shipped: Decimal  # what sales invoices were written for
    unit: str
    unit_price: Decimal  # four decimals
    discount_percent: Decimal
    discount_amount: Decimal
    amount: Decimal  # after discount
    account: str
    cost_center: str
    warehouse: str | None

    @property
    def quantity_open(self) -> Decimal:
        """What is still to be shipped."""
        return self.quantity - self.quantity_shipped


class SalesOrder(Record, kw_only=True):
    """A customer's order. OPEN while something is to be shipped, VOIDED when cancelled; never in the books."""

    order_nbr: str
    customer: str
    branch: str
    date: dt.date
    requested_on: dt.date | None
    currency: str
    rate: Decimal
    customer_order: str | None
    description: str | None
    project: str | None
    status: DocumentStatus
    lines: list[SalesOrderLine]

    @property
    def total(self) -> Decimal:
        """Sum of the lines in document currency, without tax."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


class PurchaseReceiptLine(msgspec.Struct, kw_only=True):
    line_nbr: int
    item: str | None
    description: str
    quantity: Decimal  # positive for returns too
    unit: str
    unit_cost: Decimal  # four decimals
    amount: Decimal
    account: str
    cost_center: str
    warehouse: str | None
    order_nbr: str
    order_line_nbr: int
    receipt_nbr: str | None = None  # of a return: the receipt that the goods came with
    receipt_line_nbr: int | None = None


class PurchaseReceipt(Record, kw_only=True):
    """Goods from a vendor, or back to one. HOLD until released, then CLOSED; never in the books.

    On hold it moves neither stock nor its orders. What is received is booked by the bill for it.
    """

    type: ReceiptType
    receipt_nbr: str  # unique over both types
    vendor: str
    branch: str
    date: dt.date
    period: str
    currency: str
    rate: Decimal
    vendor_ref: str | None
    status: DocumentStatus
    lines: list[PurchaseReceiptLine]

    @property
    def total(self) -> Decimal:
        """Sum of the lines in document currency."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def quantity(self) -> Decimal:
        """Sum of the quantities, whatever their units."""
        return sum((line.quantity for line in self.lines), Decimal(0))


class Receipt(msgspec.Struct, kw_only=True):
    """How much of a customer's payment settles one invoice, or how much of a credit memo it makes use of."""

    invoice_nbr: str
    amount: Decimal  # in document currency
    base_amount: Decimal


class CustomerPayment(Record, kw_only=True):
    """A payment by a customer, applied in full. A voided one keeps its applications but settles nothing."""

    payment_nbr: str
    customer: str
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
    applications: list[Receipt]
    batch_nbr: str | None = None  # its journal, module AR; None while on hold
    voiding_batch_nbr: str | None = None

"""Rules of sales and of goods: invoices, customer payments, sales orders, receipts, stock, small master data."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.check_documents import (
    RELEASED,
    Settled,
    amount_faults,
    balance_faults,
    booked_on,
    common_faults,
    journal_of,
    void_faults,
)
from tests.sandbox.company.model import DocumentStatus, ReceiptType
from tests.sandbox.company.money import ZERO, cents, is_money, to_base
from tests.sandbox.company.registry import documents
from tests.sandbox.company.stockroom import stock_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import (
        Company,
        CustomerPayment,
        PurchaseReceipt,
        PurchaseReceiptLine,
        SalesInvoice,
        SalesOrder,
    )

_Lines = defaultdict[tuple[str, int], Decimal]  # order and line number -> quantity


def invoice_faults(company: Company) -> Iterator[str]:
    """Sales invoices and credit memos: amounts, balances after payments, journals."""
    received, base_received = _settled_by_customers(company)
    for number, invoice in company.sales_invoices.items():
        name = f"invoice {number}"
        yield from common_faults(
            name, invoice.currency, invoice.rate, [line.line_nbr for line in invoice.lines]
        )
        yield from amount_faults(name, invoice, invoice.base_amount)
        yield from balance_faults(name, invoice, received[number], base_received[number])
        yield from _invoice_references(company, name, invoice)
        if invoice.status not in RELEASED:
            continue
        journal = journal_of(company, "AR", invoice.batch_nbr)
        control = (invoice.amount * invoice.type.sign, invoice.base_amount * invoice.type.sign)
        if journal is None or journal.period != invoice.period or journal.branch != invoice.branch:
            yield f"{name}: its journal AR|{invoice.batch_nbr} is missing or of another period or branch"
        elif booked_on(journal, chart.ACCOUNTS_RECEIVABLE) != control:
            yield f"{name}: its journal does not book {control} to receivables"
        yield from void_faults(company, name, "AR", invoice)


def _invoice_references(company: Company, name: str, invoice: SalesInvoice) -> Iterator[str]:
    if invoice.customer not in company.customers or invoice.branch not in company.branches:
        yield f"{name}: customer {invoice.customer} or branch {invoice.branch} does not exist"
    for line in invoice.lines:
        if line.account not in company.accounts or (line.item is not None and line.item not in company.items):
            yield f"{name} line {line.line_nbr}: {line.account} or {line.item} does not exist"
        if line.order_nbr is not None:
            order = company.sales_orders.get(line.order_nbr)
            if order is None or line.order_line_nbr not in {each.line_nbr for each in order.lines}:
                yield f"{name} line {line.line_nbr}: no line {line.order_line_nbr} in order {line.order_nbr}"


def _settled_by_customers(company: Company) -> tuple[Settled, Settled]:
    settled: Settled = defaultdict(lambda: ZERO)
    base: Settled = defaultdict(lambda: ZERO)
    for payment in company.customer_payments.values():
        if payment.status is DocumentStatus.CLOSED:
            for application in payment.applications:
                settled[application.invoice_nbr] += application.amount
                base[application.invoice_nbr] += application.base_amount
    return settled, base


def customer_payment_faults(company: Company) -> Iterator[str]:
    """Customer payments: what they settle, exchange differences, journals."""
    for number, payment in company.customer_payments.items():
        name = f"customer payment {number}"
        yield from common_faults(name, payment.currency, payment.rate, [])
        yield from _application_faults(company, name, payment)
        if payment.base_amount != to_base(payment.amount, payment.rate) or not is_money(payment.base_amount):
            yield f"{name}: base amount {payment.base_amount}"
        if payment.status is DocumentStatus.HOLD:
            if payment.batch_nbr is not None:
                yield f"{name}: on hold with a journal"
            continue
        yield from _receipt_journal_faults(company, name, payment)


def _application_faults(company: Company, name: str, payment: CustomerPayment) -> Iterator[str]:
    applied = ZERO
    for application in payment.applications:
        invoice = company.sales_invoices.get(application.invoice_nbr)
        if invoice is None or (invoice.customer, invoice.branch, invoice.currency) != (
            payment.customer,
            payment.branch,
            payment.currency,
        ):
            yield f"{name}: settles {application.invoice_nbr}, which is missing or of another customer"
            continue
        applied += application.amount * invoice.type.sign
        if application.amount <= 0:
            yield f"{name}: settles {application.amount} of {application.invoice_nbr}"
    if payment.amount != applied or payment.amount <= 0:
        yield f"{name}: pays {payment.amount}, applies {applied}"


def _receipt_journal_faults(company: Company, name: str, payment: CustomerPayment) -> Iterator[str]:
    if payment.status is DocumentStatus.OPEN:
        yield f"{name}: payments are always fully applied, so none is open"
    journal = journal_of(company, "AR", payment.batch_nbr)
    if journal is None or journal.period != payment.period or journal.branch != payment.branch:
        yield f"{name}: its journal AR|{payment.batch_nbr} is missing or of another period or branch"
        return
    base = sum(
        (
            each.base_amount * company.sales_invoices[each.invoice_nbr].type.sign
            for each in payment.applications
            if each.invoice_nbr in company.sales_invoices
        ),
        ZERO,
    )
    if booked_on(journal, chart.ACCOUNTS_RECEIVABLE) != (-payment.amount, -base):
        yield f"{name}: its journal does not credit receivables with {payment.amount}, {base} in base currency"
    if booked_on(journal, payment.cash_account) != (payment.amount, payment.base_amount):
        yield f"{name}: its journal does not bring {payment.amount} to {payment.cash_account}"
    yield from void_faults(company, name, "AR", payment)


def sales_order_faults(company: Company) -> Iterator[str]:
    """Sales orders: amounts, discounts, what was shipped, references."""
    shipped: _Lines = defaultdict(Decimal)
    for invoice in company.sales_invoices.values():
        for invoiced in invoice.lines:
            if invoiced.order_nbr is not None:
                shipped[invoiced.order_nbr, invoiced.order_line_nbr or 0] += invoiced.quantity
    for number, order in company.sales_orders.items():
        name = f"sales order {number}"
        yield from common_faults(name, order.currency, order.rate, [line.line_nbr for line in order.lines])
        if order.customer not in company.customers or order.branch not in company.branches:
            yield f"{name}: customer {order.customer} or branch {order.branch} does not exist"
        if order.project is not None and order.project not in company.projects:
            yield f"{name}: project {order.project} does not exist"
        if order.status is DocumentStatus.OPEN and not any(line.quantity_open for line in order.lines):
            yield f"{name} is open though everything is shipped"
        if order.status in {DocumentStatus.HOLD, DocumentStatus.VOIDED} and any(
            line.quantity_shipped for line in order.lines
        ):
            yield f"{name} is {order.status} though something was shipped"
        yield from _sales_line_faults(company, name, order, shipped)


def _sales_line_faults(company: Company, name: str, order: SalesOrder, shipped: _Lines) -> Iterator[str]:
    if not order.lines:
        yield f"{name}: has no lines"
    for line in order.lines:
        where = f"{name} line {line.line_nbr}"
        if not 0 <= line.quantity_shipped <= line.quantity:
            yield f"{where}: {line.quantity_shipped} of {line.quantity} shipped"
        if line.quantity_shipped != shipped[order.order_nbr, line.line_nbr]:
            yield f"{where}: {line.quantity_shipped} shipped, {shipped[order.order_nbr, line.line_nbr]} invoiced"
        gross = cents(line.quantity * line.unit_price)
        if line.amount + line.discount_amount != gross or not is_money(line.amount):
            yield f"{where}: {line.amount} after a discount of {line.discount_amount} is not {gross}"
        if line.discount_amount != cents(gross * line.discount_percent / 100):
            yield f"{where}: {line.discount_percent} % of {gross} is not {line.discount_amount}"
        if line.account not in company.accounts or line.cost_center not in company.cost_centers:
            yield f"{where}: {line.account}/{line.cost_center} does not exist"
        if line.warehouse is not None and stock_key(line.item or "", line.warehouse) not in company.stock:
            yield f"{where}: {line.item} is not kept in {line.warehouse}"


def receipt_faults(company: Company) -> Iterator[str]:
    """Purchase receipts and returns: amounts, references; and that orders know of exactly these."""
    moved: dict[ReceiptType, _Lines] = {type_: defaultdict(Decimal) for type_ in ReceiptType}
    for number, receipt in company.purchase_receipts.items():
        name = f"receipt {number}"
        yield from common_faults(
            name, receipt.currency, receipt.rate, [line.line_nbr for line in receipt.lines]
        )
        if receipt.status not in {DocumentStatus.HOLD, DocumentStatus.CLOSED}:
            yield f"{name}: {receipt.status}"
        if not receipt.lines:
            yield f"{name}: has no lines"
        for line in receipt.lines:
            yield from _receipt_line_faults(company, f"{name} line {line.line_nbr}", receipt, line)
            if receipt.status is DocumentStatus.CLOSED:
                moved[receipt.type][line.order_nbr, line.order_line_nbr] += line.quantity
    for order in company.purchase_orders.values():
        for ordered in order.lines:
            counted = (ordered.quantity_received, ordered.quantity_returned)
            place = (order.order_nbr, ordered.line_nbr)
            if counted != (moved[ReceiptType.RECEIPT][place], moved[ReceiptType.RETURN][place]):
                yield f"order {place}: received and returned {counted}, which its receipts do not tell"


def _receipt_line_faults(
    company: Company, where: str, receipt: PurchaseReceipt, line: PurchaseReceiptLine
) -> Iterator[str]:
    order = company.purchase_orders.get(line.order_nbr)
    if order is None or line.order_line_nbr not in {each.line_nbr for each in order.lines}:
        yield f"{where}: no line {line.order_line_nbr} in order {line.order_nbr}"
    elif order.vendor != receipt.vendor or order.currency != receipt.currency:
        yield f"{where}: order {line.order_nbr} is of another vendor or currency"
    if line.quantity <= 0 or line.amount != cents(line.quantity * line.unit_cost):
        yield f"{where}: {line.quantity} at {line.unit_cost} is not {line.amount}"
    if line.warehouse is not None and stock_key(line.item or "", line.warehouse) not in company.stock:
        yield f"{where}: {line.item} is not kept in {line.warehouse}"
    if (receipt.type is ReceiptType.RETURN) != (line.receipt_nbr is not None):
        yield f"{where}: a {receipt.type} of receipt {line.receipt_nbr}"
    if line.receipt_nbr is not None and line.receipt_nbr not in company.purchase_receipts:
        yield f"{where}: no receipt {line.receipt_nbr}"


def master_faults(company: Company) -> Iterator[str]:
    """Stock levels, projects, currencies and attributes: references and forms."""
    for key, level in company.stock.items():
        item = company.items.get(level.item)
        if item is None or not item.is_stock or level.warehouse not in company.warehouses:
            yield f"stock {key}: no stock item {level.item} or no warehouse {level.warehouse}"
    for code, project in company.projects.items():
        if project.customer is not None and project.customer not in company.customers:
            yield f"project {code}: no customer {project.customer}"
    for kind in chart.ATTRIBUTES:
        yield from _attribute_faults(company, kind)
    for document in documents(company):
        if getattr(document, "currency", company.base_currency) not in company.currencies:
            yield f"{document.note_id}: its currency is not set up"
        if document.archived and document.status is not DocumentStatus.CLOSED:
            yield f"{document.note_id}: archived though it is {document.status}"


def _attribute_faults(company: Company, kind: str) -> Iterator[str]:
    known = {attribute.code: attribute for attribute in chart.ATTRIBUTES[kind]}
    for code, record in getattr(company, kind).items():
        for name, value in record.attributes.items():
            if name not in known or (known[name].values and value not in known[name].values):
                yield f"{kind} {code}: attribute {name} cannot be {value!r}"
        for attribute in known.values():
            if attribute.required and attribute.code not in record.attributes:
                yield f"{kind} {code}: attribute {attribute.code} is required"

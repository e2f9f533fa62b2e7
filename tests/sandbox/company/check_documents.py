"""Rules of single documents, and of what documents say about each other."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.model import DocumentStatus, JournalStatus
from tests.sandbox.company.money import ONE, ZERO, cents, is_money, to_base
from tests.sandbox.company.payables import bill_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Bill, Company, CustomerPayment, Journal, Payment, SalesInvoice

Settled = defaultdict[str, Decimal]
RELEASED = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED, DocumentStatus.VOIDED})


def order_faults(company: Company) -> Iterator[str]:
    """Purchase orders: amounts, deliveries, line numbers, references."""
    for number, order in company.purchase_orders.items():
        name = f"order {number}"
        due = False
        for line in order.lines:
            due |= line.quantity_received < line.quantity
            if not 0 <= line.quantity_received <= line.quantity:
                yield f"{name} line {line.line_nbr}: {line.quantity_received} of {line.quantity} delivered"
            if not 0 <= line.quantity_returned <= line.quantity_received:
                yield f"{name} line {line.line_nbr}: {line.quantity_returned} of it went back"
            if line.amount != cents(line.quantity * line.unit_cost) or not is_money(line.amount):
                yield f"{name} line {line.line_nbr}: amount {line.amount}"
            if line.account not in company.accounts or line.cost_center not in company.cost_centers:
                yield f"{name} line {line.line_nbr}: {line.account}/{line.cost_center} does not exist"
        if order.status is DocumentStatus.OPEN and not due:
            yield f"{name} is open though nothing is due"
        yield from common_faults(name, order.currency, order.rate, [line.line_nbr for line in order.lines])
        if order.vendor not in company.vendors or order.branch not in company.branches:
            yield f"{name}: vendor {order.vendor} or branch {order.branch} does not exist"


def bill_faults(company: Company) -> Iterator[str]:
    """Payables documents: amounts, balances after payments, journals, references."""
    settled, base_settled = _settled_by_payments(company)
    for key, bill in company.bills.items():
        name = f"bill {key}"
        yield from common_faults(name, bill.currency, bill.rate, [line.line_nbr for line in bill.lines])
        yield from amount_faults(name, bill, bill.base_amount)
        yield from balance_faults(name, bill, settled[key], base_settled[key])
        yield from _reference_faults(company, name, bill)
        if bill.status not in RELEASED:
            continue
        journal = journal_of(company, "AP", bill.batch_nbr)
        if journal is None or journal.period != bill.period or journal.branch != bill.branch:
            yield f"{name}: its journal AP|{bill.batch_nbr} is missing or of another period or branch"
            continue
        control = (-bill.amount * bill.type.sign, -bill.base_amount * bill.type.sign)
        if booked_on(journal, chart.ACCOUNTS_PAYABLE) != control:
            yield f"{name}: its journal books {booked_on(journal, chart.ACCOUNTS_PAYABLE)}, not {control}"
        yield from void_faults(company, name, "AP", bill)


def payment_faults(company: Company) -> Iterator[str]:
    """Payments: what they settle, exchange differences, journals."""
    for number, payment in company.payments.items():
        name = f"payment {number}"
        yield from common_faults(name, payment.currency, payment.rate, [])
        applied = sum((each.amount * each.type.sign for each in payment.applications), ZERO)
        if payment.amount != applied or payment.amount <= 0:
            yield f"{name}: pays {payment.amount}, applies {applied}"
        if payment.base_amount != to_base(payment.amount, payment.rate) or not is_money(payment.base_amount):
            yield f"{name}: base amount {payment.base_amount}"
        for application in payment.applications:
            bill = company.bills.get(bill_key(application))
            if bill is None or (bill.vendor, bill.branch, bill.currency) != (
                payment.vendor,
                payment.branch,
                payment.currency,
            ):
                yield f"{name}: settles {bill_key(application)}, which is missing or of another vendor"
        if payment.status is DocumentStatus.HOLD:
            if payment.batch_nbr is not None:
                yield f"{name}: on hold with a journal"
            continue
        yield from _payment_journal_faults(company, name, payment)


def _payment_journal_faults(company: Company, name: str, payment: Payment) -> Iterator[str]:
    if payment.status is DocumentStatus.OPEN:
        yield f"{name}: payments are always fully applied, so none is open"
    journal = journal_of(company, "AP", payment.batch_nbr)
    if journal is None or journal.period != payment.period:
        yield f"{name}: its journal AP|{payment.batch_nbr} is missing or of another period"
        return
    base = sum((each.base_amount * each.type.sign for each in payment.applications), ZERO)
    if booked_on(journal, chart.ACCOUNTS_PAYABLE) != (payment.amount, base):
        yield f"{name}: its journal does not debit payables with {payment.amount}, {base} in base currency"
    if booked_on(journal, payment.cash_account) != (-payment.amount, -payment.base_amount):
        yield f"{name}: its journal does not take {payment.amount} from {payment.cash_account}"
    yield from void_faults(company, name, "AP", payment)


def common_faults(name: str, currency: str, rate: Decimal, line_nbrs: list[int]) -> Iterator[str]:
    """Currency, rate and line numbers of any document."""
    if (rate == ONE) != (currency == chart.BASE_CURRENCY) or rate.as_tuple().exponent != -6:
        yield f"{name}: rate {rate} for {currency}"
    if len(set(line_nbrs)) != len(line_nbrs):
        yield f"{name}: line numbers {line_nbrs}"


def amount_faults(name: str, document: Bill | SalesInvoice, base_amount: Decimal) -> Iterator[str]:
    """Amounts of a bill or invoice."""
    if document.amount < 0 or base_amount != to_base(document.amount, document.rate):
        yield f"{name}: {document.amount} at {document.rate} is not {base_amount}"
    amounts = [
        document.tax_amount,
        document.base_tax_amount,
        document.balance,
        document.base_balance,
        *(line.amount for line in document.lines),
        *(line.base_amount for line in document.lines),
    ]
    if not all(is_money(amount) for amount in amounts):
        yield f"{name}: not all amounts have two decimals"
    if document.archived and document.status is not DocumentStatus.CLOSED:
        yield f"{name}: archived though it is {document.status}"


def balance_faults(
    name: str, document: Bill | SalesInvoice, settled: Decimal, base_settled: Decimal
) -> Iterator[str]:
    """Balance and status of a bill or invoice of which so much is settled."""
    expected = (document.amount - settled, document.base_amount - base_settled)
    if document.status is DocumentStatus.VOIDED:
        expected = (ZERO, ZERO)
        if settled or base_settled:
            yield f"{name}: voided though {settled} of it is settled"
    if (document.balance, document.base_balance) != expected:
        yield f"{name}: balance {document.balance} / {document.base_balance}, not {expected}"
    if document.status is DocumentStatus.OPEN and not 0 < document.balance <= document.amount:
        yield f"{name}: open with a balance of {document.balance}"
    if document.status is DocumentStatus.CLOSED and (document.balance or document.base_balance):
        yield f"{name}: closed with a balance of {document.balance}"
    if document.status is DocumentStatus.HOLD and document.batch_nbr is not None:
        yield f"{name}: on hold with a journal"


def _reference_faults(company: Company, name: str, bill: Bill) -> Iterator[str]:
    if bill.vendor not in company.vendors or bill.branch not in company.branches:
        yield f"{name}: vendor {bill.vendor} or branch {bill.branch} does not exist"
    if not bill.lines:
        yield f"{name}: has no lines"
    for line in bill.lines:
        if line.account not in company.accounts or line.cost_center not in company.cost_centers:
            yield f"{name} line {line.line_nbr}: {line.account}/{line.cost_center} does not exist"
        if line.item is not None and line.item not in company.items:
            yield f"{name} line {line.line_nbr}: no item {line.item}"
        if line.order_nbr is not None:
            order = company.purchase_orders.get(line.order_nbr)
            if order is None or line.order_line_nbr not in {each.line_nbr for each in order.lines}:
                yield f"{name} line {line.line_nbr}: no line {line.order_line_nbr} in order {line.order_nbr}"


def void_faults(
    company: Company, name: str, module: str, document: Bill | CustomerPayment | Payment | SalesInvoice
) -> Iterator[str]:
    """The reversal of a document: there when it is voided, and only then."""
    reversal = journal_of(company, module, document.voiding_batch_nbr)
    if document.status is not DocumentStatus.VOIDED:
        if document.voiding_batch_nbr is not None:
            yield f"{name}: not voided, but reversed by {document.voiding_batch_nbr}"
        return
    original = journal_of(company, module, document.batch_nbr)
    if original is None or reversal is None:
        yield f"{name}: voided without two posted journals"
        return
    mirrored = [(line.account, line.base_credit, line.base_debit) for line in original.lines]
    if [(line.account, line.base_debit, line.base_credit) for line in reversal.lines] != mirrored:
        yield f"{name}: {module}|{reversal.batch_nbr} is not the mirror image of {original.batch_nbr}"


def _settled_by_payments(company: Company) -> tuple[Settled, Settled]:
    settled: Settled = defaultdict(lambda: ZERO)
    base: Settled = defaultdict(lambda: ZERO)
    for payment in company.payments.values():
        if payment.status is DocumentStatus.CLOSED:
            for application in payment.applications:
                settled[bill_key(application)] += application.amount
                base[bill_key(application)] += application.base_amount
    return settled, base


def journal_of(company: Company, module: str, batch_nbr: str | None) -> Journal | None:
    """A posted journal; None when there is none."""
    journal = company.journals.get(f"{module}|{batch_nbr}")
    return None if journal is None or journal.status is not JournalStatus.POSTED else journal


def booked_on(journal: Journal, account: str) -> tuple[Decimal, Decimal]:
    """Debit minus credit of a journal on an account, in its currency and in base currency."""
    lines = [line for line in journal.lines if line.account == account]
    amount = sum((line.debit - line.credit for line in lines), ZERO)
    return amount, sum((line.base_debit - line.base_credit for line in lines), ZERO)

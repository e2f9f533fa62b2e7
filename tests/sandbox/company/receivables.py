"""The accounts-receivable desk: sales invoices and what customers pay on them, each with its journal."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.ledger import Entry, Heading, Ledger
from tests.sandbox.company.model import (
    CustomerPayment,
    DocumentStatus,
    InvoiceType,
    Receipt,
    SalesInvoice,
    SalesInvoiceLine,
)
from tests.sandbox.company.money import ZERO, rate_on, share, spread, to_base
from tests.sandbox.company.registry import Registry, period_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class InvoiceDraft:
    """What somebody types into the invoice form. `base_amount` of the lines is filled in on entry."""

    customer: str
    branch: str
    currency: str
    lines: list[SalesInvoiceLine]
    tax_amount: Decimal = ZERO
    customer_order: str | None = None
    description: str | None = None
    type: InvoiceType = InvoiceType.INVOICE


class Receivables:
    """Enters, releases, collects and voids sales invoices."""

    def __init__(self, registry: Registry, ledger: Ledger) -> None:
        self._registry = registry
        self._ledger = ledger
        self._company = registry.company

    def enter_invoice(self, draft: InvoiceDraft) -> SalesInvoice:
        """Enter a sales invoice on hold, dated today."""
        today = self._registry.today
        terms = self._company.terms[self._company.customers[draft.customer].terms]
        is_due = draft.type is InvoiceType.INVOICE
        invoice_nbr = f"{self._registry.next_number('sales_invoices'):06d}"
        invoice = SalesInvoice(
            **self._registry.stamps("sales_invoices", invoice_nbr),
            invoice_nbr=invoice_nbr,
            customer=draft.customer,
            branch=draft.branch,
            customer_order=draft.customer_order,
            date=today,
            due_date=today + dt.timedelta(days=terms.days) if is_due else None,
            period=period_of(today),
            currency=draft.currency,
            rate=rate_on(self._company.seed, draft.currency, today),
            terms=terms.code if is_due else None,
            description=draft.description,
            status=DocumentStatus.HOLD,
            tax_amount=draft.tax_amount,
            base_tax_amount=ZERO,
            balance=ZERO,
            base_balance=ZERO,
            lines=draft.lines,
            type=draft.type,
        )
        _revalue(invoice)
        return self._registry.insert(self._company.sales_invoices, invoice_nbr, invoice)

    def release_invoice(self, invoice: SalesInvoice) -> SalesInvoice:
        """Book an invoice on hold.

        Raises:
            ValueError: The invoice is not on hold.
        """
        _expect(invoice, DocumentStatus.HOLD)
        booked_on = self._registry.posting_date(invoice.date)
        heading = Heading(
            module="AR",
            branch=invoice.branch,
            date=booked_on,
            currency=invoice.currency,
            rate=invoice.rate,
            description=invoice.description,
        )
        invoice.batch_nbr = self._ledger.post(heading, _invoice_entries(invoice)).batch_nbr
        invoice.period = period_of(booked_on)
        invoice.status = DocumentStatus.OPEN if invoice.balance else DocumentStatus.CLOSED
        self._registry.touch(invoice)
        return invoice

    def void_invoice(self, invoice: SalesInvoice) -> SalesInvoice:
        """Reverse a released invoice that nothing was received on.

        Raises:
            ValueError: The invoice is not open, or part of it is settled.
        """
        _expect(invoice, DocumentStatus.OPEN)
        if invoice.balance != invoice.amount or invoice.batch_nbr is None:
            raise ValueError(f"invoice {invoice.invoice_nbr} is partly settled and cannot be voided")
        reversal = self._ledger.reverse("AR", invoice.batch_nbr, f"Void {invoice.invoice_nbr}")
        invoice.voiding_batch_nbr = reversal.batch_nbr
        invoice.status = DocumentStatus.VOIDED
        invoice.balance = invoice.base_balance = ZERO
        self._registry.touch(invoice)
        return invoice

    def enter_payment(
        self, parts: Mapping[str, Decimal], *, method: str, payment_ref: str | None
    ) -> CustomerPayment:
        """Enter what a customer pays, on hold, dated today.

        Args:
            parts: Invoice number to the amount settled, in document currency. All are of one customer, branch
                and currency; credit memos reduce what is paid.
            method: Payment method.
            payment_ref: Check or transfer number.

        Raises:
            ValueError: The invoices do not go together, a part exceeds the balance, or nothing is left to pay.
        """
        invoices = [self._company.sales_invoices[number] for number in parts]
        first = invoices[0]
        if {(each.customer, each.branch, each.currency) for each in invoices} != {
            (first.customer, first.branch, first.currency)
        }:
            raise ValueError(f"{list(parts)} are not of one customer, branch and currency")
        applications = [_application(invoice, parts[invoice.invoice_nbr]) for invoice in invoices]
        amount = sum(
            (each.amount * invoice.type.sign for each, invoice in zip(applications, invoices, strict=True)),
            ZERO,
        )
        if amount <= 0:
            raise ValueError(f"{list(parts)} leave nothing to pay")
        today = self._registry.today
        rate = rate_on(self._company.seed, first.currency, today)
        payment_nbr = f"{self._registry.next_number('customer_payments'):06d}"
        payment = CustomerPayment(
            **self._registry.stamps("customer_payments", payment_nbr),
            payment_nbr=payment_nbr,
            customer=first.customer,
            branch=first.branch,
            date=today,
            period=period_of(today),
            currency=first.currency,
            rate=rate,
            amount=amount,
            base_amount=to_base(amount, rate),
            method=method,
            payment_ref=payment_ref,
            cash_account=chart.CASH[first.currency],
            description="Customer payment",
            status=DocumentStatus.HOLD,
            applications=applications,
        )
        return self._registry.insert(self._company.customer_payments, payment_nbr, payment)

    def release_payment(self, payment: CustomerPayment) -> CustomerPayment:
        """Book a payment on hold and settle what it names.

        Raises:
            ValueError: The payment is not on hold, or an invoice no longer has the balance that it settles.
        """
        _expect_payment(payment, DocumentStatus.HOLD)
        booked_on = self._registry.posting_date(payment.date)
        heading = Heading(
            module="AR",
            branch=payment.branch,
            date=booked_on,
            currency=payment.currency,
            rate=payment.rate,
            description=payment.description,
        )
        payment.batch_nbr = self._ledger.post(heading, self._payment_entries(payment)).batch_nbr
        payment.period = period_of(booked_on)
        payment.status = DocumentStatus.CLOSED
        self._registry.touch(payment)
        self._settle(payment.applications, 1)
        return payment

    def void_payment(self, payment: CustomerPayment) -> CustomerPayment:
        """Reverse a released payment; its invoices are open again.

        Raises:
            ValueError: The payment is not released.
        """
        _expect_payment(payment, DocumentStatus.CLOSED)
        if payment.batch_nbr is None:
            raise ValueError(f"customer payment {payment.payment_nbr} has no journal to reverse")
        reversal = self._ledger.reverse("AR", payment.batch_nbr, f"Void {payment.payment_nbr}")
        payment.voiding_batch_nbr = reversal.batch_nbr
        payment.status = DocumentStatus.VOIDED
        self._registry.touch(payment)
        self._settle(payment.applications, -1)
        return payment

    def _settle(self, applications: Iterable[Receipt], direction: int) -> None:
        for application in applications:
            invoice = self._company.sales_invoices[application.invoice_nbr]
            invoice.balance -= application.amount * direction
            invoice.base_balance -= application.base_amount * direction
            if not 0 <= invoice.balance <= invoice.amount:
                raise ValueError(f"invoice {invoice.invoice_nbr} would have a balance of {invoice.balance}")
            invoice.status = DocumentStatus.OPEN if invoice.balance else DocumentStatus.CLOSED
            self._registry.touch(invoice)

    def _payment_entries(self, payment: CustomerPayment) -> list[Entry]:
        """Receivables at the invoices' own rates, cash at the payment's; the difference is a realised one."""
        entries = []
        for application in payment.applications:
            sign = self._company.sales_invoices[application.invoice_nbr].type.sign
            entries.append(
                Entry(
                    account=chart.ACCOUNTS_RECEIVABLE,
                    amount=-application.amount * sign,
                    base=-application.base_amount * sign,
                    reference_nbr=application.invoice_nbr,
                    customer=payment.customer,
                )
            )
        cash = Entry(
            account=payment.cash_account,
            amount=payment.amount,
            base=payment.base_amount,
            description=payment.description,
            reference_nbr=payment.payment_nbr,
            customer=payment.customer,
        )
        difference = -payment.base_amount - sum((entry.base for entry in entries), ZERO)
        exchange = Entry(
            account=chart.EXCHANGE_LOSS if difference > 0 else chart.EXCHANGE_GAIN,
            amount=ZERO,
            base=difference,
            description="Realised exchange difference",
            reference_nbr=payment.payment_nbr,
            customer=payment.customer,
        )
        return [cash, *entries, exchange]


def _expect(invoice: SalesInvoice, status: DocumentStatus) -> None:
    if invoice.status is not status:
        raise ValueError(f"invoice {invoice.invoice_nbr} is {invoice.status}, not {status}")


def _revalue(invoice: SalesInvoice) -> None:
    *bases, base_tax = spread([*(line.amount for line in invoice.lines), invoice.tax_amount], invoice.rate)
    for line, base in zip(invoice.lines, bases, strict=True):
        line.base_amount = base
    invoice.base_tax_amount = base_tax
    invoice.balance = invoice.amount
    invoice.base_balance = invoice.base_amount


def _invoice_entries(invoice: SalesInvoice) -> list[Entry]:
    sign = invoice.type.sign
    entries = [
        Entry(
            account=line.account,
            cost_center=line.cost_center,
            amount=-line.amount * sign,
            base=-line.base_amount * sign,
            description=line.description,
            reference_nbr=invoice.invoice_nbr,
            customer=invoice.customer,
            item=line.item,
            quantity=-line.quantity * sign,
            unit=line.unit,
        )
        for line in invoice.lines
    ]
    tax = Entry(
        account=chart.OUTPUT_TAX,
        amount=-invoice.tax_amount * sign,
        base=-invoice.base_tax_amount * sign,
        reference_nbr=invoice.invoice_nbr,
        customer=invoice.customer,
    )
    control = Entry(
        account=chart.ACCOUNTS_RECEIVABLE,
        amount=invoice.amount * sign,
        base=invoice.base_amount * sign,
        description=invoice.description,
        reference_nbr=invoice.invoice_nbr,
        customer=invoice.customer,
    )
    return [control, *entries, tax]


def _application(invoice: SalesInvoice, part: Decimal) -> Receipt:
    if invoice.status is not DocumentStatus.OPEN or not 0 < part <= invoice.balance:
        raise ValueError(
            f"invoice {invoice.invoice_nbr} is {invoice.status} at {invoice.balance}: cannot settle {part}"
        )
    return Receipt(
        invoice_nbr=invoice.invoice_nbr,
        amount=part,
        base_amount=share(invoice.base_balance, part, invoice.balance),
    )


def _expect_payment(payment: CustomerPayment, status: DocumentStatus) -> None:
    if payment.status is not status:
        raise ValueError(f"customer payment {payment.payment_nbr} is {payment.status}, not {status}")

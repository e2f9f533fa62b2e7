"""The accounts-receivable desk: sales invoices and what customers pay on them, each with its journal."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.ledger import Entry, Heading, Ledger
from tests.sandbox.company.model import DocumentStatus, Journal, SalesInvoice, SalesInvoiceLine
from tests.sandbox.company.money import ZERO, rate_on, share, spread, to_base
from tests.sandbox.company.registry import Registry, period_of

if TYPE_CHECKING:
    from collections.abc import Mapping
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
        invoice_nbr = f"{self._registry.next_number('sales_invoices'):06d}"
        invoice = SalesInvoice(
            **self._registry.stamps("sales_invoices", invoice_nbr),
            invoice_nbr=invoice_nbr,
            customer=draft.customer,
            branch=draft.branch,
            customer_order=draft.customer_order,
            date=today,
            due_date=today + dt.timedelta(days=terms.days),
            period=period_of(today),
            currency=draft.currency,
            rate=rate_on(self._company.seed, draft.currency, today),
            terms=terms.code,
            description=draft.description,
            status=DocumentStatus.HOLD,
            tax_amount=draft.tax_amount,
            base_tax_amount=ZERO,
            balance=ZERO,
            base_balance=ZERO,
            lines=draft.lines,
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

    def receive(self, parts: Mapping[str, Decimal]) -> Journal:
        """Book what a customer pays today on invoices of one customer, branch and currency.

        The journal is the receipt: its line on the control account names the invoice.

        Args:
            parts: Invoice number to the amount received, in document currency.

        Raises:
            ValueError: The invoices do not go together, or a part exceeds the balance.
        """
        invoices = [self._company.sales_invoices[number] for number in parts]
        first = invoices[0]
        if {(each.customer, each.branch, each.currency) for each in invoices} != {
            (first.customer, first.branch, first.currency)
        }:
            raise ValueError(f"{list(parts)} are not of one customer, branch and currency")
        today = self._registry.today
        rate = rate_on(self._company.seed, first.currency, today)
        entries = [_settled(invoice, parts[invoice.invoice_nbr]) for invoice in invoices]
        heading = Heading(
            module="AR",
            branch=first.branch,
            date=today,
            currency=first.currency,
            rate=rate,
            description="Customer payment",
        )
        journal = self._ledger.post(heading, [*_cash_entries(first, entries, rate), *entries])
        for invoice, entry in zip(invoices, entries, strict=True):
            invoice.balance += entry.amount
            invoice.base_balance += entry.base
            invoice.status = DocumentStatus.OPEN if invoice.balance else DocumentStatus.CLOSED
            self._registry.touch(invoice)
        return journal


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
    entries = [
        Entry(
            account=line.account,
            cost_center=line.cost_center,
            amount=-line.amount,
            base=-line.base_amount,
            description=line.description,
            reference_nbr=invoice.invoice_nbr,
            customer=invoice.customer,
            item=line.item,
            quantity=-line.quantity,
            unit=line.unit,
        )
        for line in invoice.lines
    ]
    tax = Entry(
        account=chart.OUTPUT_TAX,
        amount=-invoice.tax_amount,
        base=-invoice.base_tax_amount,
        reference_nbr=invoice.invoice_nbr,
        customer=invoice.customer,
    )
    control = Entry(
        account=chart.ACCOUNTS_RECEIVABLE,
        amount=invoice.amount,
        base=invoice.base_amount,
        description=invoice.description,
        reference_nbr=invoice.invoice_nbr,
        customer=invoice.customer,
    )
    return [control, *entries, tax]


def _settled(invoice: SalesInvoice, part: Decimal) -> Entry:
    if invoice.status is not DocumentStatus.OPEN or not 0 < part <= invoice.balance:
        raise ValueError(
            f"invoice {invoice.invoice_nbr} is {invoice.status} at {invoice.balance}: cannot settle {part}"
        )
    return Entry(
        account=chart.ACCOUNTS_RECEIVABLE,
        amount=-part,
        base=-share(invoice.base_balance, part, invoice.balance),
        reference_nbr=invoice.invoice_nbr,
        customer=invoice.customer,
    )


def _cash_entries(invoice: SalesInvoice, settled: list[Entry], rate: Decimal) -> list[Entry]:
    """Cash at today's rate, and the realised difference to the invoices' own rates."""
    amount = -sum((entry.amount for entry in settled), ZERO)
    base = to_base(amount, rate)
    difference = -base - sum((entry.base for entry in settled), ZERO)
    cash = Entry(
        account=chart.CASH[invoice.currency],
        amount=amount,
        base=base,
        customer=invoice.customer,
    )
    exchange = Entry(
        account=chart.EXCHANGE_LOSS if difference > 0 else chart.EXCHANGE_GAIN,
        amount=ZERO,
        base=difference,
        description="Realised exchange difference",
        customer=invoice.customer,
    )
    return [cash, exchange]

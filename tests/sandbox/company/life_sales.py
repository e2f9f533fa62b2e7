"""Events of accounts receivable and of the general ledger."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.sandbox.company.events import Events, event, on_hold
from tests.sandbox.company.ledger import relined
from tests.sandbox.company.model import DocumentStatus, InvoiceType, JournalStatus
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.registry import period_of

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.company.model import CustomerPayment, Deletion, Journal, SalesInvoice


class SalesLife(Events):
    """Events of accounts receivable. A method that takes a number chooses at random when it gets none."""

    @event
    def post_invoice(self, *, hold: bool = False) -> SalesInvoice:
        """Enter a sales invoice and release it, or leave it on hold."""
        invoice = self._office.receivables.enter_invoice(self._draw.invoice())
        return invoice if hold else self._office.receivables.release_invoice(invoice)

    @event
    def release_invoice(self, invoice_nbr: str | None = None) -> SalesInvoice:
        """Release an invoice on hold.

        Raises:
            NothingToDoError: No invoice is on hold.
        """
        return self._office.receivables.release_invoice(self._held_invoice(invoice_nbr))

    @event
    def delete_invoice(self, invoice_nbr: str | None = None) -> Deletion:
        """Delete an invoice on hold.

        Raises:
            NothingToDoError: No invoice is on hold.
        """
        return self._office.registry.remove("sales_invoices", self._held_invoice(invoice_nbr).invoice_nbr)

    @event
    def void_invoice(self, invoice_nbr: str | None = None) -> SalesInvoice:
        """Void a released invoice that nothing was received on.

        Raises:
            NothingToDoError: There is none.
        """
        if invoice_nbr is None:
            unpaid = (each for each in self._unspoken() if each.balance == each.amount)
            invoice_nbr = self._choose(unpaid, "invoice that nothing was received on").invoice_nbr
        return self._office.receivables.void_invoice(self._company.sales_invoices[invoice_nbr])

    @event
    def post_credit_memo(self, *, customer: str | None = None) -> SalesInvoice:
        """Release a credit memo, for a customer who owes something if possible."""
        owing = [each for each in self._receivable() if customer in {None, each.customer}]
        of = self._company.customers[customer] if customer is not None else None
        branch = None
        if owing:
            invoice = self._choose(owing, "open invoice")
            of, branch = self._company.customers[invoice.customer], invoice.branch
        draft = self._draw.invoice(InvoiceType.CREDIT_MEMO, of, branch)
        return self._office.receivables.release_invoice(self._office.receivables.enter_invoice(draft))

    @event
    def receive(
        self, invoices: int = 1, *, hold: bool = False, in_full: bool | None = None
    ) -> CustomerPayment:
        """A customer pays invoices, less an open credit memo if there is one.

        Args:
            invoices: How many, or as many as one customer has open.
            hold: Enter the payment, but do not release it.
            in_full: False leaves a part of the last invoice open; by chance when not given.

        Raises:
            NothingToDoError: No invoice is open.
        """
        groups: defaultdict[tuple[str, str, str], list[SalesInvoice]] = defaultdict(list)
        for invoice in self._receivable():
            groups[invoice.customer, invoice.branch, invoice.currency].append(invoice)
        most = min(invoices, max((len(group) for group in groups.values()), default=0))
        group = self._choose((group for group in groups.values() if len(group) >= most), "open invoice")
        chosen = self._rng.sample(group, most)
        parts = {invoice.invoice_nbr: invoice.balance for invoice in chosen}
        if in_full is False or (in_full is None and self._draw.chance(20)):
            parts[chosen[-1].invoice_nbr] = self._draw.part_of(chosen[-1].balance)
        self._deduct_credit(chosen[0], parts)
        payment = self._office.receivables.enter_payment(
            parts, method=self._draw.method(), payment_ref=self._draw.reference()
        )
        return payment if hold else self._office.receivables.release_payment(payment)

    @event
    def receive_for(self, invoice_nbr: str) -> CustomerPayment:
        """A customer pays the whole balance of one invoice.

        Raises:
            ValueError: It is not open.
        """
        parts = {invoice_nbr: self._company.sales_invoices[invoice_nbr].balance}
        payment = self._office.receivables.enter_payment(
            parts, method="CHECK", payment_ref=self._draw.reference()
        )
        return self._office.receivables.release_payment(payment)

    @event
    def release_customer_payment(self, payment_nbr: str | None = None) -> CustomerPayment:
        """Release a customer payment on hold.

        Raises:
            NothingToDoError: No customer payment is on hold.
        """
        return self._office.receivables.release_payment(self._held_customer_payment(payment_nbr))

    @event
    def delete_customer_payment(self, payment_nbr: str | None = None) -> Deletion:
        """Delete a customer payment on hold.

        Raises:
            NothingToDoError: No customer payment is on hold.
        """
        payment = self._held_customer_payment(payment_nbr)
        return self._office.registry.remove("customer_payments", payment.payment_nbr)

    @event
    def void_customer_payment(self, payment_nbr: str | None = None) -> CustomerPayment:
        """Void a released customer payment; its invoices are open again.

        Raises:
            NothingToDoError: There is none.
        """
        payments = self._company.customer_payments
        if payment_nbr is not None:
            return self._office.receivables.void_payment(payments[payment_nbr])
        invoices = self._company.sales_invoices
        released = (
            payment
            for payment in payments.values()
            if payment.status is DocumentStatus.CLOSED
            and not payment.archived
            and not any(invoices[each.invoice_nbr].archived for each in payment.applications)
        )
        return self._office.receivables.void_payment(self._choose(released, "released customer payment"))

    def _receivable(self) -> list[SalesInvoice]:
        """Open invoices that no payment on hold speaks for."""
        return [each for each in self._unspoken() if each.type is InvoiceType.INVOICE]

    def _unspoken(self) -> list[SalesInvoice]:
        spoken_for = {
            application.invoice_nbr
            for payment in self._company.customer_payments.values()
            if payment.status is DocumentStatus.HOLD
            for application in payment.applications
        }
        invoices = self._company.sales_invoices
        return [
            invoice
            for number, invoice in invoices.items()
            if invoice.status is DocumentStatus.OPEN and number not in spoken_for
        ]

    def _deduct_credit(self, like: SalesInvoice, parts: dict[str, Decimal]) -> None:
        """Take one open credit memo off, if something is left to pay."""
        to_pay = sum(parts.values(), ZERO)
        for each in self._unspoken():
            if (
                each.type is InvoiceType.CREDIT_MEMO
                and (each.customer, each.branch, each.currency) == (like.customer, like.branch, like.currency)
                and each.balance < to_pay
            ):
                parts[each.invoice_nbr] = each.balance
                return

    def _held_customer_payment(self, payment_nbr: str | None) -> CustomerPayment:
        payments = self._company.customer_payments
        if payment_nbr is not None:
            return on_hold(payments[payment_nbr], payment_nbr)
        held = (each for each in payments.values() if each.status is DocumentStatus.HOLD)
        return self._choose(held, "customer payment on hold")

    def _held_invoice(self, invoice_nbr: str | None) -> SalesInvoice:
        invoices = self._company.sales_invoices
        if invoice_nbr is not None:
            return on_hold(invoices[invoice_nbr], invoice_nbr)
        held = (each for each in invoices.values() if each.status is DocumentStatus.HOLD)
        return self._choose(held, "invoice on hold")


class LedgerLife(Events):
    """Events of the general ledger. Keys are "GL|" and the batch number; chosen at random when not given."""

    @event
    def post_journal(self) -> Journal:
        """Post a manual journal."""
        return self._manual(JournalStatus.POSTED)

    @event
    def hold_journal(self) -> Journal:
        """Enter a manual journal that waits to be posted."""
        return self._manual(JournalStatus.BALANCED)

    @event
    def post_held_journal(self, key: str | None = None) -> Journal:
        """Post a journal that waited; when its period is closed meanwhile, into the current one.

        Raises:
            NothingToDoError: No journal waits.
        """
        journal = self._waiting(key)
        journal.date = self._office.registry.posting_date(journal.date)
        journal.period = period_of(journal.date)
        journal.status = JournalStatus.POSTED
        self._office.registry.touch(journal)
        return journal

    @event
    def change_journal(self, key: str | None = None) -> Journal:
        """Write the lines of a waiting journal anew: often fewer, all with other amounts.

        Raises:
            NothingToDoError: No journal waits.
        """
        journal = self._waiting(key)
        journal.lines = relined(self._draw.journal_entries(journal.rate))
        self._office.registry.touch(journal)
        return journal

    @event
    def delete_journal(self, key: str | None = None) -> Deletion:
        """Delete a journal that waits.

        Raises:
            NothingToDoError: No journal waits.
        """
        journal = self._waiting(key)
        return self._office.registry.remove("journals", f"{journal.module}|{journal.batch_nbr}")

    def _manual(self, status: JournalStatus) -> Journal:
        heading = self._draw.manual_heading(self._office.registry.today)
        return self._office.ledger.post(heading, self._draw.journal_entries(heading.rate), status)

    def _waiting(self, key: str | None) -> Journal:
        """A journal that is not posted.

        Raises:
            ValueError: The journal asked for is posted: it can no longer be changed.
        """
        journals = self._company.journals
        if key is None:
            waiting = (each for each in journals.values() if each.status is JournalStatus.BALANCED)
            return self._choose(waiting, "journal that is not posted")
        if journals[key].status is not JournalStatus.BALANCED:
            raise ValueError(f"journal {key} is posted and cannot be changed")
        return journals[key]

"""The accounts-payable desk: bills, adjustments and payments, each with its journal."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.customs import custom_values
from tests.sandbox.company.ledger import Entry, Heading, Ledger
from tests.sandbox.company.model import Application, Bill, BillLine, BillType, Custom, DocumentStatus, Payment
from tests.sandbox.company.money import ZERO, rate_on, share, spread, to_base
from tests.sandbox.company.registry import Registry, period_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

IN_THE_BOOKS = frozenset({DocumentStatus.OPEN, DocumentStatus.CLOSED})


@dataclasses.dataclass(frozen=True, kw_only=True)
class BillDraft:
    """What somebody types into the bill form. `base_amount` of the lines is filled in on entry."""

    type: BillType
    vendor: str
    branch: str
    currency: str
    lines: list[BillLine]
    tax_amount: Decimal = ZERO
    vendor_ref: str | None = None
    description: str | None = None


def bill_key(document: Bill | Application) -> str:
    """The key of a bill in `Company.bills`."""
    return f"{document.type}|{document.reference_nbr}"


class Payables:
    """Enters, releases, pays and voids payables documents."""

    def __init__(self, registry: Registry, ledger: Ledger) -> None:
        self._registry = registry
        self._ledger = ledger
        self._company = registry.company

    def enter_bill(self, draft: BillDraft) -> Bill:
        """Enter a bill on hold, dated today."""
        today = self._registry.today
        terms = self._company.terms[self._company.vendors[draft.vendor].terms]
        is_due = draft.type is not BillType.DEBIT_ADJUSTMENT
        reference_nbr = f"{self._registry.next_number(f'bills.{draft.type}'):06d}"
        key = f"{draft.type}|{reference_nbr}"
        bill = Bill(
            **self._registry.stamps("bills", key),
            type=draft.type,
            reference_nbr=reference_nbr,
            vendor=draft.vendor,
            branch=draft.branch,
            vendor_ref=draft.vendor_ref,
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
        )
        bill.custom = custom_values(bill.note_id)
        _fill_custom(bill)
        _revalue(bill)
        return self._registry.insert(self._company.bills, key, bill)

    def change_bill(self, bill: Bill, lines: list[BillLine], tax_amount: Decimal) -> None:
        """Replace the lines of a bill on hold.

        Raises:
            ValueError: The bill is released.
        """
        _expect(bill, DocumentStatus.HOLD)
        bill.lines = lines
        bill.tax_amount = tax_amount
        _fill_custom(bill)
        _revalue(bill)
        self.changed(bill)

    def correct_bill(self, bill: Bill, lines: list[BillLine], tax_amount: Decimal) -> None:
        """Replace the lines of a released bill that no payment speaks for; it is booked anew.

        Raises:
            ValueError: The bill is not open, or a payment speaks for it.
        """
        _expect(bill, DocumentStatus.OPEN)
        if bill.batch_nbr is None or self._is_spoken_for(bill):
            raise ValueError(f"a payment speaks for {bill_key(bill)}: it cannot be corrected")
        self._registry.remove("journals", f"AP|{bill.batch_nbr}")
        bill.status = DocumentStatus.HOLD
        self.change_bill(bill, lines, tax_amount)
        self.changed(self.release_bill(bill))

    def changed(self, bill: Bill) -> None:
        """Stamp a bill that somebody edited."""
        self._registry.touch(bill)
        is_open = bill.status is DocumentStatus.OPEN
        if is_open and bill.is_for_order and not self._is_spoken_for(bill):
            bill.remade_at.append(bill.modified_at)

    def release_bill(self, bill: Bill) -> Bill:
        """Book a bill on hold.

        Raises:
            ValueError: The bill is not on hold.
        """
        _expect(bill, DocumentStatus.HOLD)
        booked_on = self._registry.posting_date(bill.date)
        heading = Heading(
            module="AP",
            branch=bill.branch,
            date=booked_on,
            currency=bill.currency,
            rate=bill.rate,
            description=bill.description,
        )
        bill.batch_nbr = self._ledger.post(heading, _bill_entries(bill)).batch_nbr
        bill.period = period_of(booked_on)
        bill.status = DocumentStatus.OPEN if bill.balance else DocumentStatus.CLOSED
        self._registry.touch(bill)
        return bill

    def void_bill(self, bill: Bill) -> Bill:
        """Reverse a released bill that nothing was paid on.

        Raises:
            ValueError: The bill is not open, or part of it is settled.
        """
        _expect(bill, DocumentStatus.OPEN)
        if bill.balance != bill.amount or bill.batch_nbr is None:
            raise ValueError(f"{bill_key(bill)} is partly settled: void its payments first")
        reversal = self._ledger.reverse("AP", bill.batch_nbr, f"Void {bill.reference_nbr}")
        bill.voiding_batch_nbr = reversal.batch_nbr
        bill.status = DocumentStatus.VOIDED
        bill.balance = bill.base_balance = ZERO
        self._registry.touch(bill)
        return bill

    def enter_payment(self, parts: Mapping[str, Decimal], *, method: str, payment_ref: str | None) -> Payment:
        """Enter a payment on hold, dated today.

        Args:
            parts: Bill key to the amount to settle, in document currency. All bills are of one vendor, branch
                and currency; debit adjustments reduce what is paid.
            method: Payment method.
            payment_ref: Check or transfer number.

        Raises:
            ValueError: The bills do not go together, a part exceeds the balance, or nothing is left to pay.
        """
        bills = [self._company.bills[key] for key in parts]
        first = bills[0]
        if {(bill.vendor, bill.branch, bill.currency) for bill in bills} != {
            (first.vendor, first.branch, first.currency)
        }:
            raise ValueError(f"{list(parts)} are not of one vendor, branch and currency")
        applications = [_application(bill, parts[bill_key(bill)]) for bill in bills]
        amount = sum((application.amount * application.type.sign for application in applications), ZERO)
        if amount <= 0:
            raise ValueError(f"{list(parts)} leave nothing to pay")
        today = self._registry.today
        rate = rate_on(self._company.seed, first.currency, today)
        payment_nbr = f"{self._registry.next_number('payments'):06d}"
        payment = Payment(
            **self._registry.stamps("payments", payment_nbr),
            payment_nbr=payment_nbr,
            vendor=first.vendor,
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
            description=first.description,
            status=DocumentStatus.HOLD,
            applications=applications,
        )
        return self._registry.insert(self._company.payments, payment_nbr, payment)

    def release_payment(self, payment: Payment) -> Payment:
        """Book a payment on hold and settle what it names.

        Raises:
            ValueError: The payment is not on hold, or a bill no longer has the balance that it settles.
        """
        _expect(payment, DocumentStatus.HOLD)
        booked_on = self._registry.posting_date(payment.date)
        heading = Heading(
            module="AP",
            branch=payment.branch,
            date=booked_on,
            currency=payment.currency,
            rate=payment.rate,
            description=payment.description,
        )
        payment.batch_nbr = self._ledger.post(heading, _payment_entries(payment)).batch_nbr
        payment.period = period_of(booked_on)
        payment.status = DocumentStatus.CLOSED
        self._registry.touch(payment)
        self._settle(payment.applications, 1)
        return payment

    def void_payment(self, payment: Payment) -> Payment:
        """Reverse a released payment; its bills are open again.

        Raises:
            ValueError: The payment is not released.
        """
        _expect(payment, DocumentStatus.CLOSED)
        if payment.batch_nbr is None:
            raise ValueError(f"payment {payment.payment_nbr} has no journal to reverse")
        reversal = self._ledger.reverse("AP", payment.batch_nbr, f"Void {payment.payment_nbr}")
        payment.voiding_batch_nbr = reversal.batch_nbr
        payment.status = DocumentStatus.VOIDED
        self._registry.touch(payment)
        self._settle(payment.applications, -1)
        return payment

    def _is_spoken_for(self, bill: Bill) -> bool:
        key = bill_key(bill)
        return any(
            bill_key(application) == key
            for payment in self._company.payments.values()
            for application in payment.applications
        )

    def _settle(self, applications: Iterable[Application], direction: int) -> None:
        for application in applications:
            bill = self._company.bills[bill_key(application)]
            bill.balance -= application.amount * direction
            bill.base_balance -= application.base_amount * direction
            if not 0 <= bill.balance <= bill.amount:
                raise ValueError(f"{bill_key(bill)} would have a balance of {bill.balance}")
            bill.status = DocumentStatus.OPEN if bill.balance else DocumentStatus.CLOSED
            self._registry.touch(bill)


def _expect(document: Bill | Payment, status: DocumentStatus) -> None:
    if document.status is not status:
        number = document.reference_nbr if isinstance(document, Bill) else document.payment_nbr
        raise ValueError(f"document {number} is {document.status}, not {status}")


def _fill_custom(bill: Bill) -> None:
    """Give new lines their user-defined fields."""
    for line in bill.lines:
        if line.custom == Custom():
            line.custom = custom_values(f"{bill.note_id}|{line.line_nbr}")


def _revalue(bill: Bill) -> None:
    """Bring base amounts and balances in line with the lines of a bill that is not released."""
    *bases, base_tax = spread([*(line.amount for line in bill.lines), bill.tax_amount], bill.rate)
    for line, base in zip(bill.lines, bases, strict=True):
        line.base_amount = base
    bill.base_tax_amount = base_tax
    bill.balance = bill.amount
    bill.base_balance = bill.base_amount


def _bill_entries(bill: Bill) -> list[Entry]:
    sign = bill.type.sign
    entries = [
        Entry(
            account=line.account,
            cost_center=line.cost_center,
            amount=line.amount * sign,
            base=line.base_amount * sign,
            description=line.description,
            reference_nbr=bill.reference_nbr,
            vendor=bill.vendor,
            item=line.item,
            quantity=line.quantity * sign,
            unit=line.unit,
        )
        for line in bill.lines
    ]
    tax = Entry(
        account=chart.INPUT_TAX,
        amount=bill.tax_amount * sign,
        base=bill.base_tax_amount * sign,
        reference_nbr=bill.reference_nbr,
        vendor=bill.vendor,
    )
    control = Entry(
        account=chart.ACCOUNTS_PAYABLE,
        amount=-bill.amount * sign,
        base=-bill.base_amount * sign,
        description=bill.description,
        reference_nbr=bill.reference_nbr,
        vendor=bill.vendor,
    )
    return [control, *entries, tax]


def _application(bill: Bill, part: Decimal) -> Application:
    if bill.status is not DocumentStatus.OPEN or not 0 < part <= bill.balance:
        raise ValueError(f"{bill_key(bill)} is {bill.status} at {bill.balance}: cannot settle {part}")
    return Application(
        type=bill.type,
        reference_nbr=bill.reference_nbr,
        amount=part,
        base_amount=share(bill.base_balance, part, bill.balance),
    )


def _payment_entries(payment: Payment) -> list[Entry]:
    """Payables at the bills' own rates, cash at the payment's; the difference is a realised one."""
    entries = [
        Entry(
            account=chart.ACCOUNTS_PAYABLE,
            amount=application.amount * application.type.sign,
            base=application.base_amount * application.type.sign,
            reference_nbr=application.reference_nbr,
            vendor=payment.vendor,
        )
        for application in payment.applications
    ]
    cash = Entry(
        account=payment.cash_account,
        amount=-payment.amount,
        base=-payment.base_amount,
        description=payment.description,
        reference_nbr=payment.payment_nbr,
        vendor=payment.vendor,
    )
    difference = payment.base_amount - sum((entry.base for entry in entries), ZERO)
    exchange = Entry(
        account=chart.EXCHANGE_LOSS if difference > 0 else chart.EXCHANGE_GAIN,
        amount=ZERO,
        base=difference,
        description="Realised exchange difference",
        reference_nbr=payment.payment_nbr,
        vendor=payment.vendor,
    )
    return [cash, *entries, exchange]

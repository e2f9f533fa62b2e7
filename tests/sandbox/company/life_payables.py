"""Events of accounts payable: bills, adjustments and payments."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tests.sandbox.company.events import Events, event, on_hold
from tests.sandbox.company.model import BillType, DocumentStatus
from tests.sandbox.company.money import ZERO, cents
from tests.sandbox.company.payables import bill_key

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.company.model import Bill, BillLine, Deletion, Payment


class PayablesLife(Events):
    """Events of accounts payable. A method that takes a key chooses at random when it gets none."""

    @event
    def post_bill(self, *, hold: bool = False, vendor: str | None = None, branch: str | None = None) -> Bill:
        """Enter a bill and release it, or leave it on hold."""
        of = None if vendor is None else self._company.vendors[vendor]
        bill = self._office.payables.enter_bill(self._draw.bill(BillType.BILL, of, branch))
        return bill if hold else self._office.payables.release_bill(bill)

    @event
    def post_bill_for_order(self, order_nbr: str | None = None) -> Bill:
        """Take delivery of some lines of an open order and release the bill for them.

        Raises:
            NothingToDoError: No order is open.
        """
        orders = self._company.purchase_orders
        order = (
            orders[order_nbr]
            if order_nbr is not None
            else self._choose(
                (order for order in orders.values() if order.status is DocumentStatus.OPEN), "open order"
            )
        )
        due = [line.line_nbr for line in order.lines if line.quantity_received < line.quantity]
        chosen = due[: self._rng.randint(1, max(1, len(due)))]
        lines = self._office.receiving.receive(order, chosen, self._draw.delivered_part())
        draft = self._draw.bill_for_order(order, lines)
        return self._office.payables.release_bill(self._office.payables.enter_bill(draft))

    @event
    def post_debit_adjustment(self, *, vendor: str | None = None) -> Bill:
        """Release a debit adjustment: a claim on a vendor, one that is owed something if possible."""
        owed = [bill for bill in self._payable() if vendor in {None, bill.vendor}]
        of = self._company.vendors[vendor] if vendor is not None else None
        branch = None
        if owed:
            bill = self._choose(owed, "open bill")
            of, branch = self._company.vendors[bill.vendor], bill.branch
        draft = self._draw.bill(BillType.DEBIT_ADJUSTMENT, of, branch)
        return self._office.payables.release_bill(self._office.payables.enter_bill(draft))

    @event
    def post_credit_adjustment(self) -> Bill:
        """Release a credit adjustment: more owed to a vendor, without goods."""
        draft = self._draw.bill(BillType.CREDIT_ADJUSTMENT)
        return self._office.payables.release_bill(self._office.payables.enter_bill(draft))

    @event
    def release_bill(self, key: str | None = None) -> Bill:
        """Release a bill on hold.

        Raises:
            NothingToDoError: No bill is on hold.
        """
        return self._office.payables.release_bill(self._held_bill(key))

    @event
    def change_bill(self, key: str | None = None, *, how: str | None = None) -> Bill:
        """Change the lines of a bill on hold.

        Args:
            key: Which bill.
            how: "price", "add" or "remove"; by chance when not given.

        Raises:
            NothingToDoError: No bill is on hold.
        """
        bill = self._held_bill(key)
        lines = [msgspec.structs.replace(line) for line in bill.lines]
        how = how or self._rng.choice(("price", "add", "remove"))
        self._office.registry.keep_line_numbers("bills", bill_key(bill), bill.lines)
        if how == "remove" and len(lines) > 1:
            lines.pop(self._rng.randrange(len(lines)))
        elif how == "price":
            line = self._rng.choice(lines)
            line.unit_cost += self._draw.surcharge()
            line.amount = cents(line.quantity * line.unit_cost)
        else:
            lines.append(self._new_line(bill))
        while sum((line.amount for line in lines), ZERO) <= 0:
            lines.append(self._new_line(bill))
        self._office.payables.change_bill(bill, lines, self._draw.tax(bill.currency, lines))
        return bill

    @event
    def correct_order_bill(self, key: str | None = None) -> Bill:
        """The price on a released bill for an order was wrong, and no payment speaks for it: it is booked anew.

        No random event: not every ERP lets a posted journal be taken back.

        Raises:
            NothingToDoError: There is no such bill.
        """
        if key is None:
            spoken_for = {
                bill_key(application)
                for payment in self._company.payments.values()
                for application in payment.applications
            }
            unpaid = (
                bill for bill in self._payable() if bill.is_for_order and bill_key(bill) not in spoken_for
            )
            key = bill_key(self._choose(unpaid, "released bill for an order that no payment speaks for"))
        bill = self._company.bills[key]
        lines = [msgspec.structs.replace(line) for line in bill.lines]
        line = self._rng.choice(lines)
        line.unit_cost += self._draw.surcharge()
        line.amount = cents(line.quantity * line.unit_cost)
        self._office.payables.correct_bill(bill, lines, self._draw.tax(bill.currency, lines))
        return bill

    @event
    def delete_bill(self, key: str | None = None) -> Deletion:
        """Delete a bill on hold.

        Raises:
            NothingToDoError: No bill is on hold.
        """
        return self._office.registry.remove("bills", bill_key(self._held_bill(key)))

    @event
    def void_bill(self, key: str | None = None) -> Bill:
        """Void a released bill that nothing was paid on.

        Raises:
            NothingToDoError: There is none.
        """
        if key is None:
            unpaid = (bill for bill in self._payable() if bill.balance == bill.amount)
            key = bill_key(self._choose(unpaid, "bill that nothing was paid on"))
        return self._office.payables.void_bill(self._company.bills[key])

    @event
    def pay(self, bills: int = 1, *, hold: bool = False, in_full: bool | None = None) -> Payment:
        """Pay bills of one vendor, less an open debit adjustment if there is one.

        Args:
            bills: How many, or as many as one vendor has open.
            hold: Enter the payment, but do not release it.
            in_full: False leaves a part of the last bill open; by chance when not given.

        Raises:
            NothingToDoError: No bill is open.
        """
        groups: defaultdict[tuple[str, str, str], list[Bill]] = defaultdict(list)
        for bill in self._payable():
            groups[bill.vendor, bill.branch, bill.currency].append(bill)
        most = min(bills, max((len(group) for group in groups.values()), default=0))
        group = self._choose((group for group in groups.values() if len(group) >= most), "open bill")
        chosen = self._rng.sample(group, most)
        parts = {bill_key(bill): bill.balance for bill in chosen}
        if in_full is False or (in_full is None and self._draw.chance(20)):
            parts[bill_key(chosen[-1])] = self._draw.part_of(chosen[-1].balance)
        self._deduct(chosen[0], parts)
        payment = self._office.payables.enter_payment(
            parts, method=self._rng.choice(("CHECK", "ACH", "WIRE")), payment_ref=self._draw.reference()
        )
        return payment if hold else self._office.payables.release_payment(payment)

    @event
    def pay_bill(self, key: str) -> Payment:
        """Pay the whole balance of one bill or credit adjustment.

        Raises:
            ValueError: It is not open.
        """
        parts = {key: self._company.bills[key].balance}
        payment = self._office.payables.enter_payment(
            parts, method="CHECK", payment_ref=self._draw.reference()
        )
        return self._office.payables.release_payment(payment)

    @event
    def release_payment(self, payment_nbr: str | None = None) -> Payment:
        """Release a payment on hold.

        Raises:
            NothingToDoError: No payment is on hold.
        """
        return self._office.payables.release_payment(self._held_payment(payment_nbr))

    @event
    def delete_payment(self, payment_nbr: str | None = None) -> Deletion:
        """Delete a payment on hold.

        Raises:
            NothingToDoError: No payment is on hold.
        """
        return self._office.registry.remove("payments", self._held_payment(payment_nbr).payment_nbr)

    @event
    def void_payment(self, payment_nbr: str | None = None) -> Payment:
        """Void a released payment; its bills are open again.

        Raises:
            NothingToDoError: There is none.
        """
        if payment_nbr is not None:
            return self._office.payables.void_payment(self._company.payments[payment_nbr])
        released = (
            payment
            for payment in self._company.payments.values()
            if payment.status is DocumentStatus.CLOSED
            and not payment.archived
            and not any(
                self._company.bills[bill_key(application)].archived for application in payment.applications
            )
        )
        return self._office.payables.void_payment(self._choose(released, "released payment"))

    def _payable(self) -> list[Bill]:
        """Open bills and credit adjustments that no payment on hold speaks for."""
        return [bill for bill in self._unreserved() if bill.type is not BillType.DEBIT_ADJUSTMENT]

    def _unreserved(self) -> list[Bill]:
        spoken_for = {
            bill_key(application)
            for payment in self._company.payments.values()
            if payment.status is DocumentStatus.HOLD
            for application in payment.applications
        }
        return [
            bill
            for key, bill in self._company.bills.items()
            if bill.status is DocumentStatus.OPEN and key not in spoken_for
        ]

    def _deduct(self, like: Bill, parts: dict[str, Decimal]) -> None:
        """Take one open debit adjustment off, if something is left to pay."""
        to_pay = sum(parts.values(), ZERO)
        for bill in self._unreserved():
            if (
                bill.type is BillType.DEBIT_ADJUSTMENT
                and (bill.vendor, bill.branch, bill.currency) == (like.vendor, like.branch, like.currency)
                and bill.balance < to_pay
            ):
                parts[bill_key(bill)] = bill.balance
                return

    def _held_bill(self, key: str | None) -> Bill:
        if key is not None:
            return on_hold(self._company.bills[key], key)
        held = (bill for bill in self._company.bills.values() if bill.status is DocumentStatus.HOLD)
        return self._choose(held, "bill on hold")

    def _held_payment(self, payment_nbr: str | None) -> Payment:
        if payment_nbr is not None:
            return on_hold(self._company.payments[payment_nbr], payment_nbr)
        payments = self._company.payments.values()
        return self._choose(
            (each for each in payments if each.status is DocumentStatus.HOLD), "payment on hold"
        )

    def _new_line(self, bill: Bill) -> BillLine:
        return self._draw.bill_line(self._office.registry.next_number(f"bills.{bill_key(bill)}.lines"))

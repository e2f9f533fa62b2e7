"""Payments to vendors, and the link from a payment to the bills that it settles."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company.basics import BillType, DocumentStatus
from tests.sandbox.company.money import ZERO, share
from tests.sandbox.company.payables import bill_key
from tests.sandbox.sage_intacct import numbers
from tests.sandbox.sage_intacct.tables import Columns, Getter, Table, audit_columns, owner_columns
from tests.sandbox.sage_intacct.tables_ap import Line, line_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Bill, Payment
    from tests.sandbox.sage_intacct.values import Value
    from tests.sandbox.sage_intacct.view import View

PAYMENT_STATES = {"Draft": "D", "Submitted": "S", "Approved": "A", "Posted": "C", "Voided": "V"}
BANKS = {"010100": "FIRSTNAT", "010110": "SPK-KOELN", "010120": "GBPCURR", "010200": "PETTY"}
METHODS = {"CHECK": "Printed Check", "ACH": "ACH", "WIRE": "Record Transfer"}


class Settlement(NamedTuple):
    """What a payment and an adjustment do for one document."""

    payment: Payment
    place: int
    bill: Bill
    adjustment: Bill | None
    paid: Decimal
    base_paid: Decimal
    adjusted: Decimal
    base_adjusted: Decimal


# ------------------------------------------------------------------- rows


def _settlements(view: View) -> Iterator[Settlement]:
    """Payments and adjustments against the documents they settle; adjustments are used up first."""
    for payment in view.company.payments.values():
        yield from _settlements_of(view, payment)


def _settlements_of(view: View, payment: Payment) -> Iterator[Settlement]:
    bills = view.company.bills
    credit = {
        bill_key(each): each.amount for each in payment.applications if each.type is BillType.DEBIT_ADJUSTMENT
    }
    places = itertools.count(1)
    for application in payment.applications:
        if application.type is BillType.DEBIT_ADJUSTMENT:
            continue
        left, base_left = application.amount, application.base_amount
        bill = bills[bill_key(application)]
        for key, available in credit.items():
            part = min(left, available)
            if part:
                base = share(base_left, part, left)
                yield Settlement(payment, next(places), bill, bills[key], ZERO, ZERO, part, base)
                left, base_left, credit[key] = left - part, base_left - base, available - part
        if left:
            yield Settlement(payment, next(places), bill, None, left, base_left, ZERO, ZERO)


# ---------------------------------------------------------------- columns


def payment_state(payment: Payment) -> str:
    """STATE of a payment and of its details."""
    return {
        DocumentStatus.HOLD: "Draft",
        DocumentStatus.OPEN: "Posted",
        DocumentStatus.CLOSED: "Posted",
        DocumentStatus.VOIDED: "Voided",
    }[payment.status]


def _payment_columns(view: View) -> Columns:
    company = view.company
    return {
        "RECORDNO": lambda row: numbers.payment(row.payment_nbr),
        "RECORDTYPE": lambda _: "pp",
        "RECORDID": lambda row: row.payment_nbr,
        "STATE": payment_state,
        "DISPLAYSTATE": payment_state,
        "RAWSTATE": lambda row: PAYMENT_STATES[payment_state(row)],
        "FINANCIALENTITY": lambda row: BANKS[row.cash_account],
        "FINANCIALENTITYTYPE": lambda _: "ba",
        "FINANCIALACCOUNTNAME": lambda row: company.accounts[row.cash_account].name,
        "FINANCIALACCOUNTCURRENCY": lambda row: row.currency,
        "PAYMENTMETHOD": lambda row: METHODS[row.method],
        "VENDORID": lambda row: row.vendor,
        "VENDORNAME": lambda row: company.vendors[row.vendor].name,
        "VENDORKEY": lambda row: str(company.vendors[row.vendor].vendor_id),
        "ENTITY": lambda row: f"V{row.vendor}",
        "DOCNUMBER": lambda row: row.payment_ref,
        "DESCRIPTION": lambda row: row.description,
        "WHENCREATED": lambda row: row.date,
        "WHENPAID": lambda row: row.date if row.batch_nbr else None,
        "WHENPOSTED": lambda row: company.journals[f"AP|{row.batch_nbr}"].date if row.batch_nbr else None,
        "BASECURR": lambda _: company.base_currency,
        "CURRENCY": lambda row: row.currency,
        "EXCH_RATE_DATE": lambda row: row.date,
        "EXCHANGE_RATE": lambda row: row.rate,
        "TOTALENTERED": lambda row: row.base_amount,
        "TRX_TOTALENTERED": lambda row: row.amount,
        "TOTALPAID": lambda row: row.base_amount if row.status is DocumentStatus.CLOSED else ZERO,
        "TRX_TOTALPAID": lambda row: row.amount if row.status is DocumentStatus.CLOSED else ZERO,
        "TOTALDUE": lambda _: ZERO,
        "TRX_TOTALDUE": lambda _: ZERO,
        "CLEARED": lambda _: "F",
        "SYSTEMGENERATED": lambda _: "F",
        "INCLUSIVETAX": lambda _: False,
        "PRBATCHKEY": lambda row: row.date.toordinal(),
        **audit_columns(view, "APPYMT", lambda row: row, created="AUWHENCREATED"),
        **owner_columns(view, lambda row: row.branch),
    }


def _settlement_columns(view: View) -> Columns:
    def first_line(row: Settlement) -> Value:
        return line_number(Line(row.bill, is_reversal=False, line=row.bill.lines[0]))

    def amount(place: int) -> Getter:
        return lambda row: row[place] or None

    number = _settlement_number
    return {
        "RECORDNO": number,
        "RECORDKEY": lambda row: _settled(row)[0],
        "ENTRYKEY": lambda row: first_line(row) if row.bill.type is BillType.BILL else None,
        "POSADJKEY": lambda row: _settled(row)[1],
        "PAYMENTKEY": lambda row: numbers.payment(row.payment.payment_nbr),
        "PAYMENTENTRYKEY": number,
        "ADJUSTMENTKEY": lambda row: None if row.adjustment is None else numbers.bill(row.adjustment),
        "CURRENCY": lambda row: row.payment.currency,
        "STATE": lambda row: payment_state(row.payment),
        "MODULEKEY": lambda _: "3.AP",
        "PAYMENTDATE": lambda row: row.payment.date,
        "TRX_PAYMENTAMOUNT": amount(4),
        "PAYMENTAMOUNT": amount(5),
        "TRX_ADJUSTMENTAMOUNT": amount(6),
        "ADJUSTMENTAMOUNT": amount(7),
        **audit_columns(view, "APPYMTDETAIL", lambda row: row.payment),
    }


def _settlement_number(row: Settlement) -> int:
    return numbers.line(numbers.payment(row.payment.payment_nbr), row.place)


def _settled(row: Settlement) -> tuple[int | None, int | None]:
    """RECORDKEY for bills, POSADJKEY for adjustments that add to what is owed."""
    number = numbers.bill(row.bill)
    return (number, None) if row.bill.type is BillType.BILL else (None, number)


TABLES = {
    "APPYMT": Table(
        rows=lambda view: view.company.payments.values(),
        columns=_payment_columns,
        entity=lambda row: row.branch,
        codes={"STATE": PAYMENT_STATES},
        lines=("APPYMTDETAILS", "APPYMTDETAIL", "PAYMENTKEY"),
    ),
    "APPYMTDETAIL": Table(
        rows=_settlements,
        columns=_settlement_columns,
        entity=lambda row: row.payment.branch,
        codes={"STATE": PAYMENT_STATES},
    ),
}

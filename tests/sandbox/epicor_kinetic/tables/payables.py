"""AP invoices with lines and schedules, checks and their applications."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company.model import BillType, DocumentStatus
from tests.sandbox.company.money import ZERO, cents
from tests.sandbox.epicor_kinetic import FISCAL_CALENDAR, SITE
from tests.sandbox.epicor_kinetic.schema import Made, made, table
from tests.sandbox.epicor_kinetic.tables.ledger import bank_account, journal_code
from tests.sandbox.epicor_kinetic.view import fiscal, invoice_num, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Application, Bill, BillLine, Payment
    from tests.sandbox.epicor_kinetic.schema import Row
    from tests.sandbox.epicor_kinetic.view import View

_TWO_RATES = "60D"  # these terms are paid in two instalments
_PAYROLL_HEADS = 800_000
_PMUIDS = {"CHECK": 1, "ACH": 2, "WIRE": 3}


class _Invoice(NamedTuple):
    """An invoice, or the correction that undoes one: voiding leaves the original and adds its mirror image."""

    bill: Bill
    number: str
    sign: int
    is_correction: bool

    @property
    def part(self) -> str:
        return "correction" if self.is_correction else ""


def _documents(view: View) -> Iterator[_Invoice]:
    for bill in view.own(view.company.bills.values()):
        yield _Invoice(bill, invoice_num(bill), bill.type.sign, is_correction=False)
        if bill.status is DocumentStatus.VOIDED:
            yield _Invoice(bill, f"{invoice_num(bill)}-C", -bill.type.sign, is_correction=True)


def _invoices(view: View) -> Iterator[Made]:
    for invoice in _documents(view):
        bill, sign = invoice.bill, invoice.sign
        vendor = view.company.vendors[bill.vendor]
        is_posted = bill.status is not DocumentStatus.HOLD
        row: Row = {
            "VendorNum": vendor.vendor_id,
            "InvoiceNum": invoice.number,
            "InvoiceDate": bill.date,
            "DueDate": bill.due_date,
            "TermsCode": bill.terms or "",
            "DebitMemo": sign < 0,  # debit memos are negative
            "Posted": is_posted,
            "OpenPayable": bill.status is DocumentStatus.OPEN,
            "GroupID": "" if is_posted else "ENTRY",
            "Description": bill.description or "",
            "InvoiceRef": invoice_num(bill) if invoice.is_correction else "",
            "SupplierRef": bill.vendor_ref or "",
            "REFPONum": next((number(line.order_nbr) for line in bill.lines if line.order_nbr), 0),
            "CurrencyCode": bill.currency,
            "ExchangeRate": bill.rate,
            "InvoiceAmt": bill.base_amount * sign,
            "DocInvoiceAmt": bill.amount * sign,
            "InvoiceBal": ZERO if invoice.is_correction else bill.base_balance * sign,
            "DocInvoiceBal": ZERO if invoice.is_correction else bill.balance * sign,
            "UnpostedBal": ZERO if is_posted else bill.base_balance * sign,
            "TaxAmt": bill.base_tax_amount * sign,
            "DocTaxAmt": bill.tax_amount * sign,
            **_fiscal(view, invoice),
            "EntryPerson": "manager",
            "CorrectionInv": invoice.is_correction,
            "InvoiceType": "",
            # lists in a text, as Kinetic keeps them
            "PayDates": "~".join(f"{date:%m/%d/%Y}" for date, _, _ in _instalments(invoice)),
            "PayAmounts": "~".join(str(base) for _, base, _ in _instalments(invoice)),
            "Plant": SITE,
            "Remark_c": bill.custom.text,
            "Score_c": bill.custom.number,
            "CheckedOn_c": bill.custom.day,
            "Urgent_c": bill.custom.flag,
            "VendorNumVendorID": vendor.code,
            "VendorNumName": vendor.name,
        }
        yield made(bill, row, invoice.part)


def _fiscal(view: View, invoice: _Invoice) -> Row:
    bill = invoice.bill
    batch = bill.voiding_batch_nbr if invoice.is_correction else bill.batch_nbr
    journal = None if batch is None else view.company.journals[f"AP|{batch}"]
    year, period = fiscal(bill.period if journal is None else journal.period)
    return {
        "ApplyDate": bill.date if journal is None else journal.date,
        "FiscalYear": year,
        "FiscalYearSuffix": "",
        "FiscalPeriod": period,
        "FiscalCalendarID": FISCAL_CALENDAR,
        "JournalCode": "" if batch is None else journal_code(view, "AP", batch),
        "JournalNum": 0 if batch is None else number(batch),
    }


def _lines(view: View) -> Iterator[Made]:
    for invoice in _documents(view):
        for line in invoice.bill.lines:
            yield made(invoice.bill, _line(view, invoice, line), f"{invoice.part}|{line.line_nbr}")


def _line(view: View, invoice: _Invoice, line: BillLine) -> Row:
    sign = invoice.sign
    is_received = line.receipt_nbr is not None
    return {
        "VendorNum": view.vendor_num(invoice.bill.vendor),
        "InvoiceNum": invoice.number,
        "InvoiceLine": line.line_nbr,
        "LineType": "R" if is_received else "M",
        "PartNum": line.item or "",
        "Description": line.description,
        "PONum": str(number(line.order_nbr)) if line.order_nbr else "",  # text, here only
        "POLine": line.order_line_nbr or 0,
        "PORelNum": 1 if line.order_nbr else 0,
        "PackSlip": line.receipt_nbr or "",
        "PackLine": line.receipt_line_nbr or 0,
        "VendorQty": line.quantity,
        "OurQty": line.quantity,
        "PUM": line.unit,
        "IUM": line.unit,
        "UnitCost": (line.unit_cost * invoice.bill.rate).quantize(line.unit_cost),
        "DocUnitCost": line.unit_cost,
        "ExtCost": line.base_amount * sign,
        "DocExtCost": line.amount * sign,
        "Site_c": line.custom.text,
        "Weight_c": line.custom.number,
    }


def _schedules(view: View) -> Iterator[Made]:
    for invoice in _documents(view):
        for pay_seq, (date, base, amount) in enumerate(_instalments(invoice), start=1):
            yield made(
                invoice.bill,
                {
                    "VendorNum": view.vendor_num(invoice.bill.vendor),
                    "InvoiceNum": invoice.number,
                    "PaySeq": pay_seq,
                    "PayDueDate": date,
                    "PayAmt": base,
                    "DocPayAmt": amount,
                },
                f"schedule|{pay_seq}",
            )


def _instalments(invoice: _Invoice) -> Iterator[tuple[dt.date, Decimal, Decimal]]:
    """Due dates with base and document amounts; what is not to be paid has none."""
    bill = invoice.bill
    if bill.due_date is None or invoice.is_correction:
        return
    due = [bill.due_date]
    if bill.terms == _TWO_RATES:
        due.insert(0, bill.due_date - dt.timedelta(days=30))
    base_left, left = bill.base_amount, bill.amount
    for place, date in enumerate(due):
        rest = len(due) - place
        base, amount = cents(base_left / rest), cents(left / rest)
        yield date, base, amount
        base_left, left = base_left - base, left - amount


# ----------------------------------------------------------------- payments


def _checks(view: View) -> Iterator[Made]:
    for payment in view.own(view.company.payments.values()):
        year, period = fiscal(payment.period)
        is_voided = payment.status is DocumentStatus.VOIDED
        is_cleared = payment.status is DocumentStatus.CLOSED and payment.archived
        yield made(
            payment,
            {
                "HeadNum": number(payment.payment_nbr),
                "CheckNum": _check_num(payment),
                "CheckDate": payment.date,
                "BankAcctID": bank_account(payment.cash_account),
                "VendorNum": view.vendor_num(payment.vendor),
                "Name": view.company.vendors[payment.vendor].name,
                "Posted": payment.status is not DocumentStatus.HOLD,
                "Voided": is_voided,
                "VoidedReason": "Entered in error" if is_voided else "",
                "CheckSrc": "1" if payment.method == "CHECK" else "2",
                "CheckAmt": payment.base_amount,
                "DocCheckAmt": payment.amount,
                "PaymentTotal": payment.base_amount,
                "CurrencyCode": payment.currency,
                "ExchangeRate": payment.rate,
                "PMUID": _PMUIDS[payment.method],
                "CheckRef": payment.payment_ref or "",
                "FiscalYear": year,
                "FiscalYearSuffix": "",
                "FiscalPeriod": period,
                "FiscalCalendarID": FISCAL_CALENDAR,
                "ClearedCheck": is_cleared,
                "ClearedDate": payment.date if is_cleared else None,
                "ClearedAmt": payment.base_amount if is_cleared else ZERO,
                "ElecPayment": payment.method != "CHECK",
                "VendorBankAcct": f"DE00{view.vendor_num(payment.vendor):018d}",
                "VendorNumVendorID": payment.vendor,
            },
        )
    if view.switches.payroll_checks:
        yield from _payroll(view)


def _check_num(payment: Payment) -> int:
    return 50_000 + number(payment.payment_nbr)


def _payroll(view: View) -> Iterator[Made]:
    """One payroll check for every closed month; payroll shares the table, not the books."""
    for place, period in enumerate(view.company.periods.values(), start=1):
        if not period.closed:
            continue
        year, month = fiscal(period.code)
        yield Made(
            f"payroll|{period.code}",
            period.created_at,
            period.created_at,
            {
                "HeadNum": _PAYROLL_HEADS + place,
                "CheckNum": 70_000 + place,
                "CheckDate": period.ends_on,
                "BankAcctID": bank_account("010100"),
                "VendorNum": 0,
                "Name": "Employee 1",
                "Posted": True,
                "Voided": False,
                "VoidedReason": "",
                "CheckSrc": "4",
                "CheckAmt": cents(ZERO + 4_250),
                "DocCheckAmt": cents(ZERO + 4_250),
                "PaymentTotal": cents(ZERO + 4_250),
                "CurrencyCode": view.company.base_currency,
                "FiscalYear": year,
                "FiscalYearSuffix": "",
                "FiscalPeriod": month,
                "FiscalCalendarID": FISCAL_CALENDAR,
            },
        )


def _applications(view: View) -> Iterator[Made]:
    """A void is a second row with the signs turned; the first one stays as it was."""
    for payment in view.own(view.company.payments.values()):
        for tran_no, application in enumerate(payment.applications, start=1):
            row = _application(view, payment, application, tran_no)
            yield made(payment, row, f"{tran_no}")
            if payment.voiding_batch_nbr is not None:
                reversal = view.company.journals[f"AP|{payment.voiding_batch_nbr}"]
                undone = row | {
                    "Voided": True,
                    "TranDate": reversal.date,
                    "TranAmt": -application.base_amount * application.type.sign,
                    "DocTranAmt": -application.amount * application.type.sign,
                }
                yield made(reversal, undone, f"{payment.payment_nbr}|{tran_no}|void")


def _application(view: View, payment: Payment, application: Application, tran_no: int) -> Row:
    bill = view.company.bills[f"{application.type}|{application.reference_nbr}"]
    return {
        "HeadNum": number(payment.payment_nbr),
        "APTranNo": tran_no,
        "InvoiceNum": invoice_num(bill),
        "Voided": False,
        "TranType": "Pay" if application.type is not BillType.DEBIT_ADJUSTMENT else "Adj",
        "TranAmt": application.base_amount * application.type.sign,
        "DocTranAmt": application.amount * application.type.sign,
        "TranDate": payment.date,
        "CheckNum": _check_num(payment),
        "VendorNum": view.vendor_num(payment.vendor),
        "CurrencyCode": payment.currency,
        "Posted": payment.status is not DocumentStatus.HOLD,
        "GLPosted": payment.status is not DocumentStatus.HOLD,
        "VendorName": view.company.vendors[payment.vendor].name,
    }


TABLES = (
    table(
        "APInvHed",
        "VendorNum InvoiceNum",
        _invoices,
        "VendorNum:int InvoiceNum InvoiceDate:date DueDate:date DiscountDate:date ApplyDate:date TermsCode"
        " DebitMemo:bool Posted:bool OpenPayable:bool PayHold:bool InvoiceHeld:bool GroupID Description InvoiceRef"
        " SupplierRef REFPONum:int CurrencyCode ExchangeRate:dec InvoiceAmt:dec DocInvoiceAmt:dec InvoiceBal:dec"
        " DocInvoiceBal:dec UnpostedBal:dec TaxAmt:dec DocTaxAmt:dec DiscountAmt:dec FiscalYear:int"
        " FiscalPeriod:int FiscalYearSuffix FiscalCalendarID JournalCode JournalNum:int LegalNumber EntryPerson"
        " PrePayment:bool CorrectionInv:bool InvoiceType GLPosted:bool PayDates PayAmounts Plant ChangedBy"
        " ChangeDate:date",
        looked_up="VendorNumVendorID VendorNumName",
        customs="Remark_c Score_c:dec CheckedOn_c:date Urgent_c:bool",
    ),
    table(
        "APInvDtl",
        "VendorNum InvoiceNum InvoiceLine",
        _lines,
        "VendorNum:int InvoiceNum InvoiceLine:int LineType PartNum Description PONum POLine:int PORelNum:int"
        " PackSlip PackLine:int VendorQty:dec OurQty:dec PUM IUM UnitCost:dec DocUnitCost:dec ExtCost:dec"
        " DocExtCost:dec TotalMiscChrg:dec LineDiscAmt:dec TaxCatID JobNum AssetNum FinalInvoice:bool ChangedBy"
        " ChangeDate:date",
        customs="Site_c Weight_c:dec",
    ),
    table(
        "APInvSched",
        "VendorNum InvoiceNum PaySeq",
        _schedules,
        "VendorNum:int InvoiceNum PaySeq:int PayDueDate:date PayAmt:dec DocPayAmt:dec CreatedBy CreatedOn:stamp"
        " ChangedBy ChangedOn:stamp",
    ),
    table(
        "CheckHed",
        "HeadNum",
        _checks,
        "HeadNum:int CheckNum:int CheckDate:date BankAcctID VendorNum:int Name Posted:bool Voided:bool VoidedReason"
        " CheckSrc CheckAmt:dec DocCheckAmt:dec PaymentTotal:dec CurrencyCode ExchangeRate:dec PMUID:int CheckRef"
        " FiscalYear:int FiscalPeriod:int FiscalYearSuffix FiscalCalendarID ClearedCheck:bool ClearedDate:date"
        " ClearedTime ClearedAmt:dec ElecPayment:bool VendorBankAcct VendorBankIBANCode ChangedBy ChangeDate:date",
        looked_up="VendorNumVendorID",
    ),
    table(
        "APTranSearch",
        "HeadNum APTranNo InvoiceNum Voided",
        _applications,
        "HeadNum:int APTranNo:int InvoiceNum Voided:bool TranType TranAmt:dec DocTranAmt:dec DiscAmt:dec"
        " TranDate:date CheckNum:int VendorNum:int CurrencyCode Posted:bool GLPosted:bool ChangedBy ChangeDate:date",
        looked_up="VendorName",
    ),
)

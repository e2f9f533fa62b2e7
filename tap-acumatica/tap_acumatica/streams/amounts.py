"""Base-currency columns of documents and lines, and what they do to the ledger.

`base_…` is what the ERP holds in base currency. `ledger_…` is the signed effect on the books, so that a plain
SUM ties to the ledger: debit adjustments count negative, and documents that are not released, or voided, count
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_acumatica.streams.columns import amount, flag, number
from tap_acumatica.streams.dac import HeaderAmounts, LineAmounts, counted

if TYPE_CHECKING:
    from tap_acumatica.paging import Row

# What a document adds to payables: bill, credit adjustment, debit adjustment; a prepayment request adds nothing.
_BILL_SIGN: Final = {"INV": 1, "ACR": 1, "ADR": -1, "PPM": 0}
# What a payment pays: check, prepayment, quick check; a refund is money back; a void is the undoing of a payment
# that counts nothing any more, so it counts nothing either.
_PAYMENT_SIGN: Final = {"CHK": 1, "PPM": 1, "QCK": 1, "ADR": 0, "REF": -1, "VCK": 0, "VQC": 0, "VRF": 0}
STATES: Final = (
    flag("released", "Released", "Whether the document is in the books."),
    flag("voided", "Voided", "Whether the document was voided."),
)


def _bill(row: Row) -> Row:
    sign = _BILL_SIGN.get(row["DocType"])
    amount_, balance = number(row["OrigDocAmt"]), number(row["DocBal"])
    return {
        "base_amount": amount_,
        "base_balance": balance,
        "ledger_amount": counted(row, amount_, sign),
        "ledger_balance": counted(row, balance, sign),
        "released": row["Released"],
        "voided": row["Voided"],
    }


def _bill_line(line: Row, header: Row) -> Row:
    value = number(line["TranAmt"])
    return {"base_amount": value, "ledger_amount": counted(header, value, _BILL_SIGN.get(header["DocType"]))}


def _payment(row: Row) -> Row:
    value = number(row["OrigDocAmt"])
    return {
        "base_amount": value,
        "ledger_amount": counted(row, value, _PAYMENT_SIGN.get(row["DocType"])),
        "released": row["Released"],
        "voided": row["Voided"],
    }


def _application(line: Row, header: Row) -> Row:
    value = number(line["AdjAmt"])
    return {"base_amount": value, "ledger_amount": counted(header, value, 1)}


def _order_line(line: Row, _: Row) -> Row:
    return {"base_extended_cost": number(line["ExtCost"])}


def _receipt(row: Row) -> Row:
    return {"base_total_cost": number(row["OrderTotal"]), "released": row["Released"]}


def _journal_line(line: Row, _: Row) -> Row:
    debit, credit = number(line["DebitAmt"]), number(line["CreditAmt"])
    posted = bool(line["Posted"])
    return {
        "base_debit_amount": debit,
        "base_credit_amount": credit,
        "ledger_debit_amount": debit if posted else 0,
        "ledger_credit_amount": credit if posted else 0,
    }


def _order(row: Row) -> Row:
    return {
        "base_order_total": number(row["OrderTotal"]),
        "base_line_total": number(row["LineTotal"]),
        "base_tax_total": number(row["TaxTotal"]),
    }


BILLS: Final = HeaderAmounts(
    dac="APRegister",
    keys=("DocType", "RefNbr"),
    select=("OrigDocAmt", "DocBal", "Released", "Voided"),
    where=" or ".join(f"DocType eq '{code}'" for code in _BILL_SIGN),
    columns=(
        amount("base_amount", "APRegister.OrigDocAmt", "Amount in base currency."),
        amount("base_balance", "APRegister.DocBal", "Open balance in base currency."),
        amount("ledger_amount", "", "Effect on payables in base currency; 0 until released and when voided."),
        amount(
            "ledger_balance",
            "",
            "Open effect on payables in base currency; 0 until released and when voided.",
        ),
        *STATES,
    ),
    compute=_bill,
)
BILL_LINES: Final = LineAmounts(
    dac="APTran",
    document=("TranType", "RefNbr"),
    header=("DocType", "RefNbr"),
    select=("TranAmt",),
    columns=(
        amount("base_amount", "APTran.TranAmt", "Amount in base currency."),
        amount(
            "ledger_amount", "", "Part of the bill's effect on payables; 0 until released and when voided."
        ),
    ),
    compute=_bill_line,
)
PAYMENTS: Final = HeaderAmounts(
    dac="APPayment",
    keys=("DocType", "RefNbr"),
    select=("OrigDocAmt", "Released", "Voided"),
    columns=(
        amount("base_amount", "APPayment.OrigDocAmt", "Amount in base currency."),
        amount("ledger_amount", "", "What was paid, in base currency; 0 until released and when voided."),
        *STATES,
    ),
    compute=_payment,
)
PAYMENT_APPLICATIONS: Final = LineAmounts(
    dac="APAdjust",
    document=("AdjgDocType", "AdjgRefNbr"),
    header=("DocType", "RefNbr"),
    select=("AdjAmt",),
    columns=(
        amount("base_amount", "APAdjust.AdjAmt", "Applied amount in base currency."),
        amount(
            "ledger_amount",
            "",
            "Applied amount in base currency; 0 until the payment is released, and voided.",
        ),
    ),
    compute=_application,
    order=("AdjdDocType", "AdjdRefNbr", "AdjdLineNbr", "AdjNbr"),
    # The ERP's codes of document types are not its labels, so rows are told apart by number and amount. Two that
    # agree in both were paid by one payment at one rate and agree in base currency too.
    match=("AdjdRefNbr", "CuryAdjgAmt"),
    like=("doc_reference_nbr", "amount_paid"),
)
JOURNAL_LINES: Final = LineAmounts(
    dac="GLTran",
    document=("Module", "BatchNbr"),
    header=("module", "batch_nbr"),
    select=("DebitAmt", "CreditAmt", "Posted"),
    columns=(
        amount("base_debit_amount", "GLTran.DebitAmt", "Debit in base currency."),
        amount("base_credit_amount", "GLTran.CreditAmt", "Credit in base currency."),
        amount("ledger_debit_amount", "", "Debit in base currency once the batch is posted, else 0."),
        amount("ledger_credit_amount", "", "Credit in base currency once the batch is posted, else 0."),
    ),
    compute=_journal_line,
)
PURCHASE_ORDERS: Final = HeaderAmounts(
    dac="POOrder",
    keys=("OrderType", "OrderNbr"),
    select=("OrderTotal", "LineTotal", "TaxTotal"),
    columns=(
        amount("base_order_total", "POOrder.OrderTotal", "Order total in base currency."),
        amount("base_line_total", "POOrder.LineTotal", "Total of the lines in base currency."),
        amount("base_tax_total", "POOrder.TaxTotal", "Tax in base currency."),
    ),
    compute=_order,
)
PURCHASE_ORDER_LINES: Final = LineAmounts(
    dac="POLine",
    document=("OrderType", "OrderNbr"),
    header=("OrderType", "OrderNbr"),
    select=("ExtCost",),
    columns=(amount("base_extended_cost", "POLine.ExtCost", "Extended cost in base currency."),),
    compute=_order_line,
)
PURCHASE_RECEIPTS: Final = HeaderAmounts(
    dac="POReceipt",
    keys=("ReceiptType", "ReceiptNbr"),
    select=("OrderTotal", "Released"),
    columns=(
        amount("base_total_cost", "POReceipt.OrderTotal", "Total cost in base currency."),
        STATES[0],
    ),
    compute=_receipt,
)
PURCHASE_RECEIPT_LINES: Final = LineAmounts(
    dac="POReceiptLine",
    document=("ReceiptType", "ReceiptNbr"),
    header=("ReceiptType", "ReceiptNbr"),
    select=("ExtCost",),
    columns=(amount("base_extended_cost", "POReceiptLine.ExtCost", "Extended cost in base currency."),),
    compute=_order_line,
)

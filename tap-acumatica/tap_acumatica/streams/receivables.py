"""Base-currency columns of customers' documents, and what they do to the ledger; see `amounts` for payables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_acumatica.streams.amounts import STATES
from tap_acumatica.streams.columns import amount, number
from tap_acumatica.streams.dac import HeaderAmounts, LineAmounts, counted

if TYPE_CHECKING:
    from tap_acumatica.paging import Row

# What a document adds to receivables: invoice, debit memo, overdue charge, write-off of a credit; credit memo.
# Cash sales and cash returns are paid at once.
_INVOICE_SIGN: Final = {"INV": 1, "DRM": 1, "FCH": 1, "SMC": 1, "CRM": -1, "CSL": 0, "RCS": 0}
# What a payment brings: payment, prepayment; a refund is money out. A voiding payment undoes one that counts nothing
# any more, a credit memo that is applied and a written-off balance bring no money.
_PAYMENT_SIGN: Final = {"PMT": 1, "PPM": 1, "REF": -1, "RPM": 0, "VRF": 0, "CRM": 0, "SMB": 0}


def _invoice(row: Row) -> Row:
    sign = _INVOICE_SIGN.get(row["DocType"])
    amount_, balance = number(row["OrigDocAmt"]), number(row["DocBal"])
    return {
        "base_amount": amount_,
        "base_balance": balance,
        "ledger_amount": counted(row, amount_, sign),
        "ledger_balance": counted(row, balance, sign),
        "released": row["Released"],
        "voided": row["Voided"],
    }


def _invoice_line(line: Row, header: Row) -> Row:
    value = number(line["TranAmt"])
    return {
        "base_amount": value,
        "ledger_amount": counted(header, value, _INVOICE_SIGN.get(header["DocType"])),
    }


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


def _order(row: Row) -> Row:
    return {"base_order_total": number(row["OrderTotal"])}


def _order_line(line: Row, _: Row) -> Row:
    return {"base_amount": number(line["LineAmt"])}


INVOICES: Final = HeaderAmounts(
    dac="ARInvoice",
    keys=("DocType", "RefNbr"),
    select=("OrigDocAmt", "DocBal", "Released", "Voided"),
    columns=(
        amount("base_amount", "ARInvoice.OrigDocAmt", "Amount in base currency."),
        amount("base_balance", "ARInvoice.DocBal", "Open balance in base currency."),
        amount(
            "ledger_amount", "", "Effect on receivables in base currency; 0 until released and when voided."
        ),
        amount(
            "ledger_balance",
            "",
            "Open effect on receivables in base currency; 0 until released and when voided.",
        ),
        *STATES,
    ),
    compute=_invoice,
)
INVOICE_LINES: Final = LineAmounts(
    dac="ARTran",
    document=("TranType", "RefNbr"),
    header=("DocType", "RefNbr"),
    select=("TranAmt",),
    columns=(
        amount("base_amount", "ARTran.TranAmt", "Amount in base currency."),
        amount(
            "ledger_amount",
            "",
            "Part of the invoice's effect on receivables; 0 until released and when voided.",
        ),
    ),
    compute=_invoice_line,
)
RECEIPTS: Final = HeaderAmounts(
    dac="ARPayment",
    keys=("DocType", "RefNbr"),
    select=("OrigDocAmt", "Released", "Voided"),
    columns=(
        amount("base_amount", "ARPayment.OrigDocAmt", "Amount in base currency."),
        amount("ledger_amount", "", "What was received, in base currency; 0 until released and when voided."),
        *STATES,
    ),
    compute=_payment,
)
RECEIPT_APPLICATIONS: Final = LineAmounts(
    dac="ARAdjust",
    document=("AdjgDocType", "AdjgRefNbr"),
    header=("DocType", "RefNbr"),
    select=("AdjAmt",),
    columns=(
        amount("base_amount", "ARAdjust.AdjAmt", "Applied amount in base currency."),
        amount(
            "ledger_amount",
            "",
            "Applied amount in base currency; 0 until the payment is released, and voided.",
        ),
    ),
    compute=_application,
    order=("AdjdDocType", "AdjdRefNbr", "AdjdLineNbr", "AdjNbr"),
    match=("AdjdRefNbr", "CuryAdjgAmt"),
    like=("doc_reference_nbr", "amount_paid"),
)
SALES_ORDERS: Final = HeaderAmounts(
    dac="SOOrder",
    keys=("OrderType", "OrderNbr"),
    select=("OrderTotal",),
    columns=(amount("base_order_total", "SOOrder.OrderTotal", "Order total in base currency."),),
    compute=_order,
)
SALES_ORDER_LINES: Final = LineAmounts(
    dac="SOLine",
    document=("OrderType", "OrderNbr"),
    header=("OrderType", "OrderNbr"),
    select=("LineAmt",),
    columns=(amount("base_amount", "SOLine.LineAmt", "Amount in base currency."),),
    compute=_order_line,
)

"""What a target should know of columns and streams beside their types, told by the ERP's names.

Hints stand in `x-sql-datatype-properties`, which catalogs keep; see "Hints for Tableau" in target-tableau's README.
The instance's own description gives types alone, so labels are the names in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE: Final[Mapping[str, Any]] = {"currency": "base"}
_DOCUMENT: Final[Mapping[str, Any]] = {"currency": "document"}
_TECHNICAL: Final[Mapping[str, Any]] = {"folder": "IDs", "hidden": True}

_MONEY: Final = re.compile(
    r"(Amt|Amount|Bal|Balance|Cost|Charge|Chrg|Charges|Tax|Total|Limit|Value|Debit|Credit|Price|Order)\d*$|Amt"
    r"|ExtPriceDtl$|^(Doc)?Total|^(Doc)?Discount$"
)
_NO_MONEY: Final = re.compile(r"Percent|Pct|Qty|Quantity|Rate|Factor|Weight|Days")
_IN_DOCUMENT: Final = re.compile(r"^Doc(?=[A-Z])")
_LEDGER_IN_DOCUMENT: Final = frozenset({"gl_journal_lines.DebitAmount", "gl_journal_lines.CreditAmount"})
_PRICE: Final = re.compile(r"Unit(Cost|Price)$")
_COUNTS: Final = re.compile(r"Days|Count$|Qty|Quantity|Months$")
_NOT_OVER: Final[Mapping[str, Any]] = {
    "gl_period_balances.OpenBalance": {"not_over": ["fiscal_year", "fiscal_period"]}
}
_MEANINGS: Final[Mapping[str, str]] = {
    "ap_invoices.DebitMemo": "Debit memos have negative amounts.",
    "ap_invoices.OpenPayable": "Something of it is still to be paid.",
    "ap_invoices.Posted": "False while it is still being entered.",
    "ap_payment_applications.Voided": "A void is a second row with the signs turned, so that sums stay right.",
    "ap_payments.CheckSrc": "1 payables, 2 by hand, 3 by the user, 4 to 6 payroll.",
    "gl_journal_lines.BookID": "Every book has its own copy of a line.",
    "gl_period_balances.BalanceType": "D the accounts themselves, S and B sums of them.",
    "gl_period_balances.FiscalPeriod": "0 holds what is carried forward.",
    "gl_segment_values.SegmentNbr": "1 is the natural account; which one is the cost center differs by company.",
    "purchase_order_lines.OrderQty": "In the supplier's unit.",
    "purchase_order_lines.XOrderQty": "In our own unit.",
    "purchase_order_releases.RelQty": "In the supplier's unit.",
    "purchase_order_releases.XRelQty": "In our own unit.",
    "purchase_orders.ApprovalStatus": "U not approved yet, P pending, A approved, R refused.",
    "vendors.VendorID": "What users see, and may change; the vendor number stays.",
}
_LABELS: Final[Mapping[str, str]] = {
    "APTranNo": "AP transaction number",
    "BuyerIDName": "Buyer name",
    "CostPerCode": "Cost is per",
    "CustNumCustID": "Customer ID",
    "CustNumName": "Customer name",
    "CustomerCustID": "Customer ID",
    "EMailAddress": "Email address",
    "Company": "Company",
    "FOB": "FOB",
    "InActive": "Inactive",
    "MinOrderValue": "Minimum order value",
    "PrePayment": "Prepayment",
    "REFPONum": "Reference PO number",
    "SysRevID": "Revision",
    "SysRowID": "Row ID",
    "VenPartNum": "Vendor part number",
    "VendorNumName": "Vendor name",
    "VendorNumVendorID": "Vendor ID",
    "VendorVendorID": "Vendor ID",
    "GLAccount1": "GL account",
    "GLAcctDispGLAcctDisp": "GL account as displayed",
    "GLAcctDispGLShortAcct": "GL account, short",
    "BalanceAcctDisp": "Account as displayed",
    "IUM": "Inventory unit",
    "JEDate": "Journal entry date",
    "PMUID": "Payment method number",
    "PONUM": "PO number",
    "PUM": "Purchasing unit",
    "Plant1": "Site",
    "SalesUM": "Sales unit",
    "SegmentNbr": "Segment number",
    "UM": "Unit",
    "XOrderQty": "Order quantity (our unit)",
    "XRelQty": "Release quantity (our unit)",
}
# fmt: off
_WORDS: Final[Mapping[str, str]] = {
    "acct": "account", "addr": "address", "amt": "amount", "bal": "balance", "cat": "category", "chrg": "charge",
    "coa": "COA",
    "cur": "currency", "curr": "currency", "cust": "customer", "desc": "description", "dest": "destination",
    "disc": "discount", "disp": "displayed", "doc": "document", "dtl": "detail", "eff": "effective",
    "elec": "electronic", "est": "established", "exch": "exchange", "ext": "extended", "hed": "header",
    "inv": "invoice", "jrn": "journal", "misc": "miscellaneous", "mtl": "material", "nbr": "number", "num": "number",
    "orig": "original", "pmt": "payment", "po": "PO", "prim": "primary", "prod": "product",
    "pur": "purchase", "qty": "quantity", "rcv": "receipt", "ref": "reference", "rel": "release", "req": "requested",
    "seg": "segment", "seq": "sequence", "sys": "system", "trans": "transaction", "tran": "transaction",
    "val": "value", "vend": "vendor", "whse": "warehouse", "gl": "GL", "ap": "AP", "ar": "AR", "id": "ID",
}
# fmt: on


def hints_of(stream: str, source: str, kind: str) -> Mapping[str, Any]:
    """What the name and type of a column tell.

    Amounts whose names begin with Doc are in the currency of the document, the others in that of the company. Whole
    numbers mostly name something. Of columns of one's own installation nobody knows what they hold.

    Args:
        stream: The stream.
        source: The ERP's name of the column.
        kind: Its kind.
    """
    label = {"label": label_of(source)}
    if source in {"SysRevID", "SysRowID"}:
        return {**label, **_TECHNICAL, **({"role": "dimension"} if kind == "integer" else {})}
    if kind == "integer" and not (source.endswith("_c") or _COUNTS.search(source)):
        return {**label, "role": "dimension"}
    is_money = kind == "decimal" and _MONEY.search(source) and not _NO_MONEY.search(source)
    return {**label, **_of_money(stream, source)} if is_money and not source.endswith("_c") else label


def _of_money(stream: str, source: str) -> Mapping[str, Any]:
    price = {"format": "price"} if _PRICE.search(source) else {}
    is_foreign = _IN_DOCUMENT.search(source) or f"{stream}.{source}" in _LEDGER_IN_DOCUMENT
    if not is_foreign:
        return {**BASE, **price, **_NOT_OVER.get(f"{stream}.{source}", {})}
    plain = label_of(_IN_DOCUMENT.sub("", source))
    return {"label": f"{plain} (document currency)", **_DOCUMENT, **price}


def label_of(source: str) -> str:
    """A column's name in words: `VendorNum` is Vendor number, `GLAccount` GL account."""
    if source in _LABELS:
        return _LABELS[source]
    name = source.removesuffix("_c").replace("_", " ")
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", name))
    words = [
        _WORDS.get(word.lower(), word if word.isupper() and len(word) > 1 else word.lower())
        for word in name.split()
    ]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def meaning_of(stream: str, source: str) -> str:
    """What there is to know of a column."""
    return _MEANINGS.get(f"{stream}.{source}", "")


class About(NamedTuple):
    """What a stream holds: its title, a sentence, what a row is, and what must be known to count right."""

    title: str
    description: str
    grain: str
    notes: tuple[str, ...] = ()


_BOTH: Final = "Amounts without Document currency behind them are in the company's own currency."
_LEDGER: Final = "To tie to the ledger, add up what begins with Ledger; what is not posted counts 0 there."
STREAMS: Final[Mapping[str, About]] = {
    "ap_invoice_lines": About(
        "AP invoice lines",
        "What invoices of suppliers are for, without tax; invoices that are still being entered are among them.",
        "One row per line of an invoice.",
        (_BOTH,),
    ),
    "ap_invoice_schedules": About(
        "AP payment schedules", "When invoices of suppliers fall due.", "One row per part of an invoice."
    ),
    "ap_invoices": About(
        "AP invoices", "Invoices and debit memos of suppliers.", "One row per invoice.", (_LEDGER, _BOTH)
    ),
    "ap_payment_applications": About(
        "AP payment applications",
        "What payments were applied to, at the rate of the invoice.",
        "One row per payment and invoice; a void is a row of its own.",
        (_BOTH,),
    ),
    "ap_payments": About("AP payments", "Payments to suppliers.", "One row per payment.", (_LEDGER, _BOTH)),
    "ar_invoice_lines": About(
        "AR invoice lines", "What was invoiced to customers.", "One row per line.", (_BOTH,)
    ),
    "ar_invoices": About(
        "AR invoices", "Invoices and credit memos to customers.", "One row per invoice.", (_LEDGER, _BOTH)
    ),
    "bank_accounts": About("Bank accounts", "The company's bank accounts.", "One row per account."),
    "cash_receipt_lines": About(
        "Cash receipt lines", "What customers paid, and for what.", "One row per line."
    ),
    "charts_of_accounts": About("Charts of accounts", "The charts in use.", "One row per chart."),
    "currencies": About("Currencies", "Currencies in use.", "One row per currency."),
    "customer_ship_tos": About("Ship-to addresses", "Where goods go.", "One row per address of a customer."),
    "customers": About("Customers", "The customers.", "One row per customer."),
    "exchange_rates": About(
        "Exchange rates", "Rates by currency and day.", "One row per pair of currencies and day."
    ),
    "fiscal_periods": About("Fiscal periods", "Periods of the fiscal years.", "One row per period."),
    "gl_accounts": About("GL accounts", "The accounts, with all their segments.", "One row per account."),
    "gl_journal_entries": About(
        "GL journal entries", "Entries made by hand, posted or not.", "One row per entry."
    ),
    "gl_journal_lines": About(
        "GL journal lines",
        "Every posted line of the general ledger.",
        "One row per line and book.",
        (
            "Choose one Book ID before adding up.",
            "Book debit and Book credit amounts are in the book's currency.",
        ),
    ),
    "gl_period_balances": About(
        "GL balances by period",
        "What each account moved in each period.",
        "One row per account, period, book and type of balance.",
        (
            "Choose one Balance type (D) and one Book ID before adding up, or it counts twice.",
            "Period 0 holds what is carried forward; add it to the periods up to a date for a balance.",
        ),
    ),
    "gl_segment_values": About(
        "GL segment values", "Natural accounts, cost centers and the like.", "One row per value."
    ),
    "gl_segments": About(
        "GL segments", "What the parts of an account are.", "One row per segment of a chart."
    ),
    "part_classes": About("Part classes", "Classes of parts.", "One row per class."),
    "part_sites": About("Parts by site", "How parts are kept at sites.", "One row per part and site."),
    "part_transactions": About("Part transactions", "What moved stock.", "One row per movement."),
    "parts": About("Parts", "Goods and services.", "One row per part."),
    "purchase_order_lines": About(
        "Purchase order lines", "What was ordered.", "One row per line of an order.", (_BOTH,)
    ),
    "purchase_order_releases": About(
        "Purchase order releases",
        "When ordered goods come, and what has come.",
        "One row per release of a line.",
    ),
    "purchase_orders": About("Purchase orders", "Orders to suppliers.", "One row per order.", (_BOTH,)),
    "purchase_terms": About("Purchase terms", "Terms of payment of suppliers.", "One row per code."),
    "receipt_lines": About("Receipt lines", "What was received.", "One row per line of a receipt."),
    "receipts": About("Receipts", "Goods receipts.", "One row per packing slip."),
    "sales_order_lines": About(
        "Sales order lines", "What customers ordered.", "One row per line of an order.", (_BOTH,)
    ),
    "sales_order_releases": About(
        "Sales order releases", "When ordered goods go.", "One row per release of a line."
    ),
    "sales_orders": About("Sales orders", "Orders of customers.", "One row per order.", (_BOTH,)),
    "sites": About("Sites", "Plants.", "One row per site."),
    "terms": About("Terms", "Terms of payment of customers.", "One row per code."),
    "vendor_contacts": About("Vendor contacts", "Persons at vendors.", "One row per contact."),
    "vendor_groups": About("Vendor groups", "Groups of vendors.", "One row per group."),
    "vendors": About("Vendors", "The suppliers.", "One row per vendor."),
}


def stream_hints(stream: str, names: Iterable[str]) -> dict[str, Any]:
    """What the schema of a stream says beside its properties; nothing of streams that settings add.

    Args:
        stream: The stream.
        names: Its properties.
    """
    about = STREAMS.get(stream)
    if about is None:
        return {}
    taken = set(names)
    notes = [
        note for note in about.notes if note != _LEDGER or any(name.startswith("ledger_") for name in taken)
    ]
    own: dict[str, Any] = {"grain": about.grain, **({"notes": notes} if notes else {})}
    return {"title": about.title, "description": about.description, "x-sql-datatype-properties": own}

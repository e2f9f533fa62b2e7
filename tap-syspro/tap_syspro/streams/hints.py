"""What a target should know of columns and streams beside their types, told by the ERP's names.

Hints stand in `x-sql-datatype-properties`, which catalogs keep; see "Hints for Tableau" in target-tableau's README.
Sites describe their tables by names and types alone, so labels are the names in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_syspro.streams.columns import Column

_BASE: Final[Mapping[str, Any]] = {"currency": "base"}
_DOCUMENT: Final[Mapping[str, Any]] = {"currency": "document"}
_CENTS: Final = 2
_PRICE_SCALE: Final = 5
_NO_MONEY: Final = re.compile(r"Pct|Percent|Rate|Qty|Mass|Volume")
_FACTOR: Final = re.compile(r"Fact(?=[A-Z]|$)|Mult$")
_WHOLE_MONEY: Final = re.compile(r"Limit$|Sales$|Profit$|OrderValue$")
_COUNTS: Final = re.compile(r"Num(?=[A-Z0-9])|Days|Count$|gl_codes")
_LINES: Final = frozenset({"por_master_detail", "sor_detail"})

_IN_DOCUMENT: Final[Mapping[str, re.Pattern[str]]] = {
    # columns with a source whose amounts are in the currency of the document, by stream
    "ap_invoice": re.compile(r"."),
    "ap_invoice_pay": re.compile(r"."),
    "ar_invoice": re.compile(r"."),
    "ar_invoice_pay": re.compile(r"."),
    "ar_trn_detail": re.compile(r"^PostValue"),
    "ar_trn_summary": re.compile(r"^Foreign"),
    "gen_journal_detail": re.compile(r"^CurrencyValue"),
    "por_master_detail": re.compile(r"Foreign|For$"),
    "sor_detail": re.compile(r"."),
}
_OWN: Final = re.compile(r"^(gen|inv|ar_trn|por)_")
"""Streams whose other amounts are in the company's own currency."""

_NOT_OVER: Final[Mapping[str, tuple[str, ...]]] = {
    "gen_history": ("gl_year",),
    "gen_history_periods.closing_balance": ("gl_year", "period"),
}
_MEANINGS: Final[Mapping[str, str]] = {
    "ap_invoice.InvoiceStatus": "Empty or 0 open, 1 paid in part, 9 paid, D disputed, H on hold.",
    "ap_invoice.MthInvBal1": "What is open now; 2 and 3 are the two periods before.",
    "ar_invoice.DocumentType": "I invoice, C credit note, D debit note.",
    "ar_invoice.InvoiceBal1": "What is open now; 2 and 3 are the two periods before.",
    "ar_trn_summary.DocumentType": "I invoice, C credit note, D debit note.",
    "gen_budgets.BudgetType": "C is the current one.",
    "gen_history.ClosingBalPer1": "Balance at the end of the period, debits positive; so are the others.",
    "gen_journal_detail.EntryType": "D debit, C credit.",
    "gen_journal_detail.EntryValue": "Without a sign: Entry type tells debits from credits.",
    "gen_master.AccountType": "A asset, L liability, C capital, R revenue, E expense, S statistical.",
    "gen_transaction.EntryValue": "Debits positive, credits negative.",
    "inv_movements.MovementType": "I stock, S sales.",
    "inv_movements.TrnType": "A adjustment, C cost change, I issue, P physical count, R receipt, T transfer.",
    "por_master_detail.LineType": "1 stock; others are charges and comments.",
    "por_master_hdr.OrderStatus": "0, 1 and 4 open, 9 complete, * cancelled.",
    "sor_master.OrderStatus": "0 to 4, 8 and S open, 9 complete, \\ or * cancelled.",
}
_LABELS: Final[Mapping[str, str]] = {
    "NMscChargeFor": "Miscellaneous charge (document currency)",
    "NMscChargeValue": "Miscellaneous charge",
    "TimeStamp": "Row version",
}
# fmt: off
_WORDS: Final[Mapping[str, str]] = {
    "acc": "account", "addr": "address", "alloc": "allocation", "amt": "amount", "ap": "AP", "ar": "AR",
    "auth": "authorised", "bal": "balance", "ch": "cheque", "chg": "charge", "chk": "check", "chq": "cheque",
    "com": "comment", "cont": "contract", "conv": "conversion", "cr": "credit", "cur": "currency", "cust": "customer",
    "dat": "date", "del": "delivery", "des": "description", "desc": "description", "dest": "destination",
    "disc": "discount", "dr": "debit", "dsb": "disbursement", "ecc": "ECC", "edi": "EDI", "eft": "EFT",
    "fact": "factor", "fst": "FST", "gl": "GL", "grn": "GRN", "gst": "GST", "hh": "hour", "id": "ID",
    "inv": "invoice", "jnl": "journal", "lab": "labour", "lct": "LCT", "lin": "line", "loc": "location",
    "lvl": "level", "manuf": "manufacturing", "mm": "minute", "mrp": "MRP", "msc": "miscellaneous", "mtd": "MTD",
    "mth": "month", "mult": "multiple", "nons": "non-stocked", "num": "number", "op": "operation", "ord": "order",
    "orig": "original", "outst": "outstanding", "paym": "payment", "pct": "percent", "per": "period", "po": "PO",
    "prc": "price", "prt": "print", "ptd": "PTD", "purch": "purchase", "pyr": "previous year", "qty": "quantity",
    "ref": "reference", "regn": "registration", "req": "requested", "reqd": "required", "reqn": "requisition",
    "resched": "rescheduled", "rma": "RMA", "sched": "schedule", "sls": "sales", "so": "SO", "std": "standard",
    "sup": "supplier", "trf": "transfer", "triang": "triangulation", "trn": "transaction", "um": "unit",
    "uom": "unit", "upd": "updated", "val": "value", "vat": "VAT", "vol": "volume", "wh": "warehouse",
    "whs": "warehouse", "wip": "WIP", "ytd": "YTD",
}
# fmt: on


def hints_of(stream: str, column: Column) -> dict[str, Any]:
    """What the name and type of a column tell.

    Args:
        stream: The stream.
        column: The column.
    """
    source = column.source
    hints: dict[str, Any] = {"label": label_of(stream, source)} if source else {}
    if column.kind == "rowversion":
        return {**hints, "hidden": True}
    if column.name == "_company":
        return {"label": "Company"}
    name = source or column.name
    if column.kind == "integer":
        if _WHOLE_MONEY.search(name):
            return {**hints, **_currency(stream, source)}
        return hints if _COUNTS.search(name) else {**hints, "role": "dimension"}
    if column.kind == "decimal":
        hints |= _of_number(stream, column, name)
    return hints


def _of_number(stream: str, column: Column, name: str) -> dict[str, Any]:
    if _FACTOR.search(name):
        return {"format": "rate"}
    if _NO_MONEY.search(name) or column.scale not in {_CENTS, _PRICE_SCALE}:
        return {}
    found: dict[str, Any] = {**_currency(stream, column.source)}
    if column.scale == _PRICE_SCALE:
        found["format"] = "price"
    elif stream == "sor_detail" and name == "order_value":
        found |= _DOCUMENT
    for key in (stream, f"{stream}.{name}"):
        if name.startswith(("ClosingBal", "closing", "BeginYear")) and key in _NOT_OVER:
            found["not_over"] = list(_NOT_OVER[key])
    return found


def _currency(stream: str, source: str) -> Mapping[str, Any]:
    """Whose currency an amount is in; what the tap works out is in the company's own."""
    if not source:
        return _BASE
    pattern = _IN_DOCUMENT.get(stream)
    if pattern and pattern.search(source):
        return _DOCUMENT
    return _BASE if _OWN.search(stream) else {}


def label_of(stream: str, source: str) -> str:
    """A column's name in words: `GlCode` is GL code, `MStockCode` of a line Stock code."""
    if source in _LABELS:
        return _LABELS[source]
    name = re.sub("MulDiv$", "RateDirection", source)
    if stream in _LINES:
        name = re.sub(r"^[MN](?=[A-Z])", "", name)
    behind = ""
    if name.startswith("SubMod"):
        name, behind = name.removeprefix("SubMod"), " (sub-ledger)"
    name = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = [
        _WORDS.get(word.lower(), word if word.isupper() and len(word) > 1 else word.lower())
        for word in re.split(r"[ _]+", name)
    ]
    sentence = " ".join(words)
    return f"{sentence[:1].upper()}{sentence[1:]}{behind}"


def meaning_of(stream: str, column: Column) -> str:
    """What there is to know of a column."""
    return column.description or _MEANINGS.get(f"{stream}.{column.source}", "")


class About(NamedTuple):
    """What a stream holds: its title, a sentence, what a row is, and what must be known to count right."""

    title: str
    description: str
    grain: str
    notes: tuple[str, ...] = ()


_LEDGER: Final = "To tie to the ledger, add up what begins with Ledger: it is in the company's own currency."
_THREE: Final = "Of balances 1, 2 and 3 (this period and the two before) add up one alone."
STREAMS: Final[Mapping[str, About]] = {
    "ap_invoice": About("AP invoices", "Invoices of suppliers.", "One row per invoice.", (_LEDGER, _THREE)),
    "ap_invoice_pay": About(
        "AP payments and adjustments",
        "What changed the balance of invoices.",
        "One row per change.",
        (_LEDGER,),
    ),
    "ap_supplier": About("Suppliers", "The suppliers.", "One row per supplier."),
    "ap_supplier_addr": About("Supplier addresses", "Addresses and remittance.", "One row per supplier."),
    "ap_terms": About("AP terms", "Terms of payment of suppliers.", "One row per code."),
    "ar_customer": About("Customers", "The customers.", "One row per customer."),
    "ar_customer_bal": About(
        "Customer balances", "What customers owe and bought.", "One row per customer.", (_THREE,)
    ),
    "ar_invoice": About("AR invoices", "Invoices to customers.", "One row per document.", (_LEDGER, _THREE)),
    "ar_invoice_pay": About(
        "AR payments and adjustments",
        "What changed the balance of invoices.",
        "One row per change.",
        (_LEDGER,),
    ),
    "ar_terms": About("AR terms", "Terms of payment of customers.", "One row per code."),
    "ar_trn_detail": About("Sales lines", "Lines of invoices, as they were sold.", "One row per line."),
    "ar_trn_summary": About("Sales", "Invoices as they were sold.", "One row per invoice.", (_LEDGER,)),
    "cost_centers": About(
        "Segments of GL codes",
        "Accounts, cost centers and other parts of GL codes.",
        "One row per segment and value.",
    ),
    "gen_analysis_code": About("Analysis codes", "Codes for analysis in the ledger.", "One row per code."),
    "gen_analysis_trn": About("Analysis entries", "Entries by analysis code.", "One row per entry and code."),
    "gen_budgets": About("Budgets", "Budgets by account and period.", "One row per account and budget."),
    "gen_groups": About("GL groups", "Groups of accounts.", "One row per group."),
    "gen_history": About(
        "GL balances by year", "Balances at the ends of periods.", "One row per account and year."
    ),
    "gen_history_periods": About(
        "GL balances by period",
        "Balances at the ends of periods, and what moved in them.",
        "One row per account, year and period; period 0 is the balance that the year began with.",
        ("Movements may be added up over periods of a year, closing balances never.",),
    ),
    "gen_journal_ctl": About("GL journals", "Journals.", "One row per journal."),
    "gen_journal_detail": About(
        "GL journal lines",
        "Lines of journals, posted or not; what is in the ledger is in the ledger entries.",
        "One row per line.",
        ("Add up Signed value: Entry value has no sign.",),
    ),
    "gen_master": About("GL accounts", "The chart of accounts.", "One row per GL code and company."),
    "gen_transaction": About(
        "Ledger entries", "Every posted line of the general ledger.", "One row per line.", (_LEDGER,)
    ),
    "inv_master": About("Stock codes", "Goods and services.", "One row per stock code."),
    "inv_movements": About("Stock movements", "What moved stock.", "One row per movement."),
    "inv_warehouse": About(
        "Stock by warehouse",
        "What is on hand, ordered and allocated now.",
        "One row per stock code and warehouse.",
        ("Quantities of different units are not to be added up.",),
    ),
    "por_master_detail": About(
        "Purchase order lines",
        "What was ordered.",
        "One row per line of an order.",
        ("Charges have no quantity and price: add Miscellaneous charge to Order value.",),
    ),
    "por_master_hdr": About(
        "Purchase orders", "Orders to suppliers.", "One row per order; its lines hold the amounts."
    ),
    "sor_additions": About(
        "Added sales order lines", "When lines came into sales orders.", "One row per line that was added."
    ),
    "sor_cancelled": About(
        "Cancelled sales order lines",
        "When lines of sales orders were cancelled.",
        "One row per line and time.",
    ),
    "sor_changes": About(
        "Changed sales order lines",
        "When lines of sales orders were changed.",
        "One row per line and change.",
    ),
    "sor_detail": About("Sales order lines", "What customers ordered.", "One row per line of an order."),
    "sor_master": About(
        "Sales orders", "Orders of customers.", "One row per order; its lines hold the amounts."
    ),
}


def stream_hints(stream: str) -> dict[str, Any]:
    """What the schema of a stream says beside its properties; nothing of tables that the catalogue does not know."""
    about = STREAMS.get(stream)
    if about is None:
        return {}
    own: dict[str, Any] = {"grain": about.grain, **({"notes": list(about.notes)} if about.notes else {})}
    return {"title": about.title, "description": about.description, "x-sql-datatype-properties": own}

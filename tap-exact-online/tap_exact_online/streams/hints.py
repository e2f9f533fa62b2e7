"""What a target should know of columns and streams beside their types.

Hints stand in `x-sql-datatype-properties`, which catalogs keep; see "Hints for Tableau" in target-tableau's README.
Meanings and codes are those of the vendor's REST reference (HlpRestAPIResources.aspx), in our words.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE: Final[Mapping[str, Any]] = {"currency": "base"}
_DOCUMENT: Final[Mapping[str, Any]] = {"currency": "document"}
_TECHNICAL: Final[Mapping[str, Any]] = {"folder": "IDs"}
_IN_CURRENCY: Final = re.compile(r"(?<=[a-z])(VAT)?([DF])C(?=$|Excl)|(?<=VAT)([DF])C$")
_COUNTS: Final = re.compile(r"Days|Count$|Quantity|Months$")
_ONE_CURRENCY: Final = frozenset(
    {
        "financial/ReportingBalance",
        "read/financial/AgingPayablesList",
        "read/financial/AgingReceivablesList",
    }
)
"""Endpoints whose amounts are in the currency of the division although their names do not say so."""

_AMOUNT: Final = re.compile(r"Amount|^Total")
_FRACTIONS: Final = frozenset({"vat/VATCodes.Percentage"})
_PERCENT_OR_FRACTION: Final = re.compile(r"VATPercentage$|^Discount$|^Discount(Purchase|Sales)$")

_ENTRY_STATUS: Final = "5 rejected, 20 open, 50 processed."
_TERM_STATUS: Final = "20 open, 30 selected, 40 processed, 50 matched."
_INVOICE_STATUS: Final = "10 draft, 20 open, 50 processed, which means booked, not paid."
_ENTRY_TYPE: Final = (
    "10 opening, 20 sales, 21 sales credit, 30 purchase, 31 purchase credit, 40 cash flow, 50 VAT return, "
    "70-76 assets, 80 revaluation, 82 exchange difference, 83 payment difference, 90 other, 310-328 closing."
)
_MEANINGS: Final[Mapping[str, str]] = {
    "bulk/Cashflow/Payments.Status": _TERM_STATUS,
    "bulk/Cashflow/Receivables.Status": _TERM_STATUS,
    "bulk/Cashflow/Receivables.AmountDC": "Negative for money that is to be received.",
    "financial/Journals.Type": "10 cash, 12 bank, 16 payment service, 20 sales, 21 returned sales, 22 purchase, 23 "
    "returned purchase, 90 general.",
    "financial/ReportingBalance.Status": "20 entries that are open, 50 processed ones.",
    "financial/ReportingBalance.Type": _ENTRY_TYPE,
    "purchase/PurchaseInvoices.Source": "1 by hand, 3 purchase invoice, 4 purchase order, 5 web service.",
    "purchase/PurchaseInvoices.Status": _INVOICE_STATUS,
    "purchase/PurchaseInvoices.Type": "8030 and 8033 invoices, 8031 and 8034 credit notes.",
    "purchaseentry/PurchaseEntries.Status": _ENTRY_STATUS,
    "purchaseentry/PurchaseEntries.Type": "30 purchase entry, 31 credit note.",
    "salesentry/SalesEntries.Status": _ENTRY_STATUS,
    "salesentry/SalesEntries.Type": "20 sales entry, 21 credit note.",
    "sync/CRM/Accounts.Status": "C customer, P prospect, S suspect, A none of them; empty for a supplier alone.",
    "sync/Cashflow/PaymentTerms.LineType": "20 to be received, 22 to be paid.",
    "sync/Cashflow/PaymentTerms.Status": _TERM_STATUS,
    "sync/Financial/GLAccounts.BalanceSide": "D debit, C credit.",
    "sync/Financial/GLAccounts.BalanceType": "B balance sheet, W profit and loss.",
    "sync/Financial/TransactionLines.LineNumber": "0 the side of the creditor, debtor or bank, 9999 VAT and the like.",
    "sync/Financial/TransactionLines.Status": "20 open, 50 processed.",
    "sync/Financial/TransactionLines.Type": _ENTRY_TYPE,
    "sync/PurchaseOrder/PurchaseOrders.LineNumber": "0 the order itself, others its lines.",
    "sync/SalesInvoice/SalesInvoices.LineNumber": "0 the invoice itself, 9999 VAT and rounding, others its lines.",
    "sync/SalesInvoice/SalesInvoices.Status": _INVOICE_STATUS,
    "sync/SalesInvoice/SalesInvoices.Type": "8020 and 8023 invoices, 8021 and 8024 credit notes.",
    "system/Divisions.BlockingStatus": "0 where nothing is blocked.",
    "system/Divisions.Status": "0 inactive, 1 active, 2 archived.",
    "vat/VATCodes.Percentage": "0.2 is 20 %.",
}
_LABELS: Final = {
    "CostCenter": "Cost center code",
    "Costcenter": "Cost center code",
    "CostUnit": "Cost unit code",
    "Costunit": "Cost unit code",
    "GLAP": "Payables GL account ID",
    "GLAR": "Receivables GL account ID",
    "HID": "Number",
    "Hid": "Number",
    "OurRef": "Our reference",
    "Rate": "Exchange rate",
    "RateFC": "Exchange rate",
    "YourRef": "Your reference",
}


def hints_of(endpoint: str, field: str, kind: str, properties: Mapping[str, str]) -> Mapping[str, Any]:
    """What the name and type of a property tell.

    Amounts that end in DC are in the currency of the division, those in FC in that of the document. Whole numbers
    mostly are codes or name something.

    Args:
        endpoint: The endpoint.
        field: The property.
        kind: Its kind, a key of the converters.
        properties: All properties of the endpoint.
    """
    label = spaced(_LABELS.get(field, field))
    if kind == "guid":
        return {**_TECHNICAL, "label": label if label.endswith(" ID") or label == "ID" else f"{label} ID"}
    if kind == "decimal":
        return {"label": label, **_of_number(endpoint, field, properties)}
    if field in {"Timestamp", "TimeStamp"}:
        return {"label": "Row version", "role": "dimension", "hidden": True}
    if kind in {"whole", "big"} and not _COUNTS.search(field):
        return {"label": label, "role": "dimension"}
    return {"label": label}


def _of_number(endpoint: str, field: str, properties: Mapping[str, str]) -> Mapping[str, Any]:
    if f"{endpoint}.{field}" in _FRACTIONS:
        return {"format": "fraction"}
    if _PERCENT_OR_FRACTION.search(field):
        return {"format": "rate"}  # it is not certain whether 0.21 or 21 is 21 %
    found = None if field.startswith("Rate") else _IN_CURRENCY.search(field)
    if found:
        words = spaced(_IN_CURRENCY.sub(lambda match: match[1] or "", field))
        is_own = "D" in {found[2], found[3]}
        return {"label": words, **BASE} if is_own else {"label": f"{words} (document currency)", **_DOCUMENT}
    if not _AMOUNT.search(field):
        return {}
    if endpoint in _ONE_CURRENCY or not any("Currency" in name for name in properties):
        return BASE
    return {"label": f"{spaced(field)} (document currency)", **_DOCUMENT}


def meaning_of(endpoint: str, field: str) -> str:
    """What the codes of a property mean, where the reference tells."""
    return _MEANINGS.get(f"{endpoint}.{field}", "")


@functools.cache
def spaced(name: str) -> str:
    """A name in words: `GLAccountID` is GL account ID, `VATAmount` VAT amount."""
    parts = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", re.sub(r"([a-z0-9])([A-Z])|_", r"\1 \2", name)).split()
    words = [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


class About(NamedTuple):
    """What a stream holds.

    Attributes:
        title: What people call it.
        description: What it holds.
        grain: What a row is, where the key does not say it.
        notes: What must be known to count right.
    """

    title: str
    description: str
    grain: str = ""
    notes: tuple[str, ...] = ()


_LEDGER: Final = "To tie to the ledger, add up what begins with Ledger; what is not processed counts 0 there."
_TODAY: Final = "As it stood when it was read; history is in the snapshots, if they are kept."
STREAMS: Final[Mapping[str, About]] = {
    "accounts": About("Relations", "Customers, suppliers and other relations."),
    "addresses": About("Addresses", "Addresses of relations."),
    "aging_payables": About(
        "Aging of payables", f"What is to be paid, by age. {_TODAY}", "One row per supplier."
    ),
    "aging_receivables": About(
        "Aging of receivables", f"What is to be received, by age. {_TODAY}", "One row per customer."
    ),
    "assets": About("Assets", "Fixed assets."),
    "bank_entries": About("Bank entries", "Entries of the banks' journals.", "One row per entry."),
    "bank_entry_lines": About(
        "Bank entry lines", "What bank entries were booked against.", "One row per line."
    ),
    "budgets": About("Budgets", "Budgeted amounts by account and period."),
    "cash_entries": About("Cash entries", "Entries of the cash journals.", "One row per entry."),
    "cash_entry_lines": About(
        "Cash entry lines", "What cash entries were booked against.", "One row per line."
    ),
    "contacts": About("Contacts", "Persons at relations."),
    "cost_centers": About("Cost centers", "Cost centers of the general ledger."),
    "cost_units": About("Cost units", "Cost units of the general ledger."),
    "currencies": About("Currencies", "Currencies in use."),
    "deleted": About("Deletions", "Rows that were deleted in the last two months.", "One row per deletion."),
    "departments": About("Departments", "Departments of the personnel module."),
    "divisions": About("Divisions", "Companies that the user may open.", "One row per division."),
    "documents": About("Documents", "What is filed, without its contents."),
    "exchange_rates": About("Exchange rates", "Rates by currency and day."),
    "financial_periods": About("Financial periods", "Periods of the financial years."),
    "general_journal_entries": About(
        "General journal entries", "Entries made by hand.", "One row per entry."
    ),
    "general_journal_entry_lines": About(
        "General journal entry lines",
        "Lines of entries made by hand; the whole ledger is in the transaction lines.",
        "One row per line.",
    ),
    "gl_account_classification_mappings": About(
        "GL account classification mappings", "Which account belongs to which classification."
    ),
    "gl_accounts": About("GL accounts", "The chart of accounts."),
    "gl_classifications": About("GL classifications", "Groups of accounts in reporting schemes."),
    "gl_schemes": About("GL schemes", "Reporting schemes of accounts."),
    "item_groups": About("Item groups", "Groups of items."),
    "items": About("Items", "Goods and services, with what is in stock now."),
    "journals": About("Journals", "Journals of the general ledger."),
    "payables_list": About("Payables", f"Items to be paid. {_TODAY}", "One row per open item."),
    "payment_conditions": About("Payment conditions", "Terms of payment."),
    "payment_terms": About(
        "Payment terms",
        "Parts of invoices that are to be paid or received, matched or open.",
        "One row per part of an invoice.",
        (
            "Add up Ledger payable for what is to be paid, Ledger receivable for what is to be received.",
            "The other amounts also hold what is matched.",
        ),
    ),
    "payments": About(
        "Payables and their payment",
        "The suppliers' side of the payment terms; money itself is in the bank and cash entries.",
        "One row per part of an invoice.",
    ),
    "projects": About("Projects", "Projects and what they are budgeted at."),
    "purchase_entries": About(
        "Purchase entries", "Bills and credit notes of suppliers.", "One row per entry.", (_LEDGER,)
    ),
    "purchase_entry_lines": About(
        "Purchase entry lines",
        "What bills of suppliers were booked to.",
        "One row per line; the totals of bills are in the purchase entries.",
        ("Lines of entries that are not processed (Status is not 50) are not in the ledger.",),
    ),
    "purchase_invoice_lines": About(
        "Purchase invoice lines", "Lines of purchase invoices.", "One row per line."
    ),
    "purchase_invoices": About(
        "Purchase invoices",
        "Invoices of the purchase module. They are booked as purchase entries: do not add both up.",
        "One row per invoice.",
    ),
    "purchase_orders": About(
        "Purchase orders",
        "Orders and their lines in one.",
        "One row per line, one for the order itself.",
        ("Choose Line number 0, or the lines above it, before adding up: else it counts twice.",),
    ),
    "receivables": About(
        "Receivables and their payment",
        "The customers' side of the payment terms.",
        "One row per part of an invoice.",
    ),
    "receivables_list": About("Receivables", f"Items to be received. {_TODAY}", "One row per open item."),
    "reporting_balance": About(
        "Balances by period",
        "What was booked per account, cost center and period.",
        "One row per year, period, account, cost center, cost unit, type and status of entries.",
        (
            "Amounts are those of the period alone: add up all periods before it for a balance.",
            "Rows of status 20 are not processed yet; figures after entry need both.",
        ),
    ),
    "sales_entries": About("Sales entries", "Sales as they are booked.", "One row per entry.", (_LEDGER,)),
    "sales_entry_lines": About("Sales entry lines", "What sales were booked to.", "One row per line."),
    "sales_invoice_document_lines": About(
        "Sales invoice lines", "Lines of sales invoices.", "One row per line."
    ),
    "sales_invoice_documents": About("Sales invoice documents", "Sales invoices.", "One row per invoice."),
    "sales_invoices": About(
        "Sales invoices with lines",
        "Invoices and their lines in one.",
        "One row per line, one for the invoice itself, one for VAT and rounding.",
        ("Choose Line number 0, or the lines between 0 and 9999, before adding up: else it counts twice.",),
    ),
    "time_cost_transactions": About("Time and cost entries", "Hours and costs of projects."),
    "transaction_lines": About(
        "Ledger entries",
        "Every line of every journal.",
        "One row per line.",
        (_LEDGER, "All lines of an entry come to 0: choose accounts before adding up."),
    ),
    "vat_codes": About("VAT codes", "VAT codes and percentages."),
}


def stream_hints(stream: str, names: Iterable[str]) -> dict[str, Any]:
    """What the schema of a stream says beside its properties.

    Args:
        stream: The stream.
        names: Its properties.
    """
    about = STREAMS[stream]
    notes = list(about.notes)
    if "division_currency" in set(names):
        notes.append(
            "Divisions may have different currencies: see Division currency before adding several up."
        )
    own = {"grain": about.grain, "notes": notes}
    return {
        "title": about.title,
        "description": about.description,
        "x-sql-datatype-properties": {name: value for name, value in own.items() if value},
    }

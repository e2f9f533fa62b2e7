"""Which streams a topic touches.

The vendor marks topics in its reference; none was seen for cost centres and invoices of the purchase module, whose
bookings come as FinancialTransactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEDGER: Final = (
    "transaction_lines", "payment_terms", "payables_list", "receivables_list", "aging_payables", "aging_receivables",
    "reporting_balance", "purchase_entries", "purchase_entry_lines", "sales_entries", "sales_entry_lines",
)  # fmt: skip
TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "Accounts": ("accounts", "addresses"),
    "BankAccounts": ("accounts",),
    "BankEntries": ("bank_entries", "bank_entry_lines", *_LEDGER),
    "CashEntries": ("cash_entries", "cash_entry_lines", *_LEDGER),
    "Contacts": ("contacts",),
    "CostTransactions": ("time_cost_transactions",),
    "Documents": ("documents",),
    "FinancialTransactions": _LEDGER,
    "GLAccounts": ("gl_accounts",),
    "GeneralJournalEntries": ("general_journal_entries", "general_journal_entry_lines", *_LEDGER),
    "Items": ("items",),
    "PurchaseOrders": ("purchase_orders",),
    "SalesInvoices": ("sales_invoices", "sales_invoice_documents", "sales_invoice_document_lines"),
    "TimeTransactions": ("time_cost_transactions",),
}


def streams_of(topics: Iterable[str]) -> list[str]:
    """The streams to read for topics, in order of name."""
    return sorted({stream for topic in topics for stream in TOPICS.get(topic, ())})

"""The streams of the tap, one line of a table each.

To add a stream, add an `Entity` here: its name, the endpoint, its key and how changes are found; its properties
stand in `ledger`, `trade`, `relations` or `cashflow`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_exact_online.streams.amounts import ENTRY, LEDGER_LINE, TERM
from tap_exact_online.streams.cashflow import CASHFLOW
from tap_exact_online.streams.declarations import Entity, Lines, Way
from tap_exact_online.streams.deletions import ENDPOINT as DELETED
from tap_exact_online.streams.deletions import DeletedFeed
from tap_exact_online.streams.ledger import LEDGER
from tap_exact_online.streams.reading import DivisionsFeed, FullFeed, ModifiedFeed, SyncFeed
from tap_exact_online.streams.relations import RELATIONS
from tap_exact_online.streams.trade import TRADE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_exact_online.streams.feed import Feed
    from tap_exact_online.tap import TapExactOnline

__all__ = ["ENTITIES", "PROPERTIES", "feeds_of"]

PROPERTIES: Final[Mapping[str, Mapping[str, str]]] = {**LEDGER, **TRADE, **RELATIONS, **CASHFLOW}

_SYNC, _MODIFIED, _FULL = Way.SYNC, Way.MODIFIED, Way.FULL
_ENTRY: Final = ("EntryNumber", "Currency", "Status", "Type")
_BOOK: Final = ("EntryNumber", "FinancialYear", "FinancialPeriod", "JournalCode", "Currency", "Status")

# fmt: off
ENTITIES: Final = (
    # dimensions first: what refers to them finds their names without further calls
    Entity("divisions", "system/Divisions", ("Code",), _FULL),
    Entity("gl_accounts", "sync/Financial/GLAccounts", ("ID",), _SYNC, deleted_as=7, master=True),
    Entity("accounts", "sync/CRM/Accounts", ("ID",), _SYNC, deleted_as=2, master=True),
    Entity("contacts", "sync/CRM/Contacts", ("ID",), _SYNC, deleted_as=5, master=True),
    Entity("items", "sync/Logistics/Items", ("ID",), _SYNC, deleted_as=9, master=True),
    Entity("cost_centers", "hrm/Costcenters", ("ID",), _MODIFIED, master=True),
    Entity("cost_units", "hrm/Costunits", ("ID",), _MODIFIED, master=True),
    Entity("addresses", "sync/CRM/Addresses", ("ID",), _SYNC, deleted_as=3, master=True),
    Entity("assets", "assets/Assets", ("ID",), _MODIFIED, master=True),
    Entity("currencies", "general/Currencies", ("Code",), _MODIFIED, master=True),
    Entity("departments", "hrm/Departments", ("ID",), _MODIFIED, master=True),
    Entity("exchange_rates", "financial/ExchangeRates", ("ID",), _MODIFIED, master=True),
    Entity("financial_periods", "financial/FinancialPeriods", ("ID",), _MODIFIED, master=True),
    Entity("gl_account_classification_mappings", "financial/GLAccountClassificationMappings", ("ID",), _FULL),
    Entity("gl_classifications", "sync/Financial/GLClassifications", ("ID",), _SYNC, deleted_as=18, master=True),
    Entity("gl_schemes", "financial/GLSchemes", ("ID",), _MODIFIED, master=True),
    Entity("item_groups", "logistics/ItemGroups", ("ID",), _MODIFIED, master=True),
    Entity("journals", "financial/Journals", ("ID",), _MODIFIED, master=True),
    Entity("payment_conditions", "cashflow/PaymentConditions", ("ID",), _MODIFIED, master=True),
    Entity("projects", "sync/Project/Projects", ("ID",), _SYNC, deleted_as=21, master=True),
    Entity("vat_codes", "vat/VATCodes", ("ID",), _MODIFIED, master=True),
    # the ledger and its documents
    Entity("transaction_lines", "sync/Financial/TransactionLines", ("ID",), _SYNC, deleted_as=1,
        amounts=LEDGER_LINE),
    Entity("bank_entries", "financialtransaction/BankEntries", ("EntryID",), _MODIFIED, lines=Lines(
        "bank_entry_lines", "financialtransaction/BankEntryLines", "BankEntryLines", "EntryID", carry=_BOOK)),
    Entity("budgets", "budget/Budgets", ("ID",), _MODIFIED),
    Entity("cash_entries", "financialtransaction/CashEntries", ("EntryID",), _MODIFIED, lines=Lines(
        "cash_entry_lines", "financialtransaction/CashEntryLines", "CashEntryLines", "EntryID", carry=_BOOK)),
    Entity("documents", "documents/Documents", ("ID",), _MODIFIED),
    Entity("general_journal_entries", "generaljournalentry/GeneralJournalEntries", ("EntryID",), _MODIFIED, lines=Lines(
        "general_journal_entry_lines", "generaljournalentry/GeneralJournalEntryLines", "GeneralJournalEntryLines",
        "EntryID", carry=_BOOK)),
    Entity("payment_terms", "sync/Cashflow/PaymentTerms", ("ID",), _SYNC, deleted_as=10, amounts=TERM),
    Entity("payments", "bulk/Cashflow/Payments", ("ID",), _MODIFIED),
    Entity("purchase_entries", "purchaseentry/PurchaseEntries", ("EntryID",), _MODIFIED, amounts=ENTRY, lines=Lines(
        "purchase_entry_lines", "purchaseentry/PurchaseEntryLines", "PurchaseEntryLines", "EntryID", carry=(
            *_ENTRY, "EntryDate", "ReportingYear", "ReportingPeriod", "Supplier", "SupplierName", "YourRef"))),
    Entity("purchase_invoices", "purchase/PurchaseInvoices", ("ID",), _MODIFIED, lines=Lines(
        "purchase_invoice_lines", "purchase/PurchaseInvoiceLines", "PurchaseInvoiceLines", "InvoiceID", carry=(
            "EntryNumber", "InvoiceDate", "FinancialYear", "FinancialPeriod", "Status", "Supplier", "YourRef"))),
    Entity("purchase_orders", "sync/PurchaseOrder/PurchaseOrders", ("ID",), _SYNC, deleted_as=22),
    Entity("receivables", "bulk/Cashflow/Receivables", ("ID",), _MODIFIED),
    Entity("sales_entries", "salesentry/SalesEntries", ("EntryID",), _MODIFIED, amounts=ENTRY, lines=Lines(
        "sales_entry_lines", "salesentry/SalesEntryLines", "SalesEntryLines", "EntryID", carry=(
            *_ENTRY, "EntryDate", "ReportingYear", "ReportingPeriod", "Customer", "CustomerName", "YourRef"))),
    Entity("sales_invoices", "sync/SalesInvoice/SalesInvoices", ("ID",), _SYNC, deleted_as=13),
    Entity("sales_invoice_documents", "salesinvoice/SalesInvoices", ("InvoiceID",), _MODIFIED, lines=Lines(
        "sales_invoice_document_lines", "salesinvoice/SalesInvoiceLines", "SalesInvoiceLines", "InvoiceID", carry=(
            "InvoiceNumber", "InvoiceDate", "InvoiceTo", "InvoiceToName", "Currency", "Status", "Type"))),
    Entity("time_cost_transactions", "sync/Project/TimeCostTransactions", ("ID",), _SYNC, deleted_as=14),
    # pictures of the moment
    Entity("aging_payables", "read/financial/AgingPayablesList", ("AccountId",), _FULL),
    Entity("aging_receivables", "read/financial/AgingReceivablesList", ("AccountId",), _FULL),
    Entity("payables_list", "read/financial/PayablesList", ("HID",), _FULL),
    Entity("receivables_list", "read/financial/ReceivablesList", ("HID",), _FULL),
    Entity("reporting_balance", "financial/ReportingBalance", ("ReportingYear", "ReportingPeriod", "GLAccount",
        "CostCenterCode", "CostUnitCode", "Type", "Status"), _FULL, years="ReportingYear"),
    # behind all that it concerns
    Entity("deleted", DELETED, ("ID",), _SYNC),
)
# fmt: on
_KINDS: Final = {Way.SYNC: SyncFeed, Way.MODIFIED: ModifiedFeed, Way.FULL: FullFeed}
_SPECIAL: Final[dict[str, type[Feed]]] = {"divisions": DivisionsFeed, "deleted": DeletedFeed}


def feeds_of(tap: TapExactOnline) -> list[Feed]:
    """All feeds, in the order in which they are read."""
    feeds: list[Feed] = []
    for entity in ENTITIES:
        kind = _SPECIAL.get(entity.stream) or _KINDS[entity.way]
        feeds.append(kind(tap, entity, PROPERTIES))
    for feed in feeds:
        if isinstance(feed, DeletedFeed):
            feed.feeds = [each for each in feeds if each is not feed]
    return feeds

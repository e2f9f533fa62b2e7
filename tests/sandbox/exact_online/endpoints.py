"""What is served: each endpoint with its rows, its row versions and its child collections."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.sandbox.exact_online.rows import (
    accounts,
    banks,
    cashflow,
    goods,
    ledger,
    partners,
    purchases,
    sales,
)
from tests.sandbox.exact_online.shapes import SHAPES, Kind

if TYPE_CHECKING:
    from tests.sandbox.exact_online.rows.row import Source
    from tests.sandbox.exact_online.shapes import Shape


@dataclasses.dataclass(frozen=True)
class Child:
    """A child collection: rows of another endpoint whose `parent` property holds this row's key."""

    endpoint: str
    parent: str


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One endpoint below the division.

    Attributes:
        shape: Properties and key.
        source: Gives the rows of a division; endpoints with the same source share rows and row versions.
        children: Child collection to where its rows are; those not named are always empty.
        filter_is_mandatory: It has a sync twin or is one with large pages, so a filter can be asked for.
    """

    shape: Shape
    source: Source
    children: dict[str, Child] = dataclasses.field(default_factory=dict)
    filter_is_mandatory: bool = False

    @property
    def path(self) -> str:
        """Its path below the division."""
        return self.shape.path

    @property
    def is_sync(self) -> bool:
        """Whether it is read by Timestamp."""
        return self.path.startswith("sync/")

    @property
    def is_bulk(self) -> bool:
        """Whether it is the variant with large pages."""
        return self.path.startswith("bulk/")

    @property
    def is_read(self) -> bool:
        """Whether it is an overview that is calculated on request."""
        return self.path.startswith("read/")

    @property
    def key(self) -> str:
        """Name of the property that identifies a row."""
        return self.shape.key[0]

    @property
    def key_kind(self) -> Kind:
        """Type of the key."""
        return self.shape.properties[self.key]


# Entity types of `sync/Deleted`, by the sync endpoint whose rows they are.
ENTITY_TYPES = {
    "sync/Financial/TransactionLines": 1,
    "sync/CRM/Accounts": 2,
    "sync/CRM/Addresses": 3,
    "sync/CRM/Contacts": 5,
    "sync/Documents/Documents": 6,
    "sync/Financial/GLAccounts": 7,
    "sync/Logistics/Items": 9,
    "sync/Cashflow/PaymentTerms": 10,
    "sync/SalesInvoice/SalesInvoices": 13,
    "sync/Project/TimeCostTransactions": 14,
    "sync/Financial/GLClassifications": 18,
    "sync/Project/Projects": 21,
    "sync/PurchaseOrder/PurchaseOrders": 22,
}

_SOURCES: dict[str, Source] = {
    "financial/GLAccounts": accounts.gl_accounts,
    "bulk/Financial/GLAccounts": accounts.gl_accounts,
    "sync/Financial/GLAccounts": accounts.gl_accounts,
    "financial/GLClassifications": accounts.gl_classifications,
    "bulk/Financial/GLClassifications": accounts.gl_classifications,
    "sync/Financial/GLClassifications": accounts.gl_classifications,
    "financial/GLSchemes": accounts.gl_schemes,
    "financial/GLAccountClassificationMappings": accounts.gl_account_classification_mappings,
    "financial/Journals": accounts.journal_books,
    "financial/FinancialPeriods": accounts.financial_periods,
    "financial/ReportingBalance": ledger.reporting_balance,
    "financial/ExchangeRates": accounts.exchange_rates,
    "financialtransaction/TransactionLines": ledger.transaction_lines,
    "bulk/Financial/TransactionLines": ledger.transaction_lines,
    "sync/Financial/TransactionLines": ledger.transaction_lines,
    "financialtransaction/Transactions": ledger.transactions,
    "generaljournalentry/GeneralJournalEntries": ledger.general_journal_entries,
    "generaljournalentry/GeneralJournalEntryLines": ledger.general_journal_entry_lines,
    "hrm/Costcenters": accounts.cost_centers,
    "hrm/Costunits": accounts.cost_units,
    "hrm/Departments": accounts.departments,
    "vat/VATCodes": accounts.vat_codes,
    "vat/VatPercentages": accounts.vat_percentages,
    "budget/Budgets": accounts.budgets,
    "assets/Assets": accounts.nothing,
    "general/Currencies": accounts.currencies,
    "purchaseentry/PurchaseEntries": purchases.purchase_entries,
    "purchaseentry/PurchaseEntryLines": purchases.purchase_entry_lines,
    "purchase/PurchaseInvoices": purchases.purchase_invoices,
    "purchase/PurchaseInvoiceLines": purchases.purchase_invoice_lines,
    "crm/Accounts": partners.accounts,
    "bulk/CRM/Accounts": partners.accounts,
    "sync/CRM/Accounts": partners.accounts,
    "crm/Contacts": partners.contacts,
    "bulk/CRM/Contacts": partners.contacts,
    "sync/CRM/Contacts": partners.contacts,
    "crm/Addresses": partners.addresses,
    "sync/CRM/Addresses": partners.addresses,
    "crm/BankAccounts": partners.bank_accounts,
    "salesinvoice/SalesInvoices": sales.sales_invoices,
    "salesinvoice/SalesInvoiceLines": sales.sales_invoice_lines,
    "bulk/SalesInvoice/SalesInvoices": sales.sales_invoices,
    "bulk/SalesInvoice/SalesInvoiceLines": sales.sales_invoice_lines,
    "sync/SalesInvoice/SalesInvoices": sales.sales_invoice_rows,
    "salesentry/SalesEntries": sales.sales_entries,
    "salesentry/SalesEntryLines": sales.sales_entry_lines,
    "financialtransaction/BankEntries": banks.bank_entries,
    "financialtransaction/BankEntryLines": banks.bank_entry_lines,
    "financialtransaction/CashEntries": banks.cash_entries,
    "financialtransaction/CashEntryLines": banks.cash_entry_lines,
    "sync/Cashflow/PaymentTerms": cashflow.payment_terms,
    "cashflow/Payments": cashflow.payments,
    "cashflow/Receivables": cashflow.receivables,
    "bulk/Cashflow/Payments": cashflow.payments,
    "bulk/Cashflow/Receivables": cashflow.receivables,
    "cashflow/PaymentConditions": cashflow.payment_conditions,
    "read/financial/PayablesList": cashflow.payables_list,
    "read/financial/ReceivablesList": cashflow.receivables_list,
    "read/financial/AgingPayablesList": cashflow.ageing_payables,
    "read/financial/AgingReceivablesList": cashflow.ageing_receivables,
    "logistics/Items": goods.items,
    "bulk/Logistics/Items": goods.items,
    "sync/Logistics/Items": goods.items,
    "logistics/ItemGroups": goods.item_groups,
    "logistics/Units": goods.units,
    "project/Projects": goods.projects,
    "sync/Project/Projects": goods.projects,
    "project/TimeTransactions": goods.time_cost_transactions,
    "sync/Project/TimeCostTransactions": goods.time_cost_transactions,
    "purchaseorder/PurchaseOrders": goods.purchase_orders,
    "sync/PurchaseOrder/PurchaseOrders": goods.purchase_order_rows,
    "documents/Documents": goods.documents,
}
# Plain lists whose sync twin shows other rows, or is not served here.
_TWINNED = frozenset(
    {
        "salesinvoice/SalesInvoices",
        "salesinvoice/SalesInvoiceLines",
        "purchaseorder/PurchaseOrders",
        "documents/Documents",
    }
)
_SALES_LINES = Child("salesinvoice/SalesInvoiceLines", "InvoiceID")
_CHILDREN = {
    "salesinvoice/SalesInvoices": {"SalesInvoiceLines": _SALES_LINES},
    "bulk/SalesInvoice/SalesInvoices": {"SalesInvoiceLines": _SALES_LINES},
    "salesentry/SalesEntries": {"SalesEntryLines": Child("salesentry/SalesEntryLines", "EntryID")},
    "financialtransaction/BankEntries": {
        "BankEntryLines": Child("financialtransaction/BankEntryLines", "EntryID")
    },
    "financialtransaction/CashEntries": {
        "CashEntryLines": Child("financialtransaction/CashEntryLines", "EntryID")
    },
    "purchaseentry/PurchaseEntries": {
        "PurchaseEntryLines": Child("purchaseentry/PurchaseEntryLines", "EntryID")
    },
    "purchase/PurchaseInvoices": {
        "PurchaseInvoiceLines": Child("purchase/PurchaseInvoiceLines", "InvoiceID")
    },
    "generaljournalentry/GeneralJournalEntries": {
        "GeneralJournalEntryLines": Child("generaljournalentry/GeneralJournalEntryLines", "EntryID")
    },
    "financialtransaction/Transactions": {
        "TransactionLines": Child("financialtransaction/TransactionLines", "EntryID")
    },
    "crm/Accounts": {"BankAccounts": Child("crm/BankAccounts", "Account")},
    "bulk/CRM/Accounts": {"BankAccounts": Child("crm/BankAccounts", "Account")},
    "vat/VATCodes": {"VATPercentages": Child("vat/VatPercentages", "VATCodeID")},
}


def _served() -> dict[str, Endpoint]:
    synced = {source for path, source in _SOURCES.items() if path.startswith("sync/")}
    return {
        path: Endpoint(
            SHAPES[path],
            source,
            _CHILDREN.get(path, {}),
            filter_is_mandatory=not path.startswith("sync/")
            and (source in synced or path in _TWINNED or path.startswith("bulk/")),
        )
        for path, source in _SOURCES.items()
    }


ENDPOINTS = _served()

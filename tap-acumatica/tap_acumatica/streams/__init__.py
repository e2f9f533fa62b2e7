"""The streams of the tap, one line of a table each.

To add a stream of the contract API, add an `Entity` here: its name, the entity, its natural key. Fields, types
and the cursor come from the instance's own description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_acumatica.errors import UserError
from tap_acumatica.streams import balances
from tap_acumatica.streams.amounts import (
    BILL_LINES,
    BILLS,
    JOURNAL_LINES,
    PAYMENT_APPLICATIONS,
    PAYMENTS,
    PURCHASE_ORDER_LINES,
    PURCHASE_ORDERS,
    PURCHASE_RECEIPT_LINES,
    PURCHASE_RECEIPTS,
)
from tap_acumatica.streams.custom import asked_for
from tap_acumatica.streams.documents import Entity, EntityFeed, Lines
from tap_acumatica.streams.inquiries import Inquiry, ResultsFeed
from tap_acumatica.streams.receivables import (
    INVOICE_LINES,
    INVOICES,
    RECEIPT_APPLICATIONS,
    RECEIPTS,
    SALES_ORDER_LINES,
    SALES_ORDERS,
)
from tap_acumatica.streams.tables import Table, configured, feeds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.streams.stream import AcumaticaStream
    from tap_acumatica.tap import TapAcumatica

__all__ = ["ENTITIES", "INQUIRIES", "TABLES", "streams_of", "tables_of", "wanted_of"]

_ADDRESS: Final = ("MainContact", "MainContact/Address")
_APPLICATION_KEYS: Final = ("doc_type", "doc_reference_nbr", "doc_line_nbr", "application_nbr")

# fmt: off
ENTITIES: Final = (
    Entity("ap_payments", "Check", ("Type", "ReferenceNbr"), amounts=PAYMENTS, deletions="APRegister", lines=Lines(
        "ap_payment_applications", ("Details", "History"), _APPLICATION_KEYS, ordinal="application_nbr",
        rename=(("reference_nbr", "doc_reference_nbr"),), amounts=PAYMENT_APPLICATIONS,
        carry=("Vendor", "ApplicationDate", "CurrencyID", "Status"))),
    Entity("ar_invoices", "Invoice", ("Type", "ReferenceNbr"), amounts=INVOICES, deletions="ARRegister", lines=Lines(
        "ar_invoice_lines", ("Details",), ("line_nbr",), amounts=INVOICE_LINES,
        carry=("Customer", "Date", "PostPeriod", "Status"))),
    Entity("ar_payments", "Payment", ("Type", "ReferenceNbr"), amounts=RECEIPTS, deletions="ARRegister", lines=Lines(
        "ar_payment_applications", ("DocumentsToApply", "ApplicationHistory"), _APPLICATION_KEYS,
        ordinal="application_nbr", amounts=RECEIPT_APPLICATIONS,
        rename=(("reference_nbr", "doc_reference_nbr"), ("adjusted_doc_type", "doc_type"),
                ("adjusted_doc_type_id", "doc_type_id"), ("adjusted_ref_nbr", "doc_reference_nbr")),
        carry=("CustomerID", "ApplicationDate", "CurrencyID", "Status"))),
    Entity("bills", "Bill", ("Type", "ReferenceNbr"), amounts=BILLS, deletions="APRegister", lines=Lines(
        "bill_lines", ("Details",), ("line_nbr",), hidden_number="Transactions.LineNbr", amounts=BILL_LINES,
        carry=("Vendor", "Date", "PostPeriod", "CurrencyID", "Status"))),
    Entity("cost_centers", "Subaccount", ("SubaccountCD",), segmented="subaccount_cd"),
    Entity("cost_codes", "CostCode", ("CostCodeID",), master=True),
    Entity("currencies", "Currency", ("CurrencyID",), master=True),
    Entity("customers", "Customer", ("CustomerID",), links=_ADDRESS, master=True, lines=Lines(
        "customer_attributes", ("Attributes",), ("attribute_id",), light=True, carry=("CustomerClass",))),
    Entity("", "FinancialPeriod", ("FinancialYear",), whole=True, lines=Lines(
        "financial_periods", ("Details",), ("period_nbr",))),
    Entity("gl_accounts", "Account", ("AccountCD",), master=True),
    Entity("", "StockItem", ("InventoryID",), whole=True, lines=Lines(
        "item_warehouse_quantities", ("WarehouseDetails",), ("warehouse_id",), dated="snapshot_date", light=True,
        carry=("BaseUOM",))),
    Entity("journal_transactions", "JournalTransaction", ("Module", "BatchNbr"), deletions="Batch", lines=Lines(
        "journal_lines", ("Details",), ("line_nbr",), amounts=JOURNAL_LINES,
        carry=("LedgerID", "TransactionDate", "PostPeriod", "CurrencyID", "Status"))),
    Entity("ledgers", "Ledger", ("LedgerID",), master=True),
    Entity("non_stock_items", "NonStockItem", ("InventoryID",), master=True, lines=Lines(
        "non_stock_item_attributes", ("Attributes",), ("attribute_id",), light=True, carry=("ItemClass",))),
    Entity("projects", "Project", ("ProjectID",), master=True),
    Entity("purchase_orders", "PurchaseOrder", ("Type", "OrderNbr"), amounts=PURCHASE_ORDERS, deletions="POOrder",
        lines=Lines("purchase_order_lines", ("Details",), ("line_nbr",), amounts=PURCHASE_ORDER_LINES,
        carry=("VendorID", "Date", "CurrencyID", "Status"))),
    Entity("purchase_receipts", "PurchaseReceipt", ("Type", "ReceiptNbr"), amounts=PURCHASE_RECEIPTS,
        deletions="POReceipt", lines=Lines("purchase_receipt_lines", ("Details",), ("line_nbr",),
        amounts=PURCHASE_RECEIPT_LINES,
        carry=("VendorID", "Date", "PostPeriod", "CurrencyID", "Status"))),
    Entity("sales_invoices", "SalesInvoice", ("Type", "ReferenceNbr"), links=("FinancialDetails",), amounts=INVOICES,
        deletions="ARRegister", lines=Lines("sales_invoice_lines", ("Details",), ("line_nbr",), amounts=INVOICE_LINES,
        carry=("CustomerID", "Date", "Currency", "Status"))),
    Entity("sales_orders", "SalesOrder", ("OrderType", "OrderNbr"), amounts=SALES_ORDERS, deletions="SOOrder",
        lines=Lines("sales_order_lines", ("Details",), ("line_nbr",), amounts=SALES_ORDER_LINES,
        carry=("CustomerID", "Date", "CurrencyID", "Status"))),
    Entity("stock_items", "StockItem", ("InventoryID",), master=True, lines=Lines(
        "stock_item_attributes", ("Attributes",), ("attribute_id",), light=True, carry=("ItemClass",))),
    Entity("vendors", "Vendor", ("VendorID",), links=_ADDRESS, master=True, lines=Lines(
        "vendor_attributes", ("Attributes",), ("attribute_id",), light=True, carry=("VendorClass",))),
)
INQUIRIES: Final = (
    Inquiry("branches", "CompaniesStructure", ("CompanyID", "BranchID")),
)
TABLES: Final = (
    Table("terms", "Terms", ("TermsID",), columns=(
        ("TermsID", "Edm.String"), ("Descr", "Edm.String"), ("DueType", "Edm.String"), ("DayDue00", "Edm.Int16"),
        ("DiscType", "Edm.String"), ("DayDisc", "Edm.Int16"), ("DiscPercent", "Edm.Decimal"))),
)
# fmt: on


def wanted_of(config: Mapping[str, Any]) -> dict[str, bool]:
    """The entities whose fields must be known, and whether the settings want their custom fields."""
    wanted = dict.fromkeys((inquiry.entity for inquiry in INQUIRIES), False)
    for entity in ENTITIES:
        wanted[entity.entity] = wanted.get(entity.entity, False) or asked_for(config, entity)
    return wanted


def tables_of(config: Mapping[str, Any]) -> list[Table]:
    """All tables and generic inquiries.

    Raises:
        UserError: An entry of the settings contradicts itself, or has the name of another stream.
    """
    tables = [*TABLES, *configured(config)]
    taken = {balances.NAME, *(each.name for each in (*ENTITIES, *INQUIRIES))}
    taken.update(entity.lines.stream for entity in ENTITIES if entity.lines)
    for table in tables:
        if table.stream in taken:
            raise UserError(
                f"generic_inquiries, dacs: there are two streams named {table.stream}; give one a stream"
            )
        taken.add(table.stream)
    return tables


def streams_of(
    tap: TapAcumatica, endpoint: Endpoint, described: Mapping[str, Sequence[tuple[str, str]]]
) -> list[AcumaticaStream]:
    """All streams that the instance offers.

    Args:
        tap: The tap.
        endpoint: What contract REST offers.
        described: Columns of the tables that the settings name, by stream.

    Raises:
        UserError: The settings name a column that is not there.
    """
    streams = list(balances.feed_of(tap).streams)
    for each in (*ENTITIES, *INQUIRIES):
        if not endpoint.fields(each.entity):
            tap.logger.warning("%s: the endpoint has no entity %s; left out", each.name, each.entity)
        elif isinstance(each, Entity):
            streams += EntityFeed(tap, endpoint, each).streams
        else:
            streams += ResultsFeed(tap, endpoint, each).streams
    for feed in feeds_of(tap, tables_of(tap.config), described):
        streams += feed.streams
    return streams

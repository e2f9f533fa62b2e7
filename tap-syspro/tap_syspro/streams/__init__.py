"""The streams of the tap, one line of a table each.

To add a stream, add a `Table` here: its name, the table, its key, how it is read again; and its columns to the
catalogue.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tap_syspro.discovery import snake
from tap_syspro.errors import UserError
from tap_syspro.streams.declarations import Lines, Table
from tap_syspro.streams.derived import (
    AP_INVOICE,
    AR_INVOICE,
    DUE_DATE,
    GL_LINES,
    JOURNAL_LINES,
    PAYMENTS,
    PURCHASE_LINES,
    SALES,
    SALES_LINES,
    STOCK,
)
from tap_syspro.streams.documents import DocumentFeed
from tap_syspro.streams.reader import Reader
from tap_syspro.streams.strategies import Full, History, Ledger, OpenItems, Orders, Strategy, Years
from tap_syspro.streams.tables import COST_CENTERS, PERIODS, CostCenterFeed, TableFeed
from tap_syspro.streams.versions import Growing, RowVersions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_syspro.streams.feed import Feed
    from tap_syspro.streams.stream import SysproStream
    from tap_syspro.tap import TapSyspro

__all__ = ["TABLES", "streams_of", "tables_of", "wanted_of"]

_AP_BALANCES: Final = ("MthInvBal1", "MthInvBal2", "MthInvBal3")
_AR_BALANCES: Final = ("InvoiceBal1", "InvoiceBal2", "InvoiceBal3")
_OPEN_SALES: Final = ("0", "1", "2", "3", "4", "8", "S")
_OPEN_PURCHASES: Final = ("0", "1", "4")

# fmt: off
TABLES: Final = (
    Table("ap_invoice", "ApInvoice", ("Supplier", "Invoice"),
          OpenItems("InvoiceDate", balances=_AP_BALANCES, also=("JournalDate",)), AP_INVOICE),
    Table("ap_invoice_pay", "ApInvoicePay", ("Supplier", "Invoice", "EntryNumber"), Ledger("JournalDate"), PAYMENTS),
    Table("ap_supplier", "ApSupplier", ("Supplier",)),
    Table("ap_supplier_addr", "ApSupplierAddr", ("Supplier",)),
    Table("ap_terms", "TblApTerms", ("TermsCode",)),
    Table("ar_customer", "ArCustomer", ("Customer",)),
    Table("ar_customer_bal", "ArCustomerBal", ("Customer",)),
    Table("ar_invoice", "ArInvoice", ("Customer", "Invoice", "DocumentType"),
          OpenItems("InvoiceDate", balances=_AR_BALANCES), (*AR_INVOICE, DUE_DATE)),
    Table("ar_invoice_pay", "ArInvoicePay", ("Customer", "Invoice", "DocumentType", "EntryNumber"),
          Ledger("JournalDate"), PAYMENTS),
    Table("ar_terms", "TblArTerms", ("TermsCode",)),
    Table("ar_trn_detail", "ArTrnDetail",
          ("TrnYear", "TrnMonth", "Register", "Invoice", "SummaryLine", "DetailLine"), Ledger("InvoiceDate")),
    Table("ar_trn_summary", "ArTrnSummary", ("TrnYear", "TrnMonth", "Register", "Invoice", "SummaryLine"),
          Ledger("InvoiceDate"), SALES),
    Table("gen_analysis_code", "GenAnalysisCode", ("AnalysisType", "AnalysisCode")),
    Table("gen_analysis_trn", "GenAnalysisTrn", ("GlYear", "GlPeriod", "AnalysisEntry", "Line"), History()),
    Table("gen_budgets", "GenBudgets", ("Company", "GlCode", "BudgetType", "BudgetNumber")),
    Table("gen_groups", "GenGroups", ("Company", "GlGroup")),
    Table("gen_history", "GenHistory", ("Company", "GlCode", "GlYear"), Years()),
    Table("gen_journal_ctl", "GenJournalCtl", ("GlYear", "GlPeriod", "GlJournal"), History()),
    Table("gen_journal_detail", "GenJournalDetail", ("GlYear", "GlPeriod", "Journal", "EntryNumber"),
          Ledger("EntryDate"), JOURNAL_LINES),
    Table("gen_master", "GenMaster", ("Company", "GlCode")),
    Table("gen_transaction", "GenTransaction", ("Company", "GlCode", "GlYear", "GlPeriod", "GlLine"),
          Ledger("JnlDate"), GL_LINES),
    Table("inv_master", "InvMaster", ("StockCode",)),
    Table("inv_movements", "InvMovements",
          ("StockCode", "Warehouse", "TrnYear", "TrnMonth", "EntryDate", "TrnTime"), Ledger("EntryDate")),
    Table("inv_warehouse", "InvWarehouse", ("StockCode", "Warehouse"), derived=STOCK),
    Table("por_master_hdr", "PorMasterHdr", ("PurchaseOrder",),
          Orders("OrderEntryDate", also=("DatePoCompleted",), open=_OPEN_PURCHASES, key="PurchaseOrder"),
          lines=Lines("por_master_detail", "PorMasterDetail", ("PurchaseOrder", "Line"), PURCHASE_LINES)),
    Table("sor_additions", "SorAdditions", ("TrnDate", "TrnTime", "SalesOrder", "SalesOrderLine"), Ledger("TrnDate")),
    Table("sor_cancelled", "SorCancelled", ("TrnDate", "TrnTime", "SalesOrder", "SalesOrderLine"), Ledger("TrnDate")),
    Table("sor_changes", "SorChanges", ("TrnDate", "TrnTime", "SalesOrder", "SalesOrderLine"), Ledger("TrnDate")),
    Table("sor_master", "SorMaster", ("SalesOrder",),
          Orders("OrderDate", also=("EntrySystemDate",), open=_OPEN_SALES, key="SalesOrder"),
          lines=Lines("sor_detail", "SorDetail", ("SalesOrder", "SalesOrderLine"), SALES_LINES)),
)
# fmt: on


def wanted_of(config: Mapping[str, Any]) -> list[str] | None:
    """The tables whose columns must be known, in lower case; None for all that there are."""
    if config["include_all_entities"]:
        return None
    names = [table.entity for table in TABLES] + [table.lines.entity for table in TABLES if table.lines]
    names += [given.get("entity_set") or stream for stream, given in config["streams"].items()]
    names += [rule["entity_set"] for rule in config["gl_segments"] if rule.get("entity_set")]
    return sorted({name.lower() for name in names} | {name.lower().replace("_", "") for name in names})


def tables_of(config: Mapping[str, Any], offered: Mapping[str, str]) -> list[Table]:
    """All tables: those of the catalogue, those that the settings name, and others on offer if all are wanted.

    Args:
        config: The settings.
        offered: Names of the entity sets by their lower-case form; empty where that is not known.
    """
    tables = list(TABLES)
    taken = {table.stream for table in tables} | {table.lines.stream for table in tables if table.lines}
    taken |= {PERIODS, COST_CENTERS}
    for stream, given in config["streams"].items():
        if stream not in taken:
            tables.append(Table(stream, str(given.get("entity_set") or stream), ()))
            taken.add(stream)
    if config["include_all_entities"]:
        known = {table.entity.lower() for table in tables}
        known |= {table.lines.entity.lower() for table in tables if table.lines}
        for lower, name in sorted(offered.items()):
            stream = snake(name)
            if lower not in known and stream not in taken:
                tables.append(Table(stream, name, (), is_known=False))
                taken.add(stream)
    return tables


def streams_of(tap: TapSyspro) -> list[SysproStream]:
    """All streams that the site offers.

    Raises:
        UserError: The settings contradict each other, or name what is not there.
    """
    streams: list[SysproStream] = []
    absent: list[str] = []
    for table in tables_of(tap.config, tap.offered):
        feed = _feed(tap, table)
        if feed is None:
            absent.append(f"{table.stream} ({table.entity})")
        else:
            streams += feed.streams
    if absent:
        tap.logger.info("Not offered by the site, left out: %s", ", ".join(absent))
    if tap.config["gl_segments"]:
        master = next(table for table in TABLES if table.entity == "GenMaster")
        reader = Reader(tap, master.stream, master.entity, master.keys, ())
        if reader.sets:
            streams += CostCenterFeed(tap, reader).streams
    return streams


def _feed(tap: TapSyspro, table: Table) -> Feed | None:
    """What reads a table; None when no company has it."""
    reader = Reader(tap, table.stream, table.entity, table.keys, table.derived)
    if not reader.sets:
        return None
    strategy = _strategy(tap, table, reader)
    if table.lines is not None:
        lines = Reader(tap, table.lines.stream, table.lines.entity, table.lines.keys, table.lines.derived)
        if lines.sets:
            return DocumentFeed(tap, table, reader, lines, strategy)
    return TableFeed(tap, table, reader, strategy)


def _strategy(tap: TapSyspro, table: Table, reader: Reader) -> Strategy:
    """How a table is read again, by the catalogue and the settings."""
    given = reader.given
    name = given.get("replication_key")
    if name and name not in reader.sources and reader.sources:
        raise UserError(f"streams: {table.stream} has no column {name}; it has {', '.join(reader.sources)}")
    kind = reader.kind(name) if name else ""
    method = given.get("replication_method")
    by_version = method == "ROWVERSION" or (
        method is None and not name and tap.config["change_detection"] == "rowversion"
    )
    has_version = any(column.kind == "rowversion" for column in reader.columns)
    if by_version and has_version:
        return RowVersions()
    if method == "ROWVERSION":
        raise UserError(f"streams: {table.stream} has no TimeStamp, so its changes cannot be told by it")
    if method == "INCREMENTAL" and not (name or table.how.column):
        raise UserError(f"streams: {table.stream} needs a replication_key to be read incrementally")
    if method == "FULL_TABLE":
        return Full()
    if not name:
        return dataclasses.replace(table.how)
    return Growing(number=name) if kind in {"integer", "decimal"} else Ledger(date=name)

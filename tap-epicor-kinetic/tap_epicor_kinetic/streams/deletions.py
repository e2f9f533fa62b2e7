"""What was deleted, where the installation keeps a log of it.

Epicor tells of no deletion. Where a data directive writes the type and identity (SysRowID) of deleted rows into a user
table, a BAQ over that table tells, and the tap hands it on as tombstones that bear the identity alone.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.discovery import snake
from tap_epicor_kinetic.errors import ForbiddenError, NotFoundError, RefusedError, UserError
from tap_epicor_kinetic.paging import Calls, Keyset, page_of
from tap_epicor_kinetic.streams.columns import DELETED_AT, SYS_ROW_ID, time_converter
from tap_epicor_kinetic.streams.source import baq_path

if TYPE_CHECKING:
    from tap_epicor_kinetic.client import Params
    from tap_epicor_kinetic.paging import Page
    from tap_epicor_kinetic.tap import TapEpicorKinetic

ROW_TYPES: Final = {
    "ap_invoice_lines": "APInvDtl",
    "ap_invoice_schedules": "APInvSched",
    "ap_invoices": "APInvHed",
    "ap_payment_applications": "APTran",
    "ap_payments": "CheckHed",
    "ar_invoice_lines": "InvcDtl",
    "ar_invoices": "InvcHead",
    "bank_accounts": "BankAcct",
    "cash_receipt_lines": "CashDtl",
    "charts_of_accounts": "COA",
    "currencies": "Currency",
    "customer_ship_tos": "ShipTo",
    "customers": "Customer",
    "exchange_rates": "CurrExRate",
    "fiscal_periods": "FiscalPer",
    "gl_accounts": "GLAccount",
    "gl_journal_entries": "GLJrnHed",
    "gl_segment_values": "COASegValues",
    "gl_segments": "COASegment",
    "part_classes": "PartClass",
    "part_sites": "PartPlant",
    "parts": "Part",
    "purchase_order_lines": "PODetail",
    "purchase_order_releases": "PORel",
    "purchase_orders": "POHeader",
    "purchase_terms": "PurTerms",
    "receipt_lines": "RcvDtl",
    "receipts": "RcvHead",
    "sales_order_lines": "OrderDtl",
    "sales_order_releases": "OrderRel",
    "sales_orders": "OrderHed",
    "sites": "Plant",
    "terms": "Terms",
    "vendor_contacts": "VendCnt",
    "vendor_groups": "VendGrup",
    "vendors": "Vendor",
}
"""The table of each stream whose rows can be deleted one by one."""


@dataclasses.dataclass(frozen=True)
class Deletion:
    """One row that is gone.

    Attributes:
        number: SysRevID of the entry in the log.
        table: Table of the row.
        row_id: Its identity.
        when: When it went, in ISO form.
    """

    number: int
    table: str
    row_id: str
    when: str


class DeletionLog:
    """Reads the log once per company and run, however many streams want to know.

    Args:
        tap: Gives settings and connection.
    """

    def __init__(self, tap: TapEpicorKinetic) -> None:
        self._tap = tap
        settings: dict[str, str] = tap.config["deletion_log"]
        self._path = baq_path(settings["baq"])
        self._table, self._row_id = settings["table"], settings["row_id"]
        self._number, self._when = settings["revision"], settings["deleted_at"]
        self._utc = time_converter(tap.config["timezone"])
        self._newest: dict[str, int] = {}
        self._read: dict[str, tuple[int, list[Deletion]]] = {}

    def newest(self, company: str) -> int:
        """The last entry there was when the first stream asked; what comes later is told to all.

        Raises:
            UserError: The log cannot be read.
            ApiError: The server kept failing.
        """
        if company not in self._newest:
            with _Explained():
                reach = self._keyset(company).reach()
            self._newest[company] = reach.number if reach else 0
        return self._newest[company]

    def since(self, company: str, number: int) -> list[Deletion]:
        """The entries behind a number.

        Raises:
            UserError: The log cannot be read.
            ApiError: The server kept failing.
        """
        known = self._read.get(company)
        if known is None or known[0] > number:
            with _Explained():
                found = [
                    Deletion(
                        int(row[self._number]),
                        str(row[self._table]).strip().removesuffix("Search"),
                        str(row[self._row_id]).strip().lower(),
                        self._utc(str(row[self._when])) or "",
                    )
                    for page in self._keyset(company).walk(number)
                    for row in page
                ]
            known = self._read[company] = (number, found)
        return [each for each in known[1] if each.number > number]

    def _keyset(self, company: str) -> Keyset:
        client = self._tap.client
        url = client.site.company(company, self._path)
        select = f"{self._table},{self._row_id},{self._number},{self._when}"

        def fetch(params: Params) -> Page:
            return page_of(client.get(url, {"$select": select, **params}))

        calls = Calls(fetch, lambda link: page_of(client.follow(url, link)), self._tap.config["page_size"])
        return Keyset(calls, self._number, self._tap.page_length)


class _Explained:
    """Turns what a person must put right about the log into an error that names the setting."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ForbiddenError | NotFoundError | RefusedError | KeyError):
            raise UserError(
                f"deletion_log: the BAQ cannot be read as it is described here. {error}"
            ) from None


def tombstone(deletion: Deletion, blank: dict[str, Any]) -> dict[str, Any]:
    """The record that tells of a deletion: all that is known is the row's identity and when it went."""
    return {**blank, snake(SYS_ROW_ID): deletion.row_id, DELETED_AT: deletion.when}

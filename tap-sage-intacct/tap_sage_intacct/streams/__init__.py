"""The streams of the tap, one line of a table each.

To add a stream, add an `Object` here: its name and the object. Fields, types, the key and the time of change come
from the company's own description. Objects that a company does not have, or that the user may not read, are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tap_sage_intacct.discovery import Wanted, snake
from tap_sage_intacct.errors import UserError
from tap_sage_intacct.streams import balances, deletions
from tap_sage_intacct.streams.amounts import (
    ADJUSTMENTS,
    BILL_LINES,
    BILLS,
    GL_DETAILS,
    INVOICES,
    JOURNAL_LINES,
    PAYMENT_DETAILS,
    PAYMENTS,
)
from tap_sage_intacct.streams.balances import BalancesFeed
from tap_sage_intacct.streams.declarations import Lines, Object, Touch
from tap_sage_intacct.streams.deletions import DeletedRecordsFeed
from tap_sage_intacct.streams.documents import ObjectFeed
from tap_sage_intacct.streams.small import DimensionsFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_sage_intacct.discovery import Described
    from tap_sage_intacct.streams.feed import Feed
    from tap_sage_intacct.streams.stream import IntacctStream
    from tap_sage_intacct.tap import TapSageIntacct

__all__ = ["OBJECTS", "audited_objects", "objects_of", "streams_of", "wanted_of"]

_RECORDKEY: Final = ("RECORDKEY",)
_DOCUMENT: Final = ("DOCHDRNO", "DOCHDRKEY")

# fmt: off
OBJECTS: Final = (
    # general ledger
    Object("gl_accounts", "GLACCOUNT", master=True),
    Object("stat_accounts", "STATACCOUNT", master=True),
    Object("journals", "GLJOURNAL", master=True),
    Object("reporting_periods", "REPORTINGPERIOD", master=True),
    Object("journal_entries", "GLBATCH", lines=(
        Lines("journal_entry_lines", "GLENTRY", ("BATCHNO",), amounts=JOURNAL_LINES),
        Lines("gl_details", "GLDETAIL", ("BATCHKEY",), amounts=GL_DETAILS, by_book=True))),
    Object("budgets", "GLBUDGETHEADER"),
    Object("budget_items", "GLBUDGETITEM", audited=False),
    Object("allocations", "ALLOCATION", master=True, lines=(
        Lines("allocation_lines", "ALLOCATIONENTRY", ("ALLOCATIONKEY",)),)),
    Object("exchange_rates", "EXCHANGERATE", master=True),
    Object("exchange_rate_entries", "EXCHANGERATEENTRY", master=True, audited=False),
    # dimensions
    Object("departments", "DEPARTMENT", master=True),
    Object("locations", "LOCATION", master=True),
    Object("entities", "LOCATIONENTITY", master=True),
    Object("classes", "CLASS", master=True),
    Object("customers", "CUSTOMER", master=True),
    Object("vendors", "VENDOR", master=True),
    Object("employees", "EMPLOYEE", master=True),
    Object("items", "ITEM", master=True),
    Object("projects", "PROJECT", master=True, audited=False),
    Object("tasks", "TASK", master=True),
    Object("warehouses", "WAREHOUSE", master=True),
    # payables
    Object("ap_terms", "APTERM", master=True),
    Object("bills", "APBILL", amounts=BILLS, touched=Touch("APPYMTDETAIL", ("RECORDKEY",)), lines=(
        Lines("bill_lines", "APBILLITEM", _RECORDKEY, amounts=BILL_LINES),)),
    Object("ap_adjustments", "APADJUSTMENT", amounts=ADJUSTMENTS,
        touched=Touch("APPYMTDETAIL", ("ADJUSTMENTKEY", "POSADJKEY")), lines=(
        Lines("ap_adjustment_lines", "APADJUSTMENTITEM", _RECORDKEY, amounts=BILL_LINES),)),
    Object("bill_summaries", "APBILLBATCH"),
    Object("payments", "APPYMT", amounts=PAYMENTS, lines=(
        Lines("payment_details", "APPYMTDETAIL", ("PAYMENTKEY",), amounts=PAYMENT_DETAILS, own=True),)),
    Object("recurring_bills", "APRECURBILL", lines=(
        Lines("recurring_bill_lines", "APRECURBILLENTRY", _RECORDKEY),)),
    Object("purchase_documents", "PODOCUMENT", lines=(
        Lines("purchase_document_lines", "PODOCUMENTENTRY", _DOCUMENT),)),
    # receivables
    Object("ar_terms", "ARTERM", master=True),
    Object("invoices", "ARINVOICE", amounts=INVOICES, touched=Touch("ARPYMTDETAIL", ("RECORDKEY",)), lines=(
        Lines("invoice_lines", "ARINVOICEITEM", _RECORDKEY, amounts=BILL_LINES),)),
    Object("ar_adjustments", "ARADJUSTMENT", amounts=ADJUSTMENTS, lines=(
        Lines("ar_adjustment_lines", "ARADJUSTMENTITEM", _RECORDKEY, amounts=BILL_LINES),)),
    Object("receipts", "ARPYMT", amounts=PAYMENTS, lines=(
        Lines("receipt_details", "ARPYMTDETAIL", ("PAYMENTKEY",), amounts=PAYMENT_DETAILS, own=True),)),
    Object("sales_documents", "SODOCUMENT", lines=(
        Lines("sales_document_lines", "SODOCUMENTENTRY", _DOCUMENT),)),
    # cash
    Object("checking_accounts", "CHECKINGACCOUNT", master=True),
    Object("savings_accounts", "SAVINGSACCOUNT", master=True),
    Object("credit_cards", "CREDITCARD", master=True),
    # time
    Object("timesheets", "TIMESHEET", lines=(
        Lines("timesheet_entries", "TIMESHEETENTRY", ("TIMESHEETKEY",)),)),
)
# fmt: on


def objects_of(config: Mapping[str, Any]) -> list[Object]:
    """All objects to read, those that the settings name included.

    Raises:
        UserError: Two streams have one name.
    """
    objects = [_by_modified(one) if config["gl_detail_mode"] == "by_modified" else one for one in OBJECTS]
    if config["gl_detail_mode"] == "by_modified":
        objects.append(Object("gl_details", "GLDETAIL", amounts=GL_DETAILS, audited=False, by_book=True))
    objects += [
        Object(
            entry.get("stream") or re.sub(r"\W+", "_", snake(entry["object"])),
            entry["object"],
            keys=tuple(entry.get("keys") or ()),
            replication_key=entry.get("replication_key") or "",
            docparid=entry.get("docparid") or "",
        )
        for entry in config["objects"] or ()
    ]
    taken = {balances.NAME, balances.PERIODS, deletions.NAME, "dimensions"}
    for one in objects:
        for name in (one.stream, *(line.stream for line in one.lines)):
            if name in taken:
                raise UserError(f"objects: there are two streams named {name}; give one another stream")
            taken.add(name)
    return objects


def _by_modified(one: Object) -> Object:
    lines = tuple(line for line in one.lines if line.stream != "gl_details")
    return Object(**{**vars(one), "lines": lines})


def wanted_of(config: Mapping[str, Any]) -> list[Wanted]:
    """The objects that must be described."""
    wanted = {Wanted(deletions.AUDIT), Wanted(balances.BALANCES)}
    for one in objects_of(config):
        wanted.add(Wanted(one.object, one.docparid))
        wanted.update(Wanted(line.object) for line in one.lines)
    return sorted(wanted)


def audited_objects(config: Mapping[str, Any]) -> list[str]:
    """The objects whose deletions the audit trail tells of."""
    return [one.object for one in objects_of(config) if one.audited]


def streams_of(tap: TapSageIntacct, described: Mapping[str, Described]) -> list[IntacctStream]:
    """All streams that the company offers and the user may read; the others are named in the log.

    Raises:
        UserError: The settings contradict themselves.
    """
    feeds: list[Feed] = []
    for one in objects_of(tap.config):
        feeds += _feeds_of(tap, one, described)
    if not described[deletions.AUDIT].forbidden:
        feeds.append(DeletedRecordsFeed(tap, tap.deletions))
    elif tap.config["track_deletions"]:
        tap.leave_out(deletions.NAME, described[deletions.AUDIT].forbidden)
    for name in (balances.BALANCES, balances.REPORTING):
        if described[name].forbidden:
            tap.leave_out(balances.NAME, described[name].forbidden)
            break
    else:
        feeds.append(BalancesFeed(tap, described))
    feeds.append(DimensionsFeed(tap))
    return [stream for feed in feeds for stream in feed.streams]


def _feeds_of(tap: TapSageIntacct, one: Object, described: Mapping[str, Described]) -> Iterable[Feed]:
    """The feed of an object with its lines, and feeds of those lines that do not tell their document."""
    alone: Sequence[Lines] = one.lines
    key = f"{one.object}|{one.docparid}" if one.docparid else one.object
    if described[key].forbidden:
        tap.leave_out(one.stream, described[key].forbidden)
    else:
        known = [line for line in one.lines if not described[line.object].forbidden]
        lines = [
            line for line in known if any(field in described[line.object].fields for field in line.parents)
        ]
        alone = [line for line in one.lines if line not in lines]
        _check_fields(one, described[key])
        yield ObjectFeed(tap, one, described, lines)
    for line in alone:
        if described[line.object].forbidden:
            tap.leave_out(line.stream, described[line.object].forbidden)
        else:
            made = Object(line.stream, line.object, amounts=line.amounts, audited=False, by_book=line.by_book)
            yield ObjectFeed(tap, made, described, [])


def _check_fields(one: Object, described: Described) -> None:
    """Make sure that the fields which the settings name are there.

    Raises:
        UserError: One is not.
    """
    for field in (*one.keys, *filter(None, [one.replication_key])):
        if field not in described.fields:
            raise UserError(
                f"objects: {one.object} has no field {field}; it has {', '.join(sorted(described.fields))}"
            )

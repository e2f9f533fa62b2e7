"""Business Activity Queries: what this customer's people have put together and shared."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.money import ZERO
from tests.sandbox.epicor_kinetic.schema import Column, Kind, Row, Value, columns
from tests.sandbox.epicor_kinetic.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.sandbox.epicor_kinetic.revisions import Revisions
    from tests.sandbox.epicor_kinetic.switches import Switches

_CHAR_WIDTH = 40


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of a BAQ: a plain query parameter with its name.

    Attributes:
        is_list: It may be given several times.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    is_list: bool = False


@dataclasses.dataclass(frozen=True)
class Database:
    """What a BAQ reads: the tables of one Epicor company."""

    revisions: Revisions
    epicor: str
    today: dt.date
    switches: Switches

    def rows(self, table: str) -> list[Row]:
        """All rows of a table."""
        return self.revisions.shelf(table, self.epicor).rows


@dataclasses.dataclass(frozen=True)
class Baq:
    """A query.

    Attributes:
        name: Its id.
        columns: `{alias}_{field}` and `Calculated_{name}`, without `RowIdent`.
        rows: Runs it with checked parameters.
        updatable: Its rows bear `RowMod` and `SysRowID` besides.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Database, Mapping[str, list[Value]]], Iterator[Row]]
    parameters: tuple[Parameter, ...] = ()
    updatable: bool = False

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """As `$metadata` tells them."""
        extra = columns("RowMod SysRowID:guid") if self.updatable else ()
        return (*self.columns, *extra, Column("RowIdent", Kind.GUID))


def _fields(text: str) -> tuple[Column, ...]:
    """Columns of tables by `{table}_{field}`; others with their kind."""
    found: list[Column] = []
    for part in text.split():
        alias, _, field = part.partition("_")
        if alias in TABLES:
            known = {column.name: column for column in _columns_of(alias)}
            found.append(Column(part, known[field].kind))
        else:
            found.extend(columns(part))
    return tuple(found)


def _columns_of(table: str) -> tuple[Column, ...]:
    declared = TABLES[table]
    return (
        *columns("Company SysRevID:long SysRowID:guid"),
        *declared.own,
        *declared.looked_up,
        *declared.customs,
    )


def _flat(**parts: Row) -> Row:
    """The row of a join: its tables by alias."""
    return {f"{alias}_{name}": value for alias, row in parts.items() for name, value in row.items()}


# ------------------------------------------------------------------ queries


def _open_payables(database: Database, _: Mapping[str, list[Value]]) -> Iterator[Row]:
    vendors = {row["VendorNum"]: row for row in database.rows("Vendor")}
    for invoice in database.rows("APInvHed"):
        if invoice["OpenPayable"] is True:
            due = invoice["DueDate"]
            overdue = (database.today - due).days if isinstance(due, dt.date) else 0
            yield _flat(
                APInvHed=invoice,
                Vendor=vendors[invoice["VendorNum"]],
                Calculated={"DaysOverdue": max(0, overdue)},
            )


def _gl_activity(database: Database, parameters: Mapping[str, list[Value]]) -> Iterator[Row]:
    since = parameters["FromDate"]
    accounts = parameters["Account"]
    for line in database.rows("GLJrnDtl"):
        if accounts and line["SegValue1"] not in accounts:
            continue
        if since and _day(line["JEDate"]) < _day(since[0]):
            continue
        yield _flat(GLJrnDtl=line)


def _spend(database: Database, parameters: Mapping[str, list[Value]]) -> Iterator[Row]:
    first = _day(parameters["FromDate"][0])
    last = _day(parameters["ToDate"][0]) if parameters["ToDate"] else database.today
    spent: dict[Value, Decimal] = {}
    for invoice in database.rows("APInvHed"):
        if invoice["Posted"] is True and first <= _day(invoice["InvoiceDate"]) <= last:
            amount = invoice["InvoiceAmt"]
            assert isinstance(amount, Decimal)
            spent[invoice["VendorNum"]] = spent.get(invoice["VendorNum"], ZERO) + amount
    for vendor in database.rows("Vendor"):
        if vendor["VendorNum"] in spent:
            yield _flat(Vendor=vendor, Calculated={"Spend": spent[vendor["VendorNum"]]})


def _external_vendors(database: Database, _: Mapping[str, list[Value]]) -> Iterator[Row]:
    """Over an external source with CHAR columns, which come padded with blanks."""
    for vendor in database.rows("Vendor"):
        texts = {name: str(vendor[name]) for name in ("VendorID", "Name")}
        if database.switches.blank_padding:
            texts = {name: text.ljust(_CHAR_WIDTH) for name, text in texts.items()}
        yield {
            "ExtVendor_Code": texts["VendorID"],
            "ExtVendor_Name": texts["Name"],
            "ExtVendor_Active": vendor["Inactive"] is not True,
            "SysRowID": vendor["SysRowID"],
        }


def _deleted_rows(database: Database, _: Mapping[str, list[Value]]) -> Iterator[Row]:
    """What a directive of this customer writes into a user table when a row is deleted."""
    for deleted in database.revisions.deleted:
        if deleted.epicor == database.epicor:
            yield {
                "UD40_Key1": deleted.table,
                "UD40_Key2": deleted.row_id,
                "UD40_Date01": deleted.deleted_at,
                "UD40_SysRevID": deleted.revision,
            }


def _day(value: Value) -> dt.date:
    assert isinstance(value, dt.date)
    return value


BAQS = {
    baq.name: baq
    for baq in (
        Baq(
            "OpenPayables",
            _fields(
                "APInvHed_Company APInvHed_VendorNum APInvHed_InvoiceNum APInvHed_InvoiceDate APInvHed_DueDate"
                " APInvHed_CurrencyCode APInvHed_InvoiceBal APInvHed_DocInvoiceBal APInvHed_Remark_c APInvHed_SysRevID"
                " Vendor_VendorID Vendor_Name Calculated_DaysOverdue:int"
            ),
            _open_payables,
        ),
        Baq(
            "ACC-GLActivity",
            _fields(
                "GLJrnDtl_Company GLJrnDtl_BookID GLJrnDtl_FiscalYear GLJrnDtl_FiscalPeriod GLJrnDtl_JournalCode"
                " GLJrnDtl_JournalNum GLJrnDtl_JournalLine GLJrnDtl_JEDate GLJrnDtl_SegValue1 GLJrnDtl_SegValue2"
                " GLJrnDtl_BookDebitAmount GLJrnDtl_BookCreditAmount GLJrnDtl_PostedDate GLJrnDtl_SysRevID"
            ),
            _gl_activity,
            (Parameter("FromDate", Kind.DATE), Parameter("Account", is_list=True)),
        ),
        Baq(
            "SpendByVendor",
            _fields("Vendor_Company Vendor_VendorNum Vendor_VendorID Vendor_Name Calculated_Spend:dec"),
            _spend,
            (Parameter("FromDate", Kind.DATE, required=True), Parameter("ToDate", Kind.DATE)),
        ),
        Baq(
            "ExternalVendors",
            columns("ExtVendor_Code ExtVendor_Name ExtVendor_Active:bool"),
            _external_vendors,
            updatable=True,
        ),
        Baq(
            "DeletedRows",
            columns("UD40_Key1 UD40_Key2 UD40_Date01:stamp UD40_SysRevID:long"),
            _deleted_rows,
        ),
    )
}

"""Every stream holds what the server's tables hold, row by row, in both companies, and nothing else."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_epicor_kinetic.discovery import snake
from tap_epicor_kinetic.streams import SOURCES
from tests.sandbox.epicor_kinetic.switches import worst_mood
from tests.tap_epicor_kinetic.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance

# Row types by stream, where they cannot be told from the entity set.
TABLES = {
    "ap_invoice_lines": "APInvDtl", "ap_invoice_schedules": "APInvSched", "ap_invoices": "APInvHed",
    "ap_payments": "CheckHed", "ar_invoice_lines": "InvcDtl", "ar_invoices": "InvcHead", "customer_ship_tos": "ShipTo",
    "customers": "Customer", "gl_accounts": "GLAccount", "gl_journal_entries": "GLJrnHed",
    "gl_journal_lines": "GLJrnDtl", "gl_period_balances": "GLPeriodBal", "gl_segment_values": "COASegValues",
    "part_transactions": "PartTran", "parts": "Part", "purchase_order_lines": "PODetail",
    "purchase_order_releases": "PORel", "purchase_orders": "POHeader", "receipt_lines": "RcvDtl",
    "receipts": "RcvHead", "sales_order_lines": "OrderDtl", "sales_order_releases": "OrderRel",
    "sales_orders": "OrderHed", "vendor_contacts": "VendCnt", "vendors": "Vendor",
}  # fmt: skip


def test_every_stream_holds_what_the_tables_hold(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(bills=60, switches=worst_mood())
    run = run_tap(instance.config)
    assert run.tap.exit_code == 0
    assert set(run.tap.chosen) == {source.stream for source in SOURCES}
    for name, stream in run.tap.chosen.items():
        rows = run.rows(name)
        keys = Counter(tuple(row[key] for key in stream.primary_keys) for row in rows)
        assert rows, name
        assert max(keys.values()) == 1, name
        assert all(None not in key for key in keys), name
        assert {row["company"] for row in rows} == {"EPIC06", "EPIC07"}, name
        assert all(row["sys_row_id"] for row in rows), name
    for name, table in TABLES.items():
        check_table(instance, run.rows(name), table)


def check_table(instance: Instance, rows: list[dict[str, Any]], table: str) -> None:
    held = {(row["company"], row["sys_row_id"]): row for row in rows}
    wanted = {
        (company, row["SysRowID"]): row
        for company in ("EPIC06", "EPIC07")
        for row in instance.site.rows(table, company)
        if not (table == "CheckHed" and str(row["CheckSrc"]) > "3")
    }
    assert set(held) == set(wanted), table
    for key, row in wanted.items():
        for column, value in row.items():
            name = snake(column)
            if name not in held[key] or column in {"SysRowID", "Company"}:
                continue
            mine = held[key][name]
            if isinstance(value, Decimal | int | str):
                assert mine == value, (table, column)
            elif value is None:
                assert mine is None, (table, column)
            else:
                assert str(mine)[:10] == value.isoformat()[:10], (table, column)

"""The sync lists: row versions, what is gone, and what a moved division does to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.exact_online import ARCHIVED_DIVISION, DIVISIONS
from tests.sandbox.exact_online.app import create_app
from tests.sandbox.exact_online.visitor import Visitor, milliseconds

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.exact_online.conftest import Stage
    from tests.sandbox.exact_online.visitor import Json

_LINES = "sync/Financial/TransactionLines"
_DAY_MINUTES = 24 * 60


def _stamps(rows: list[Json]) -> list[int]:
    return [int(row["Timestamp"]) for row in rows]


def _newer(visitor: Visitor, path: str, stamp: int) -> list[Json]:
    return visitor.rows(path, filter=f"Timestamp gt {stamp}L")


def test_rows_come_in_order_of_their_version(visitor: Visitor) -> None:
    rows = visitor.rows(_LINES, select="ID,Timestamp")
    stamps = _stamps(rows)
    assert stamps == sorted(set(stamps))
    assert stamps[0] > 2**32
    assert isinstance(rows[0]["Timestamp"], str)
    assert _newer(visitor, _LINES, stamps[-1]) == []
    assert len(_newer(visitor, _LINES, stamps[9])) == len(rows) - 10


def test_versions_of_two_divisions_have_nothing_in_common(visitor: Visitor) -> None:
    here = set(_stamps(visitor.rows(_LINES, select="Timestamp")))
    visitor.division = DIVISIONS["EAST"]
    assert not here & set(_stamps(visitor.rows(_LINES, select="Timestamp")))


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "Modified ge datetime'2026-01-01T00:00:00'"},
        {"filter": "Timestamp gt 1L and Status eq 50"},
        {"filter": "Timestamp gt 1L or Timestamp lt 0L"},
        {"filter": "not (Timestamp lt 1L)"},
        {"filter": "EntityType eq 1"},
        {"expand": "Account"},
        {"orderby": "Modified"},
        {"select": "ID,ShopOrder"},
    ],
)
def test_a_sync_list_knows_versions_only(visitor: Visitor, options: dict[str, str]) -> None:
    assert visitor.ask(_LINES, **options).status_code == 400


def test_a_changed_record_gets_new_versions_for_all_its_rows(visitor: Visitor) -> None:
    last = _stamps(visitor.rows("sync/CRM/Accounts"))[-1]
    code = next(iter(visitor.world.company.vendors))
    renamed = visitor.world.life.rename_vendor(code)
    again = _newer(visitor, "sync/CRM/Accounts", last)
    assert [row["Name"] for row in again] == [renamed.name]
    visitor.world.life.rename_vendor(code)  # within the same millisecond of the company's clock
    assert len(_newer(visitor, "sync/CRM/Accounts", _stamps(again)[-1])) == 1


def test_a_renamed_account_does_not_touch_the_lines_that_carry_its_name(visitor: Visitor) -> None:
    last = _stamps(visitor.rows(_LINES))[-1]
    account = visitor.world.life.rename_account("010100")
    assert _newer(visitor, _LINES, last) == []
    names = {row["GLAccountDescription"] for row in visitor.rows(_LINES) if row["GLAccountCode"] == "010100"}
    assert names == {account.name}


def test_a_new_bill_shows_up_behind_the_last_version(visitor: Visitor) -> None:
    last = _stamps(visitor.rows(_LINES))[-1]
    bill = visitor.world.life.post_bill(branch="HQ")
    rows = _newer(visitor, _LINES, last)
    assert {row["EntryID"] for row in rows} == {bill.note_id}
    assert {row["LineNumber"] for row in rows} >= {0}
    assert sum(row["AmountDC"] for row in rows) == pytest.approx(0)


def test_what_is_gone_is_told_with_its_type(visitor: Visitor) -> None:
    held = visitor.world.life.hold_journal()
    visitor.division = DIVISIONS[held.branch]
    lines = visitor.rows(_LINES)
    mine = {row["ID"] for row in lines if row["EntryID"] == held.note_id}
    assert mine
    assert visitor.rows("sync/Deleted") == []
    visitor.world.life.delete_journal(f"{held.module}|{held.batch_nbr}")
    gone = visitor.rows("sync/Deleted", filter="Timestamp gt 1L and EntityType eq 1")
    assert {row["EntityKey"] for row in gone} == mine
    assert min(_stamps(gone)) > max(_stamps(lines))
    assert not mine & {row["ID"] for row in visitor.rows(_LINES)}
    assert visitor.rows("sync/Deleted", filter="Timestamp gt 1L and EntityType eq 2") == []
    assert visitor.ask("sync/Deleted", filter="EntityType eq 1").status_code == 400


def test_what_is_gone_is_forgotten_after_two_months(visitor: Visitor) -> None:
    held = visitor.world.life.hold_journal()
    visitor.division = DIVISIONS[held.branch]
    visitor.rows("sync/Deleted")
    visitor.world.life.delete_journal(f"{held.module}|{held.batch_nbr}")
    assert visitor.rows("sync/Deleted")
    visitor.world.life.advance(55 * _DAY_MINUTES)
    visitor.sign_in_again()
    assert visitor.rows("sync/Deleted")
    visitor.world.life.advance(7 * _DAY_MINUTES)
    visitor.sign_in_again()
    assert visitor.rows("sync/Deleted") == []


def test_a_payment_in_part_splits_the_term_and_the_rest_joins_it_again(visitor: Visitor) -> None:
    path = "sync/Cashflow/PaymentTerms"
    bill = visitor.world.life.post_bill(branch="HQ")
    invoice = next(row for row in visitor.rows(path) if row["EntryID"] == bill.note_id)
    assert (invoice["Status"], invoice["LineType"]) == (20, 22)
    with visitor.world.lock:
        bill.balance, bill.base_balance = bill.amount / 2, bill.base_amount / 2
        visitor.world.life.advance(1)
    parts = [row for row in visitor.rows(path) if row["EntryID"] == bill.note_id]
    assert sorted(row["Status"] for row in parts) == [20, 50]
    assert sum(row["AmountDC"] for row in parts) == pytest.approx(float(bill.base_amount))
    with visitor.world.lock:
        bill.balance = bill.base_balance = bill.amount * 0
        visitor.world.life.advance(1)
    (whole,) = [row for row in visitor.rows(path) if row["EntryID"] == bill.note_id]
    assert (whole["ID"], whole["Status"], whole["IsFullyPaid"]) == (invoice["ID"], 50, True)
    assert {row["EntityType"] for row in visitor.rows("sync/Deleted")} == {10}


def test_a_moved_division_starts_its_versions_anew(visitor: Visitor) -> None:
    before = visitor.rows(_LINES)
    assert (
        visitor.page("system/Divisions", select="DivisionMoveDate")["results"][-1]["DivisionMoveDate"] is None
    )
    visitor.site.move_division(visitor.division)
    after = visitor.rows(_LINES)
    assert {row["ID"] for row in after} == {row["ID"] for row in before}
    assert max(_stamps(after)) < min(_stamps(before))
    text = f"Code eq {visitor.division}"
    (division,) = visitor.rows("system/Divisions", select="DivisionMoveDate", filter=text)
    assert milliseconds(division["DivisionMoveDate"])


def test_the_function_tells_where_a_date_begins(visitor: Visitor) -> None:
    since = "datetime'2026-05-01T00:00:00'"
    path = f"/api/v1/{visitor.division}/read/sync/Sync/SyncTimestamp"
    answer = visitor.call("GET", f"{path}?modified={since}&endPoint='TransactionLines'")
    (row,) = answer.json()["d"]
    assert isinstance(row["TimeStampAsBigInt"], str)
    newer = _newer(visitor, _LINES, int(row["TimeStampAsBigInt"]))
    plain = visitor.rows("financialtransaction/TransactionLines", select="ID", filter=f"Modified ge {since}")
    assert {row["ID"] for row in plain} <= {row["ID"] for row in newer}
    assert len(newer) < len(visitor.rows(_LINES))
    assert visitor.call("GET", path).status_code == 400
    assert visitor.call("GET", f"{path}?modified={since}&endPoint='Nothing'").status_code == 404


def test_versions_survive_a_restart(stage: tuple[str, Stage], stranger: Visitor, tmp_path: Path) -> None:
    url, current = stage
    current.app = site = create_app(stranger.world, tmp_path)
    visitor = Visitor(url, site, stranger.world).sign_in()
    before = visitor.rows(_LINES, select="ID,Timestamp")
    bill = stranger.world.life.post_bill(branch="HQ")
    current.app = visitor.site = create_app(stranger.world, tmp_path)
    assert visitor.rows(_LINES, select="ID,Timestamp")[: len(before)] == before
    newer = _newer(visitor, _LINES, _stamps(before)[-1])
    assert {row["EntryID"] for row in newer} == {bill.note_id}


def test_sync_pages_can_come_in_another_order(visitor: Visitor) -> None:
    visitor.site.switches.sync_in_order = False
    rows = visitor.rows(_LINES, select="ID,Timestamp")
    assert _stamps(rows) != sorted(_stamps(rows))
    assert [row["ID"] for row in rows] == sorted(row["ID"] for row in rows)


def test_an_archived_division_is_empty(visitor: Visitor) -> None:
    visitor.division = ARCHIVED_DIVISION
    assert visitor.rows(_LINES) == []
    assert visitor.rows("sync/Deleted") == []


def test_a_thousand_rows_are_a_page(visitor: Visitor) -> None:
    with visitor.world.lock:
        for _ in range(260):
            visitor.world.life.post_bill(branch="HQ")
    page = visitor.page(_LINES, select="ID,Timestamp")
    assert len(page["results"]) == 1000
    last = page["results"][-1]
    assert page["__next"].endswith(f"$skiptoken={last['Timestamp']}L,guid'{last['ID']}'")
    rows = visitor.rows(_LINES, select="ID")
    assert len({row["ID"] for row in rows}) == len(rows) > 1000

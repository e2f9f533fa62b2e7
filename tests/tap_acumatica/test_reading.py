"""Nothing is missed, nothing is counted twice, and a run that is cut goes on where it stood."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tap_acumatica.tap import TapAcumatica
from tests.sandbox.acumatica import TENANT
from tests.sandbox.acumatica.labels import BILL_TYPE, BILL_TYPE_CODE
from tests.sandbox.faults import Fault
from tests.tap_acumatica.harness import last_per_key, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from tests.sandbox.company.model import Company
    from tests.tap_acumatica.conftest import Instance
    from tests.tap_acumatica.harness import Run

BILL = ("type", "reference_nbr")
EMPTY = frozenset({"customer_attributes"})  # where the company holds nothing
LINE = (*BILL, "line_nbr")


def bills_of(company: Company) -> dict[tuple[str, str], tuple[Decimal, Decimal, str]]:
    return {
        (BILL_TYPE.label(BILL_TYPE_CODE[bill.type], "en-US"), bill.reference_nbr): (
            bill.amount,
            bill.balance,
            bill.vendor,
        )
        for bill in company.bills.values()
    }


def lines_of(company: Company) -> dict[tuple[str, str, int], Decimal]:
    return {
        (BILL_TYPE.label(BILL_TYPE_CODE[bill.type], "en-US"), bill.reference_nbr, line.line_nbr): line.amount
        for bill in company.bills.values()
        for line in bill.lines
    }


def held_bills(*runs: Run) -> dict[tuple[Any, ...], tuple[Decimal, Decimal, str]]:
    rows = [row for run in runs for row in run.rows("bills")]
    return {k: (r["amount"], r["balance"], r["vendor"]) for k, r in last_per_key(rows, BILL).items()}


def held_lines(*runs: Run) -> dict[tuple[Any, ...], Decimal]:
    """Lines as a target holds them that replaces all lines of every bill it reads or hears is deleted."""
    held: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in runs:
        lines = run.rows("bill_lines")
        seen = {row["note_id"] for row in run.rows("bills")} | {row["parent_note_id"] for row in lines}
        held = {key: row for key, row in held.items() if row["parent_note_id"] not in seen}
        held.update(last_per_key(lines, LINE))
    return {key: row["amount"] for key, row in held.items()}


def calls_to(instance: Instance, pattern: str) -> int:
    return instance.script.count(pattern)


def test_a_first_load_has_every_bill_with_every_line(instance: Instance) -> None:
    run = run_tap(instance.config, "bills", "bill_lines")
    assert held_bills(run) == bills_of(instance.company)
    assert held_lines(run) == lines_of(instance.company)
    assert run.tap.exit_code == 0


def test_bills_and_lines_come_from_the_same_calls(instance: Instance) -> None:
    run_tap(instance.config, "bills", "bill_lines")
    assert calls_to(instance, r"/Bill\?") == 1


def test_lines_can_be_read_alone_and_are_the_same(instance: Instance) -> None:
    run = run_tap(instance.config, "bill_lines")
    assert held_lines(run) == lines_of(instance.company)
    assert run.rows("bills") == []
    assert not any(m["type"] == "SCHEMA" and m["stream"] == "bills" for m in run.messages)


def test_bills_alone_are_read_without_their_lines(instance: Instance) -> None:
    run = run_tap(instance.config, "bills")
    assert held_bills(run) == bills_of(instance.company)
    assert calls_to(instance, r"Bill\?.*expand") == 0


def test_every_stream_announces_itself_once_and_before_its_rows(instance: Instance) -> None:
    run = run_tap(instance.config)
    announced: set[str] = set()
    for message in run.messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in announced
            announced.add(message["stream"])
        if message["type"] == "RECORD":
            assert message["stream"] in announced
    assert announced == set(run.tap.streams)


def test_rows_have_exactly_the_properties_that_their_schema_announces(instance: Instance) -> None:
    run = run_tap(instance.config)
    schemas = {m["stream"]: set(m["schema"]["properties"]) for m in run.messages if m["type"] == "SCHEMA"}
    for stream, properties in schemas.items():
        for row in run.rows(stream):
            assert set(row) == properties, stream


def test_keys_are_unique_in_every_stream(instance: Instance) -> None:
    run = run_tap(instance.config)
    for name, stream in run.tap.streams.items():
        keys = [tuple(row[key] for key in stream.primary_keys) for row in run.rows(name)]
        assert keys or name in EMPTY, name
        assert len(set(keys)) == len(keys), name
        assert not any(value is None for key in keys for value in key), name


def test_every_row_says_whose_it_is(instance: Instance) -> None:
    run = run_tap(instance.config)
    for name, stream in run.tap.streams.items():
        assert {row["tenant"] for row in run.rows(name)} <= {TENANT}, name
        assert stream.primary_keys[0] == "tenant"


def test_lines_carry_the_key_the_note_id_and_the_currency_of_their_bill(instance: Instance) -> None:
    run = run_tap(instance.config, "bills", "bill_lines")
    bills = last_per_key(run.rows("bills"), BILL)
    for line in run.rows("bill_lines"):
        bill = bills[line["type"], line["reference_nbr"]]
        assert line["parent_note_id"] == bill["note_id"]
        assert line["currency_id"] == bill["currency_id"]
        assert line["last_modified_date_time"] == bill["last_modified_date_time"]


def test_a_second_run_without_changes_costs_one_call_per_feed(instance: Instance) -> None:
    first = run_tap(instance.config)
    instance.world.life.advance(60)
    instance.script.clear()
    catalog = first.tap.catalog_dict
    second = run_tap(instance.config, state=first.state, catalog=catalog)
    lines = [call.line for call in instance.script.calls]
    reading = [line for line in lines if "/entity/Default/" in line or "/odata/" in line]
    others = len(lines) - len(reading)
    # balances ask for the periods first; the stream of periods reads them for itself
    reading.remove(next(line for line in reading if "FinancialPeriod?" in line))
    feeds = {stream.feed for stream in second.tap.chosen.values()}
    deletion_feeds = {feed.deletions for feed in feeds if feed.deletions}
    assert len(reading) == len(feeds) + len(deletion_feeds), reading
    assert others == 3, "sign-in, the list of endpoints and sign-out"
    for name, stream in second.tap.chosen.items():
        if not stream.feed.streams[0].is_full_table:
            assert second.rows(name) == [], stream


@pytest.mark.parametrize("page_size", [10, 35])
def test_records_that_change_between_pages_cost_no_other_record(instance: Instance, page_size: int) -> None:
    config = instance.with_(page_size=page_size)
    life = instance.world.life
    for skip in (1, 3, 5, 9):
        instance.script.add(Fault(r"/Bill\?.*expand", hook=lambda: life.live(6), skip=skip))
    first = run_tap(config, "bills", "bill_lines")
    life.advance(30)
    second = run_tap(config, "bills", "bill_lines", state=first.state)
    assert held_bills(first, second) == bills_of(instance.company)
    assert held_lines(first, second) == lines_of(instance.company)


def test_a_record_that_is_posted_after_the_bound_comes_with_the_next_run(instance: Instance) -> None:
    life = instance.world.life

    def post() -> None:
        posted.append(life.post_bill().reference_nbr)

    posted: list[str] = []
    instance.script.add(Fault(r"/Bill\?", hook=post))
    first = run_tap(instance.config, "bills")
    assert posted[0] not in {row["reference_nbr"] for row in first.rows("bills")}
    life.advance(5)
    second = run_tap(instance.config, "bills", state=first.state)
    assert posted[0] in {row["reference_nbr"] for row in second.rows("bills")}


def test_records_that_share_a_stamp_with_the_bookmark_are_not_lost(instance: Instance) -> None:
    life = instance.world.life
    config = instance.with_(safety_seconds=0, lookback_seconds=0)
    life.advance(30)
    life.post_bill()
    first = run_tap(config, "bills")
    late = life.post_bill()
    assert late.modified_at == instance.company.clock
    second = run_tap(config, "bills", state=first.state)
    assert late.reference_nbr in {row["reference_nbr"] for row in second.rows("bills")}


def test_a_row_that_became_visible_late_is_found_by_the_lookback(instance: Instance) -> None:
    first = run_tap(instance.config, "bills")
    bill = next(iter(instance.company.bills.values()))
    bill.modified_at = instance.company.clock - dt.timedelta(minutes=8)
    instance.world.life.advance(1)
    second = run_tap(instance.config, "bills", state=first.state)
    assert bill.reference_nbr in {row["reference_nbr"] for row in second.rows("bills")}


def test_a_line_that_is_removed_is_missing_from_the_new_set(instance: Instance) -> None:
    life = instance.world.life
    life.post_bill(hold=True)
    held = next(key for key, bill in instance.company.bills.items() if bill.status == "hold")
    life.change_bill(held, how="add")
    life.advance(15)
    first = run_tap(instance.config, "bills", "bill_lines")
    life.change_bill(held, how="remove")
    life.advance(15)
    second = run_tap(instance.config, "bills", "bill_lines", state=first.state)
    changed = instance.company.bills[held]
    lines = [r for r in second.rows("bill_lines") if r["parent_note_id"] == changed.note_id]
    assert sorted(row["line_nbr"] for row in lines) == sorted(line.line_nbr for line in changed.lines)
    assert held_lines(first, second) == lines_of(instance.company)


def test_archived_bills_are_read_unless_switched_off(instance: Instance) -> None:
    archived = {bill.note_id for bill in instance.company.bills.values() if bill.archived}
    assert archived
    assert archived <= {row["note_id"] for row in run_tap(instance.config, "bills").rows("bills")}
    run = run_tap(instance.with_(include_archived=False), "bills")
    assert not archived & {row["note_id"] for row in run.rows("bills")}


def test_start_and_end_date_bound_what_is_read(instance: Instance) -> None:
    config = instance.with_(start_date="2025-06-01T00:00:00Z", end_date="2025-09-30T00:00:00Z")
    run = run_tap(config, "bills")
    lo, hi = dt.datetime(2025, 6, 1, tzinfo=dt.UTC), dt.datetime(2025, 9, 30, tzinfo=dt.UTC)
    wanted = {bill.note_id for bill in instance.company.bills.values() if lo <= bill.modified_at <= hi}
    assert wanted
    assert {row["note_id"] for row in run.rows("bills")} == wanted
    assert run.bookmark("bills")["replication_key_value"] == "2025-09-30T00:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("stream", "table"), [("gl_accounts", "accounts"), ("vendors", "vendors"), ("customers", "customers")]
)
def test_masters_older_than_the_start_date_are_read_so_that_references_resolve(
    instance: Instance, stream: str, table: str
) -> None:
    records = getattr(instance.company, table).values()
    start = max(record.modified_at for record in records) + dt.timedelta(seconds=1)
    run = run_tap(instance.with_(start_date=start.isoformat()), stream)
    assert {row["note_id"] for row in run.rows(stream)} == {record.note_id for record in records}


def test_the_connection_test_says_nothing_of_errors(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(TapAcumatica(config=instance.config)) as tap:
        assert tap.run_connection_test()
    assert "rror" not in caplog.text


# states -----------------------------------------------------------------------------------------------------


class CutError(Exception):
    """The process dies here."""


def cut_at(count: int, stream: str = "bills") -> Callable[[dict[str, Any]], None]:
    seen = 0

    def on_message(message: dict[str, Any]) -> None:
        nonlocal seen
        seen += message["type"] == "RECORD" and message["stream"] == stream
        if seen == count:
            raise CutError

    return on_message


@pytest.mark.parametrize("cut", [1, 17, 58])
def test_a_run_that_is_cut_goes_on_from_its_last_state(
    make_instance: Callable[..., Instance], cut: int
) -> None:
    instance = make_instance(bills=60)
    config = instance.with_(start_date="2025-01-01T00:00:00Z", window_days=20)
    said: list[dict[str, Any]] = []
    killer = cut_at(cut)

    def on_message(message: dict[str, Any]) -> None:
        said.append(message)
        killer(message)

    with pytest.raises(CutError):
        run_tap(config, "bills", "bill_lines", on_message=on_message)
    states = [message["value"] for message in said if message["type"] == "STATE"]
    assert len(instance.app.sessions) == 0
    second = run_tap(config, "bills", "bill_lines", state=states[-1] if states else None)
    rows = [m["record"] for m in said if m["type"] == "RECORD" and m["stream"] == "bills"] + second.rows(
        "bills"
    )
    assert {key: row["balance"] for key, row in last_per_key(rows, BILL).items()} == {
        key: balance for key, (_, balance, _) in bills_of(instance.company).items()
    }
    if cut == 58:
        assert len(second.rows("bills")) < 40, "the second run began again"


def test_no_state_covers_rows_that_were_not_written_before_it(instance: Instance) -> None:
    config = instance.with_(start_date="2025-01-01T00:00:00Z", window_days=20)
    run = run_tap(config, "bills", "bill_lines")
    written: dict[str, set[str]] = {"bills": set(), "bill_lines": set()}
    checked = 0
    for message in run.messages:
        if message["type"] == "RECORD":
            name = "note_id" if message["stream"] == "bills" else "parent_note_id"
            written[message["stream"]].add(message["record"][name])
        for stream, state in message["value"]["bookmarks"].items() if message["type"] == "STATE" else ():
            value = state.get("replication_key_value")
            due = {
                b.note_id
                for b in instance.company.bills.values()
                if value and b.modified_at.isoformat() <= value
            }
            assert due <= written[stream]
            checked += bool(due)
    assert checked > 6


def test_the_state_of_a_stream_under_way_can_be_told_from_that_of_a_finished_one(instance: Instance) -> None:
    config = instance.with_(start_date="2025-01-01T00:00:00Z", window_days=20)
    run = run_tap(config, "bills", "bill_lines", "cost_centers")
    states = [m["value"]["bookmarks"] for m in run.messages if m["type"] == "STATE"]
    moving = [s for s in states if s.get("bills", {}).get("replication_key_value", "9") < "2026-06"]
    assert moving
    assert all("starting_replication_value" in s["bills"] for s in moving)
    marks = {"progress_markers", "replication_key_signpost", "starting_replication_value"}
    for state in run.state["bookmarks"].values():
        assert not marks & set(state)


def test_a_full_table_is_stamped_complete_anew_by_every_run(instance: Instance) -> None:
    first = run_tap(instance.config, "cost_centers")
    second = run_tap(instance.config, "cost_centers", state=first.state)
    assert first.bookmark("cost_centers")["completed_at"] < second.bookmark("cost_centers")["completed_at"]
    assert {r["subaccount_cd"] for r in second.rows("cost_centers")} == set(instance.company.cost_centers)


def test_the_bookmark_is_the_servers_time_less_the_margin_not_this_machines(instance: Instance) -> None:
    run = run_tap(instance.config, "bills")
    expected = instance.company.clock - dt.timedelta(seconds=60)
    assert dt.datetime.fromisoformat(run.bookmark("bills")["replication_key_value"]) == expected


def test_a_record_dated_in_the_future_does_not_move_the_bookmark_there(instance: Instance) -> None:
    bill = next(iter(instance.company.bills.values()))
    bill.modified_at = instance.company.clock + dt.timedelta(days=400)
    run = run_tap(instance.config, "bills")
    assert run.bookmark("bills")["replication_key_value"] < instance.company.clock.isoformat()


def test_a_stream_that_is_selected_later_gets_its_whole_history(instance: Instance) -> None:
    first = run_tap(instance.config, "bills")
    instance.world.life.advance(60)
    second = run_tap(instance.config, "bills", "bill_lines", state=first.state)
    assert held_lines(second) == lines_of(instance.company)


def test_a_catalog_can_ask_for_a_full_table(instance: Instance) -> None:
    first = run_tap(instance.config, "bills")
    catalog = first.tap.catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "bills":
            entry["replication_method"] = "FULL_TABLE"
    second = run_tap(instance.config, state=first.state, catalog=catalog)
    assert held_bills(second) == bills_of(instance.company)
    assert "completed_at" in second.bookmark("bills")


def test_the_call_budget_stops_a_run_cleanly_and_the_next_one_goes_on(instance: Instance) -> None:
    config = instance.with_(start_date="2025-01-01T00:00:00Z", window_days=20)
    runs = [run_tap(config, "bills", "bill_lines")]
    catalog = runs[0].tap.catalog_dict
    state: dict[str, Any] = {}
    runs = []
    for _ in range(12):
        runs.append(run_tap({**config, "max_calls_per_run": 12}, catalog=catalog, state=state))
        assert runs[-1].tap.exit_code == 0
        assert runs[-1].tap.client.calls <= 13, "sign-out is not refused"
        state = runs[-1].state or state
        if not runs[-1].tap.has_stopped:
            break
    assert len(runs) > 2
    assert not runs[-1].tap.has_stopped
    assert held_bills(*runs) == bills_of(instance.company)

"""Nothing is missed and nothing counted twice, whatever moves while it is read; and no call is wasted."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tap_sage_intacct.paging import Part
from tap_sage_intacct.streams.feed import maintenance_start
from tap_sage_intacct.streams.rows import RowList
from tap_sage_intacct.streams.stream import Outcome
from tap_sage_intacct.walks import GroupWalk, UniqueWalk
from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import errors as refusals
from tests.sandbox.sage_intacct.troubles import Trouble
from tests.tap_sage_intacct.harness import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.singer import Row
    from tests.tap_sage_intacct.conftest import Instance


def keys(rows: Iterable[Row]) -> list[str]:
    return [row["recordno"] for row in rows]


def test_pages_follow_the_key_and_never_count_rows(instance: Instance) -> None:
    run = run_tap(instance.with_(page_size=7), "bills")
    found = keys(run.live("bills"))
    assert len(found) == len(set(found)) > 7
    assert found == sorted(found, key=int)
    assert {"offset=0" in call.query for call in instance.script.calls if "object=APBILL&" in call.query} == {
        True
    }


def test_a_row_edited_between_two_pages_moves_no_other_and_comes_with_the_next_run(
    instance: Instance,
) -> None:
    config = instance.with_(page_size=7, lookback_seconds=0)
    life = instance.world.life
    everything = set(keys(run_tap(config, "bills").live("bills")))
    instance.world.life.advance(30)
    instance.script.clear()
    hooks: Iterator[Callable[[], object]] = iter([life.post_bill, life.void_bill, life.change_bill])
    for skip in (1, 2, 3):
        instance.script.add(Fault("object=APBILL&", hook=next(hooks), skip=skip))
    first = run_tap(config, "bills")
    instance.script.clear()
    life.advance(30)
    second = run_tap(config, "bills", state=first.state)
    assert everything <= set(keys([*first.live("bills"), *second.live("bills")]))
    warehouse = Warehouse()
    warehouse.load(first)
    warehouse.load(second)
    now = {row["recordno"]: row for row in run_tap(config, "bills").live("bills")}
    assert {row["recordno"]: row for row in warehouse.rows("bills")} == now


def test_rows_without_a_modification_time_are_read(instance: Instance) -> None:
    run = run_tap(instance.config, "bills")
    assert any(row["whenmodified"] is None for row in run.live("bills"))
    instance.world.life.advance(60 * 24)
    before = set(keys(run.live("bills")))
    for _ in range(6):
        instance.world.life.post_bill()
    instance.world.life.advance(30)
    later = run_tap(instance.with_(lookback_seconds=0), "bills", state=run.state)
    new = [row for row in later.live("bills") if row["recordno"] not in before]
    assert len(new) == 6
    assert any(row["whenmodified"] is None for row in new)


def test_rows_that_become_visible_late_are_caught_by_the_lookback(instance: Instance) -> None:
    first = run_tap(instance.config, "bills")
    instance.switches.late_minutes = 60
    for _ in range(8):
        instance.world.life.post_bill()
    instance.world.life.advance(15)
    second = run_tap(instance.config, "bills", state=first.state)
    instance.world.life.advance(90)
    third = run_tap(instance.config, "bills", state=second.state)
    found = set(keys([*first.live("bills"), *second.live("bills"), *third.live("bills")]))
    assert found == set(keys(run_tap(instance.config, "bills").live("bills")))
    assert len(set(keys(second.live("bills"))) - set(keys(first.live("bills")))) < 8


def test_what_is_posted_after_the_run_began_comes_with_the_next(instance: Instance) -> None:
    first = run_tap(instance.config, "bills")
    instance.world.life.advance(60)
    instance.script.clear()

    def post() -> None:
        instance.world.life.advance(5)
        instance.world.life.post_bill()

    instance.script.add(Fault("object=APBILL&", hook=post))
    second = run_tap(instance.with_(lookback_seconds=0), "bills", state=first.state)
    assert second.live("bills") == []
    instance.world.life.advance(5)
    third = run_tap(instance.with_(lookback_seconds=0), "bills", state=second.state)
    assert len(third.live("bills")) == 1


def test_a_quiet_run_costs_one_call_per_feed(instance: Instance) -> None:
    streams = (
        "bills",
        "bill_lines",
        "payments",
        "payment_details",
        "journal_entries",
        "gl_details",
        "vendors",
    )
    first = run_tap(instance.config, *streams)
    instance.world.life.advance(60 * 24)
    second = run_tap(instance.config, *streams, state=first.state)
    instance.script.clear()
    instance.world.life.advance(60 * 24)
    quiet = run_tap(instance.config, *streams, state=second.state)
    assert sum(len(quiet.rows(stream)) for stream in streams) == 0
    # bills, payments, payment details, journal entries, vendors; payments of bills; the audit trail
    assert instance.script.count("function=query") == 5 + 1 + 1
    # the sign-in and the zone
    assert instance.script.count("") - instance.script.count("function=query") <= 2


def test_calls_are_the_pages_and_a_handful(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(bills=50)
    size = 50
    run = run_tap(instance.with_(page_size=size), "journal_entries", "gl_details", "journal_entry_lines")
    for stream, name in (
        ("gl_details", "GLDETAIL"),
        ("journal_entry_lines", "GLENTRY"),
        ("journal_entries", "GLBATCH"),
    ):
        rows = len(run.live(stream))
        assert rows > size
        assert instance.count(f"object={name}&") <= rows / size + 5, stream


def test_lines_are_read_again_as_a_set_whenever_their_document_is(instance: Instance) -> None:
    config = instance.with_(lookback_seconds=0)
    first = run_tap(config, "bills", "bill_lines")
    instance.world.life.advance(60)
    instance.world.life.change_bill()
    instance.world.life.advance(5)
    second = run_tap(config, "bills", "bill_lines", state=first.state)
    documents = set(keys(second.live("bills")))
    assert documents
    assert {row["recordkey"] for row in second.live("bill_lines")} == documents
    everything = run_tap(config, "bills", "bill_lines")
    for number in documents:
        now = [row for row in everything.live("bill_lines") if row["recordkey"] == number]
        assert [row for row in second.live("bill_lines") if row["recordkey"] == number] == now


def test_lines_can_be_read_without_their_documents(instance: Instance) -> None:
    run = run_tap(instance.config, "bill_lines")
    both = run_tap(instance.config, "bills", "bill_lines")
    assert run.rows("bill_lines") == both.rows("bill_lines")
    assert {message["stream"] for message in run.messages if message["type"] == "RECORD"} == {"bill_lines"}


def test_documents_come_before_their_lines_and_state_after_both(instance: Instance) -> None:
    run = run_tap(instance.config, "bill_lines", "bills")
    order = [
        message.get("stream", "state") for message in run.messages if message["type"] in {"RECORD", "STATE"}
    ]
    first_line = order.index("bill_lines")
    assert "bills" not in order[first_line:]
    assert "state" in order[first_line:]


@pytest.mark.parametrize("cut_at", [3, 24, 42])
def test_a_run_cut_anywhere_goes_on_from_its_last_state(instance: Instance, cut_at: int) -> None:
    config = instance.with_(page_size=5)
    seen: list[dict[str, Any]] = []

    class CutError(Exception):
        pass

    def cut(message: dict[str, Any]) -> None:
        seen.append(message)
        if len([m for m in seen if m["type"] == "RECORD"]) == cut_at:
            raise CutError

    with pytest.raises(CutError):
        run_tap(config, "bills", "vendors", on_message=cut)
    states = [message["value"] for message in seen if message["type"] == "STATE"]
    before = [m["record"] for m in seen if m["type"] == "RECORD" and m["stream"] == "bills"]
    instance.world.life.post_bill()
    instance.world.life.advance(30)
    instance.script.clear()
    second = run_tap(config, "bills", "vendors", state=states[-1] if states else None)
    everything = run_tap(config, "bills", "vendors")
    assert set(keys([*before, *second.live("bills")])) == set(keys(everything.live("bills")))
    if cut_at > 20:
        assert len(second.live("bills")) < len(everything.live("bills"))
    assert "pending" not in second.bookmark("bills")


def test_a_slice_is_not_stamped_before_its_lines_are_written(instance: Instance) -> None:
    instance.troubles.add(Trouble("object=APBILLITEM&", refusals.bad_query("no"), times=9))
    run = run_tap(instance.config, "bills", "bill_lines")
    assert run.tap.chosen["bills"].feed.outcome is Outcome.FAILED
    assert run.live("bills")
    assert "replication_key_value" not in run.state.get("bookmarks", {}).get("bills", {})


def test_start_and_end_date_bound_documents_but_not_masters(instance: Instance) -> None:
    everything = run_tap(instance.config, "bills", "vendors")
    times = sorted(row["whenmodified"] or row["auwhencreated"] for row in everything.live("bills"))
    start, end = times[len(times) // 3], times[2 * len(times) // 3]
    run = run_tap(instance.with_(start_date=start, end_date=end), "bills", "vendors")
    found = [row["whenmodified"] or row["auwhencreated"] for row in run.live("bills")]
    assert sorted(found) == [time for time in times if start <= time < end]
    assert run.bookmark("bills")["replication_key_value"] == end
    dated = {row["recordno"] for row in everything.live("vendors") if (row["whenmodified"] or "") < end}
    assert set(keys(run.live("vendors"))) == dated


def test_a_full_refresh_is_read_when_it_is_due_and_not_during_maintenance(instance: Instance) -> None:
    config = instance.with_(full_refresh_days=7, lookback_seconds=0)
    first = run_tap(config, "vendors")
    instance.world.life.advance(60 * 24 * 3)
    assert run_tap(config, "vendors", state=first.state).live("vendors") == []
    instance.world.life.advance(60 * 24 * 5)
    again = run_tap(config, "vendors", state=first.state)
    moment = instance.company.clock
    due = len(instance.company.vendors) if maintenance_start(moment) is None else 0
    assert len(again.live("vendors")) == due


def test_a_full_refresh_that_takes_several_runs_is_not_begun_again(instance: Instance) -> None:
    config = instance.with_(full_refresh_days=2, lookback_seconds=0, page_size=4)
    run = run_tap(config, "vendors")
    refreshed = run.bookmark("vendors")["full_read_at"]
    midweek = (9 - instance.company.clock.weekday()) % 7 + 7
    instance.world.life.advance(60 * 24 * midweek)
    read: list[Row] = []
    for calls in (4, None):
        run = run_tap({**config, "max_calls_per_run": calls}, "vendors", state=run.state)
        assert run.tap.has_stopped == bool(calls)
        read += run.live("vendors")
    assert sorted(keys(read), key=int) == sorted(
        (str(vendor.vendor_id) for vendor in instance.company.vendors.values()), key=int
    )
    assert run.bookmark("vendors")["full_read_at"] > refreshed
    assert "whole_read_until" not in run.bookmark("vendors")


def test_balances_are_read_whole_again_when_a_full_refresh_is_due(instance: Instance) -> None:
    config = instance.with_(full_refresh_days=2)
    first = run_tap(config, "balance_periods")
    midweek = (9 - instance.company.clock.weekday()) % 7 + 7
    instance.world.life.advance(60 * 24 * midweek)
    second = run_tap(config, "balance_periods", state=first.state)
    assert second.rows("balance_periods")[: len(first.rows("balance_periods"))] == first.rows(
        "balance_periods"
    )
    instance.world.life.advance(60 * 24)
    assert run_tap(config, "balance_periods", state=second.state).rows("balance_periods") == []


def test_bills_that_payments_touched_are_read_again_when_the_run_was_cut(instance: Instance) -> None:
    instance.switches.payments_touch_bills = False
    config = instance.with_(lookback_seconds=0, page_size=4)
    run = run_tap(config, "bills")
    held = {row["recordno"]: row for row in run.live("bills")}
    life = instance.world.life
    life.advance(60)
    life.pay()
    for _ in range(6):
        life.post_bill()
    life.advance(60 * 24)
    for calls in (3, None):
        run = run_tap({**config, "max_calls_per_run": calls}, "bills", state=run.state)
        assert run.tap.has_stopped == bool(calls)
        held.update({row["recordno"]: row for row in run.live("bills")})
        life.advance(60 * 24)
    assert held == {row["recordno"]: row for row in run_tap(config, "bills").live("bills")}


def test_the_weekly_maintenance_is_saturday_early_in_utc() -> None:
    saturday = dt.datetime(2026, 6, 6, 3, 10, tzinfo=dt.UTC)
    assert maintenance_start(saturday) == dt.datetime(2026, 6, 6, 2, 0, tzinfo=dt.UTC)
    assert maintenance_start(saturday + dt.timedelta(hours=5)) is None
    assert maintenance_start(saturday + dt.timedelta(days=1)) is None
    pacific = dt.timezone(dt.timedelta(hours=-7))
    assert maintenance_start(dt.datetime(2026, 6, 5, 20, 10, tzinfo=pacific)) is not None


def test_what_was_read_during_maintenance_is_read_again(instance: Instance) -> None:
    life = instance.world.life
    days = (5 - instance.company.clock.weekday()) % 7 or 7
    start = instance.company.clock.replace(hour=2, minute=30) + dt.timedelta(days=days)
    life.advance(int((start - instance.company.clock).total_seconds() // 60))
    life.post_bill()
    life.advance(60)
    config = instance.with_(lookback_seconds=0)
    during = run_tap(config, "bills")
    life.advance(60 * 6)
    after = run_tap(config, "bills", state=during.state)
    assert len(after.live("bills")) == 1


def test_the_books_of_gl_detail_can_be_chosen(instance: Instance) -> None:
    run = run_tap(instance.config, "journal_entries", "gl_details")
    assert {row["bookid"] for row in run.live("gl_details")} == {"ACCRUAL"}
    both = run_tap(instance.with_(book_ids=["ACCRUAL", "CASH"]), "journal_entries", "gl_details")
    assert {row["bookid"] for row in both.live("gl_details")} == {"ACCRUAL", "CASH"}
    found = [(row["recordno"], row["bookid"]) for row in both.live("gl_details")]
    assert len(found) == len(set(found)) > len(run.live("gl_details"))


def test_gl_detail_by_its_own_modification_time_is_asked_for_by_short_spans(instance: Instance) -> None:
    instance.switches.broken_span_days = 61
    config = instance.with_(gl_detail_mode="by_modified", window_days=60, page_size=400)
    run = run_tap(config, "gl_details")
    assert run.tap.exit_code == 0
    by_batch = run_tap(instance.config, "journal_entries", "gl_details")
    assert len(run.live("gl_details")) == len(by_batch.live("gl_details"))
    assert {r["recordno"]: r for r in run.live("gl_details")} == {
        r["recordno"]: r for r in by_batch.live("gl_details")
    }


@pytest.mark.parametrize("compare", ["text", "number"])
def test_documents_whose_key_is_text_are_paged_whatever_the_order_of_text_is(
    instance: Instance, compare: Any
) -> None:
    instance.switches.text_keys_compare = compare
    config = instance.with_(page_size=9)
    paged = run_tap(config, "purchase_documents", "purchase_document_lines")
    whole = run_tap(instance.config, "purchase_documents", "purchase_document_lines")
    for stream in ("purchase_documents", "purchase_document_lines"):
        found = keys(paged.live(stream))
        assert len(found) == len(set(found)) > 9
        assert set(found) == set(keys(whole.live(stream)))
    instance.world.life.advance(60 * 24)
    instance.script.clear()
    quiet = run_tap(config, "purchase_documents", "purchase_document_lines", state=paged.state)
    assert quiet.live("purchase_documents") == []
    assert instance.count("object=PODOCUMENT&") == 1


def test_big_offsets_are_never_needed(instance: Instance) -> None:
    instance.switches.broken_offset = 0
    streams = ("bills", "bill_lines", "journal_entries", "gl_details", "purchase_documents")
    run = run_tap(instance.with_(page_size=25), *streams)
    assert run.tap.exit_code == 0
    assert all(run.live(stream) for stream in streams)


def test_a_walk_by_groups_reads_a_group_that_is_longer_than_a_page() -> None:
    class Page:
        def __init__(self, rows: list[Row]) -> None:
            self.rows = rows

    rows = [{"recordno": str(n), "batch": "1" if n < 7 else "2"} for n in range(9)]
    walk = GroupWalk("BATCH", "batch", "RECORDNO", ("recordno",))
    found: list[Row] = []
    asked = 0
    while len(found) < len(rows) and asked < 20:
        asked += 1
        wanted = [r for r in rows if walk.position is None or r["batch"] >= walk.position]
        page: Any = Page(RowList(wanted[walk.offset : walk.offset + 3]))
        found += walk.take(page)
    assert found == rows


def test_a_gateway_that_ignores_the_order_is_noticed() -> None:
    class Page:
        rows = RowList([{"recordno": "5"}])

    walk = UniqueWalk("RECORDNO", "recordno", after="9")
    page: Any = Page()
    with pytest.raises(Exception, match="does not keep to the order"):
        walk.take(page)


def test_parts_halve_down_to_an_hour_and_survive_the_state() -> None:
    part = Part(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 3, tzinfo=dt.UTC), "17")
    assert [Part.of(half.kept()) for half in part.halves()] == part.halves()
    assert part.halves()[0].hi == part.halves()[1].lo
    short = Part(part.lo, dt.datetime(2026, 1, 1, 1, tzinfo=dt.UTC))
    assert short.halves() == []
    assert Part(None, part.hi).halves() == []
    pieces = Part(part.lo, dt.datetime(2026, 1, 16, tzinfo=dt.UTC)).pieces(7)
    assert len(pieces) == 3
    assert all(one.hi == two.lo for one, two in itertools.pairwise(pieces))

"""Nothing is missed, nothing is counted twice, and a run that is cut goes on where it stood."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tap_exact_online.streams import ENTITIES
from tap_exact_online.streams.declarations import Way
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.exact_online import (
    DIVISIONS,
)
from tests.sandbox.faults import Fault
from tests.tap_exact_online.conftest import sites
from tests.tap_exact_online.harness import Warehouse, catalog_of, last_per_key, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_exact_online.conftest import Instance
    from tests.tap_exact_online.harness import Run

EAST, HQ = sorted(DIVISIONS.values())
KEY = ("division", "id")


def held(*runs: Run, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    warehouse = Warehouse()
    for run in runs:
        warehouse.load(run)
    return warehouse.tables[stream]


def without_names(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.endswith(("_name", "_description"))}


def calls_to(instance: Instance, pattern: str) -> int:
    return instance.script.count(pattern)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Run, Run]]:
    """One run of all streams that several tests look at, and a second one without changes."""
    with sites(tmp_path_factory.mktemp("whole")) as make:
        instance = make(bills=40)
        first = run_tap(instance)
        instance.world.life.advance(60 * 4)
        instance.sign_in_again()
        instance.script.clear()
        second = run_tap(instance, state=first.state, catalog=first.tap.catalog_dict)
        yield instance, first, second


# shape ------------------------------------------------------------------------------------------------------


def test_every_stream_announces_itself_once_and_before_its_rows(whole: Any) -> None:
    _, run, _ = whole
    announced: set[str] = set()
    for message in run.messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in announced
            announced.add(message["stream"])
        if message["type"] == "RECORD":
            assert message["stream"] in announced
    assert announced == set(run.tap.streams)


def test_rows_have_exactly_the_properties_that_their_schema_announces(whole: Any) -> None:
    _, run, _ = whole
    schemas = {m["stream"]: set(m["schema"]["properties"]) for m in run.messages if m["type"] == "SCHEMA"}
    for stream, properties in schemas.items():
        for row in run.rows(stream):
            assert set(row) == properties, stream


def test_keys_are_unique_and_begin_with_the_division(whole: Any) -> None:
    _, run, _ = whole
    for name, stream in run.tap.streams.items():
        assert name == "divisions" or stream.primary_keys[0] == "division"
        keys = [tuple(row[key] for key in stream.primary_keys) for row in run.rows(name)]
        assert keys or name in {"assets", "deleted"}, name
        assert len(set(keys)) == len(keys), name
        assert not any(value is None for key in keys for value in key), name
        divisions = {row.get("division", HQ) for row in run.rows(name)}
        assert divisions <= {EAST, HQ}, name


def test_a_run_reads_one_division_after_another_and_asks_one_thing_at_a_time(whole: Any) -> None:
    instance, run, _ = whole
    order = [
        m["record"]["division"] for m in run.messages if m["type"] == "RECORD" and m["stream"] != "divisions"
    ]
    assert order == sorted(order)
    assert instance.app.counters.largest_overlap == 0
    assert instance.app.counters.without_json == 0
    assert instance.app.counters.writes == 0


def test_the_first_run_needs_rows_by_page_limit_and_few_calls_more(whole: Any) -> None:
    _, run, _ = whole
    used = run.tap.client.limits.quotas[HQ].used
    assert used <= len(ENTITIES) + sum(
        len([r for r in run.rows(e.stream) if r.get("division") == HQ])
        // (1000 if e.endpoint.startswith(("sync", "bulk")) else 60)
        for e in ENTITIES
    )


def test_a_second_run_without_changes_costs_one_call_per_feed(whole: Any) -> None:
    instance, first, second = whole
    for code in (EAST, HQ):
        calls = [call.path for call in instance.script.calls if f"/{code}/" in call.path]
        full = [e.endpoint for e in ENTITIES if e.way is Way.FULL]
        others = [path for path in calls if not path.endswith(tuple(full))]
        counts = {path: others.count(path) for path in others}
        assert set(counts.values()) == {1}, counts
    for name, stream in second.tap.chosen.items():
        if stream.replication_key is not None:
            assert second.rows(name) == [], name
    assert first.tap.exit_code == second.tap.exit_code == 0


def test_state_holds_no_token_and_no_marks_of_a_run_under_way(whole: Any) -> None:
    _, run, second = whole
    text = json.dumps(run.state)
    assert "stampNL" not in text
    assert not any(mark in text for mark in ("progress_markers", "signpost", "starting_replication"))
    for name, bookmark in second.state["bookmarks"].items():
        before = run.state["bookmarks"][name].get("completed_at")
        assert bookmark["completed_at"] != before, name


def test_amounts_stand_beside_the_currency_of_their_division(whole: Any) -> None:
    _, run, _ = whole
    for row in run.rows("transaction_lines"):
        assert row["division_currency"] == "USD"
    schema = run.tap.streams["transaction_lines"].schema["properties"]
    hints = schema["amount_dc"]["x-sql-datatype-properties"]
    assert {"precision": 18, "scale": 4}.items() <= hints.items()


def test_codes_lose_their_padding_and_keep_their_zeros(whole: Any) -> None:
    instance, run, _ = whole
    codes = {row["code"] for row in run.rows("gl_accounts")}
    assert codes == set(instance.company.accounts)
    assert set(instance.company.vendors) <= {row["code"] for row in run.rows("accounts")}


# nothing missed ---------------------------------------------------------------------------------------------


def test_rows_that_change_between_pages_cost_no_other_row(make_instance: Callable[..., Instance]) -> None:
    instance = make_instance(bills=150)
    life = instance.world.life
    for skip in (1, 2, 3, 4):
        instance.script.add(Fault(r"PurchaseEntries", hook=lambda: life.live(5), skip=skip))
    streams = ("purchase_entries", "purchase_entry_lines", "transaction_lines")
    first = run_tap(instance, *streams)
    instance.script.clear()
    life.advance(30)
    second = run_tap(instance, *streams, state=first.state)
    fresh = run_tap(instance, *streams)
    for stream in streams:
        kept = held(first, second, stream=stream)
        new = held(fresh, stream=stream)
        assert set(kept) >= set(new)
        # names of other records are as they were when the row was read
        for key, row in new.items():
            assert without_names(kept[key]) == without_names(row), stream
        gone = set(kept) - set(new)
        assert stream != "transaction_lines" or not gone


def test_a_document_that_is_posted_after_the_bound_comes_with_the_next_run(instance: Instance) -> None:
    life = instance.world.life

    def post() -> None:
        instance.world.life.advance(1)
        posted.append(life.post_bill().note_id)

    posted: list[str] = []
    before = {row["entry_id"] for row in run_tap(instance, "purchase_entries").rows("purchase_entries")}
    instance.script.add(Fault(r"PurchaseEntries", hook=post, times=1))
    first = run_tap(instance, "purchase_entries")
    assert posted
    assert {row["entry_id"] for row in first.rows("purchase_entries")} == before
    life.advance(5)
    second = run_tap(instance, "purchase_entries", state=first.state)
    assert len({row["entry_id"] for row in second.rows("purchase_entries")} - before) == 1


def test_a_row_that_became_visible_late_with_a_low_version_is_found(instance: Instance) -> None:
    """A long transaction commits behind one that began later: its row versions are the lower ones."""
    life = instance.world.life
    life.advance(1)
    life.post_journal()
    life.advance(1)
    first = run_tap(instance, "transaction_lines")
    rows = {row["id"]: row["timestamp"] for row in first.rows("transaction_lines")}
    # what was changed in the last minutes lies above the bookmark and is read again
    marks = {code: first.bookmark("transaction_lines", code)["replication_key_value"] for code in (EAST, HQ)}
    recent = {
        row["id"] for row in first.rows("transaction_lines") if row["timestamp"] > marks[row["division"]]
    }
    assert 0 < len(recent) < len(rows)
    second = run_tap(instance, "transaction_lines", state=first.state)
    assert {row["id"] for row in second.rows("transaction_lines")} == recent


def test_sync_pages_out_of_order_keep_the_bookmark_until_their_end(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=150)
    instance.switches.sync_in_order = False
    config = instance.with_(max_calls_per_run=4, divisions=[HQ])
    cut = run_tap(instance, "transaction_lines", config=config)
    assert "timestamp" not in str(cut.state["bookmarks"].get("transaction_lines", {}).get("replication_key"))
    whole = run_tap(instance, "transaction_lines", state=cut.state, config=instance.with_(divisions=[HQ]))
    instance.switches.sync_in_order = True
    right = run_tap(instance, "transaction_lines", config=instance.with_(divisions=[HQ]))
    assert set(held(cut, whole, stream="transaction_lines")) == set(held(right, stream="transaction_lines"))


@pytest.mark.parametrize("stop_at", [5, 170])
def test_a_run_that_dies_at_any_row_goes_on_and_loses_none(
    make_instance: Callable[..., Instance], stop_at: int
) -> None:
    instance = make_instance(bills=120)
    streams = ("purchase_entries", "purchase_entry_lines", "transaction_lines")

    class DeadError(Exception):
        pass

    recorded: list[dict[str, Any]] = []

    def count(message: dict[str, Any]) -> None:
        recorded.append(message)
        if len([m for m in recorded if m["type"] == "RECORD"]) > stop_at:
            raise DeadError

    with contextlib.suppress(DeadError):
        run_tap(instance, *streams, on_message=count)
    states = [m["value"] for m in recorded if m["type"] == "STATE"]
    rest = run_tap(instance, *streams, state=states[-1] if states else None)
    right = run_tap(instance, *streams)
    for stream in streams:
        first = [m["record"] for m in recorded if m["type"] == "RECORD" and m["stream"] == stream]
        keys = right.tap.streams[stream].primary_keys
        assert last_per_key([*first, *rest.rows(stream)], keys) == last_per_key(right.rows(stream), keys)


def test_a_run_that_a_signal_ends_writes_nothing_behind_the_line_that_it_may_have_cut(
    instance: Instance,
) -> None:
    seen: list[str] = []

    def end(message: dict[str, Any]) -> None:
        seen.append(message["type"])
        if len(seen) == 9:
            raise SystemExit

    with pytest.raises(SystemExit):
        run_tap(instance, "gl_accounts", on_message=end)
    assert len(seen) == 9
    assert seen[-1] == "RECORD"


def test_a_call_budget_stops_cleanly_and_the_next_runs_go_on(instance: Instance) -> None:
    state: dict[str, Any] = {}
    warehouse = Warehouse()
    streams = ("gl_accounts", "accounts", "purchase_entries", "purchase_entry_lines", "transaction_lines")
    for _ in range(7):
        run = run_tap(instance, *streams, state=state, config=instance.with_(max_calls_per_run=5))
        assert run.tap.client.calls <= 5
        assert run.tap.exit_code == 0
        state = run.state
        warehouse.load(run)
    right = Warehouse()
    right.load(run_tap(instance, *streams))
    for stream in streams:
        assert set(warehouse.tables[stream]) == set(right.tables[stream]), stream


# paging and lines -------------------------------------------------------------------------------------------


def test_more_than_sixty_lines_of_one_document_are_all_read(instance: Instance) -> None:
    bill = next(b for b in instance.company.bills.values() if b.status is DocumentStatus.OPEN)
    line = bill.lines[0]
    for number in range(200, 300):
        bill.lines.append(msgspec.structs.replace(line, line_nbr=number))
    instance.world.life.advance(1)
    bill.modified_at = instance.company.clock
    run = run_tap(instance, "purchase_entries", "purchase_entry_lines")
    counts: dict[str, int] = {}
    for row in run.rows("purchase_entry_lines"):
        counts[row["entry_id"]] = counts.get(row["entry_id"], 0) + 1
    assert max(counts.values()) == len(bill.lines)
    ids = [row["id"] for row in run.rows("purchase_entry_lines")]
    assert len(set(ids)) == len(ids)


def test_lines_can_be_read_alone_and_carry_their_document(instance: Instance) -> None:
    both = run_tap(instance, "purchase_entries", "purchase_entry_lines")
    alone = run_tap(instance, "purchase_entry_lines")
    assert alone.rows("purchase_entry_lines") == both.rows("purchase_entry_lines")
    assert not any(m["type"] == "SCHEMA" and m["stream"] == "purchase_entries" for m in alone.messages)
    headers = {row["entry_id"]: row for row in both.rows("purchase_entries")}
    for line in both.rows("purchase_entry_lines"):
        header = headers[line["entry_id"]]
        for column in ("entry_number", "entry_date", "currency", "supplier_name", "modified", "status"):
            assert line[column] == header[column]


def test_documents_alone_are_read_without_their_lines(instance: Instance) -> None:
    run_tap(instance, "purchase_entries")
    assert calls_to(instance, "expand") == 0


def test_only_selected_properties_are_asked_for(instance: Instance) -> None:
    run = run_tap(instance, "cost_centers", config=instance.with_(enrich=False))
    catalog = catalog_of(run.tap, ["cost_centers"])
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if part["breadcrumb"]:
                part["metadata"]["selected"] = part["breadcrumb"][1] == "code"
    instance.script.clear()
    run = run_tap(instance, config=instance.with_(enrich=False), catalog=catalog)
    assert set(run.rows("cost_centers")[0]) == {"division", "id", "code", "modified"}
    (query,) = {call.query for call in instance.script.calls if "Costcenters" in call.path}
    assert "$select=ID,Modified,Code" in query.replace("%24", "$").replace("%2C", ",")


def test_no_request_line_is_longer_than_the_server_takes(instance: Instance) -> None:
    run = run_tap(instance, "cost_centers")
    catalog = catalog_of(run.tap, run.tap.streams)
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            part["metadata"]["selected"] = True
    instance.script.clear()
    everything = run_tap(instance, catalog=catalog, config=instance.with_(divisions=[HQ]))
    assert everything.tap.exit_code == 0
    assert max(len(call.line) for call in instance.script.calls) < 6000


def test_a_withdrawn_property_is_left_out_and_remembered(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.withdrawn = {
        "sync/Financial/TransactionLines": frozenset({"TrackingNumber", "YourRef"})
    }
    first = run_tap(instance, "transaction_lines", config=instance.with_(divisions=[HQ]))
    assert first.tap.exit_code == 0
    assert {row["your_ref"] for row in first.rows("transaction_lines")} == {None}
    assert "YourRef" in caplog.text
    errors = sum(instance.app.counters.errors.values())
    assert errors <= 2
    run_tap(instance, "transaction_lines")
    assert sum(instance.app.counters.errors.values()) == errors


def test_an_endpoint_without_order_is_read_and_bookmarked_at_its_end(instance: Instance) -> None:
    instance.switches.unorderable = frozenset({"purchaseentry/PurchaseEntries"})
    first = run_tap(instance, "purchase_entries", config=instance.with_(divisions=[HQ]))
    assert first.tap.exit_code == 0
    assert first.rows("purchase_entries")
    assert first.bookmark("purchase_entries", HQ)["replication_key_value"]


def test_bare_lists_are_read(instance: Instance) -> None:
    instance.switches.bare_lists |= {"hrm/Costcenters"}
    assert len(run_tap(instance, "cost_centers").rows("cost_centers")) == 2 * len(
        instance.company.cost_centers
    )

"""`target-tableau-loads health`: what it finds, whom it tells, and how often."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from target_tableau.errors import BadRecordError, RefreshError, TableauError
from tests.sandbox.serving import serve
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.support import BILL, bills, load, loads_command, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from starlette.requests import Request

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


class Listener:
    """What takes alerts and heartbeats."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.beats = 0
        self.status = 200
        self.app = Starlette(
            routes=[Route("/alert", self._alert, methods=["POST"]), Route("/beat", self._beat)]
        )
        self.url = ""

    async def _alert(self, request: Request) -> Response:
        self.alerts.append(await request.json())
        return Response(status_code=self.status)

    async def _beat(self, _: Request) -> Response:
        self.beats += 1
        return Response(status_code=self.status)


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener()
    with serve(heard.app) as url:
        heard.url = url
        yield heard


def health(config: Config, tmp_path: Path) -> Result:
    return loads_command(config, tmp_path, "health")


def age(tmp_path: Path, table: str, column: str, **by: int) -> None:
    """Make what the ledger holds older."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'output' / 'loads.db'}")
    with engine.begin() as connection:
        for (moment,) in connection.execute(sa.text(f"SELECT DISTINCT {column} FROM {table}")).all():
            older = dt.datetime.fromisoformat(str(moment)) - dt.timedelta(**by)
            connection.execute(
                sa.text(f"UPDATE {table} SET {column} = :older WHERE {column} = :moment"),
                {"older": str(older), "moment": moment},
            )
    engine.dispose()


def test_a_source_that_is_well_says_so(config: Config, tmp_path: Path) -> None:
    load(config, bills(("001", 1)))
    result = health(config | {"freshness_minutes": 15}, tmp_path)
    assert (result.exit_code, result.output) == (0, "All is well.\n")


def test_rows_older_than_promised_are_an_incident_however_they_got_so(config: Config, tmp_path: Path) -> None:
    config["datasources"] = [{"stream": "bills", "freshness_minutes": 15}]
    load(config, bills(("001", 1)))
    age(tmp_path, "loads", "started_at", minutes=40)
    result = health(config, tmp_path)
    assert result.exit_code == 1
    assert "'bills' is 40 minutes old, and 15 are promised" in result.output


def test_failures_quarantine_and_references_are_told_with_what_to_do(config: Config, tmp_path: Path) -> None:
    with pytest.raises(BadRecordError):
        load(config, bills(("001", "much")))
    failed = health(config, tmp_path)
    assert failed.exit_code == 1
    assert "The load of 'bills' of" in failed.output
    assert "'much'" in failed.output
    config |= {"on_bad_record": "quarantine", "references": [{"from": "bills.ref", "to": "vendors.ref"}]}
    load(config, [{**m, "stream": "vendors"} if "stream" in m else m for m in bills(("009", 1))])
    load(config, bills(("001", 1), ("002", "much")))
    told = health(config, tmp_path).output
    assert "1 records of 'bills' did not fit" in told
    assert "--rejected" in told
    assert "1 rows of 'bills' refer to something" in told
    assert "failed" not in told


def test_a_load_whose_process_was_killed_is_an_incident_after_half_a_day(
    config: Config, tmp_path: Path
) -> None:
    load(config, bills(("001", 1)))
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'output' / 'loads.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE loads SET status = 'running'"))
    engine.dispose()
    assert health(config, tmp_path).exit_code == 0
    age(tmp_path, "loads", "started_at", hours=13)
    assert "never ended" in health(config, tmp_path).output


def test_a_tap_that_fails_before_it_sends_anything_is_an_incident_until_one_run_is_well(
    config: Config, tmp_path: Path
) -> None:
    config["source"] = "tap-x"
    load(config, bills(("001", 1)))
    assert health(config, tmp_path).exit_code == 0
    load(config, [])
    result = health(config, tmp_path)
    assert result.exit_code == 1
    assert "got nothing from 'tap-x': it failed before it sent anything" in result.output
    assert "meltano invoke tap-x --test" in result.output
    load(config, [schema("bills", BILL, ["ref"])])  # it knew its streams, and died then
    assert "got nothing from 'tap-x'" in health(config, tmp_path).output
    load(config, bills())  # quiet, and well
    assert health(config, tmp_path).exit_code == 0


def test_a_source_that_never_loaded_anything_is_missed_where_it_is_expected(
    config: Config, tmp_path: Path
) -> None:
    assert health(config, tmp_path).exit_code == 0
    result = health(config | {"expected_sources": ["tap-x"]}, tmp_path)
    assert result.exit_code == 1
    assert "Nothing of 'tap-x' was ever loaded" in result.output
    load(config | {"source": "tap-x"}, bills(("001", 1)))
    assert health(config | {"expected_sources": ["tap-x"]}, tmp_path).exit_code == 0


def test_a_run_that_fails_before_its_first_load_is_an_incident(
    publishing: Config, server: Server, tmp_path: Path
) -> None:
    with pytest.raises(TableauError):
        load(publishing | {"token_value": "wrong"}, bills(("001", 1)))
    result = health(publishing, tmp_path)
    assert result.exit_code == 1
    assert "The run of the tap" in result.output
    assert "refused the sign-in" in result.output
    load(publishing, bills(("001", 1)))
    assert health(publishing, tmp_path).exit_code == 0
    assert server.writes


@pytest.mark.parametrize(
    ("why", "told"),
    [("skipped", "a right or a module is missing"), ("stopped", "max_calls_per_run"), ("failed", "failed")],
)
def test_a_stream_that_was_skipped_is_an_incident_until_it_is_read(
    config: Config, tmp_path: Path, why: str, told: str
) -> None:
    """Nothing came of it, not even its schema: the tap's note in the STATE tells."""
    note = {"at": dt.datetime.now(dt.UTC).isoformat(), "why": why}
    load(config, [*bills(("001", 1))[:-1], state({"bookmarks": {"bills": {}, "vendors": {"unread": note}}})])
    result = health(config, tmp_path)
    assert result.exit_code == 1
    assert "'vendors' was not read to its end by the run of" in result.output
    assert told in result.output
    load(config, bills(("001", 1)))
    assert health(config, tmp_path).exit_code == 0


def test_a_note_on_a_stream_that_is_not_read_any_more_is_old_news(config: Config, tmp_path: Path) -> None:
    note = {"at": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat(), "why": "skipped"}
    load(config, [*bills(("001", 1))[:-1], state({"bookmarks": {"bills": {}, "vendors": {"unread": note}}})])
    assert health(config, tmp_path).exit_code == 0


def test_a_stream_that_a_foreign_tap_left_under_way_is_an_incident(config: Config, tmp_path: Path) -> None:
    under_way = {"bookmarks": {"bills": {"starting_replication_value": None}}}
    load(config, [*bills(("001", 1))[:-1], state(under_way)])
    assert "'bills' was not read to its end by the run of" in health(config, tmp_path).output


def test_a_load_that_fails_is_told_once_not_as_a_run_too(config: Config, tmp_path: Path) -> None:
    with pytest.raises(BadRecordError):
        load(config, bills(("001", "much")))
    assert health(config, tmp_path).output.count("failed") == 1


def test_a_sign_in_that_ends_without_use_is_told_in_its_last_third(config: Config, tmp_path: Path) -> None:
    config |= {"source": "tap-exact-online--be", "source_token_days": {"tap-exact-online*": 30}}
    load(config, bills(("001", 1)))
    assert health(config, tmp_path).exit_code == 0
    for table, column in (("loads", "started_at"), ("runs", "began_at")):
        age(tmp_path, table, column, days=21)
    told = health(config, tmp_path).output
    assert "The sign-in of 'tap-exact-online--be' was last used on" in told
    assert "30 days later, unless it is used" in told
    load(config, bills(("001", 1)))
    assert health(config, tmp_path).exit_code == 0


def test_one_look_covers_all_sources_and_a_look_at_one_leaves_the_others_alone(
    config: Config, listener: Listener, tmp_path: Path
) -> None:
    config |= {
        "freshness_minutes": 15,
        "alert_urls": listener.url.replace("http://", "json://") + "/alert",
    }
    for source in ("tap-x", "tap-y"):
        load(config | {"source": source}, bills(("001", 1)))
    age(tmp_path, "loads", "started_at", minutes=40)
    told = health(config, tmp_path).output
    assert "'tap-x bills' is 40 minutes old" in told
    assert "'tap-y bills' is 40 minutes old" in told
    load(config | {"source": "tap-y"}, bills(("001", 2)))
    assert health(config | {"source": "tap-y"}, tmp_path).exit_code == 0
    assert [alert["title"].partition(": ")[2] for alert in listener.alerts] == [
        "2 new incidents",
        "all incidents told of here are over",
    ]
    assert "tap-x" not in listener.alerts[1]["message"]
    assert health(config, tmp_path).exit_code == 1
    assert len(listener.alerts) == 2


@pytest.mark.parametrize(
    ("column", "by", "told"), [("ends_at", 360, "ends on"), ("used_at", 13, "without use it ends")]
)
def test_a_token_near_its_end_is_an_incident(
    publishing: Config, server: Server, tmp_path: Path, column: str, by: int, told: str
) -> None:
    load(publishing, bills(("001", 1)))
    assert health(publishing, tmp_path).exit_code == 0
    age(tmp_path, "tokens", column, days=by)
    assert told in health(publishing, tmp_path).output
    assert server.writes


def test_a_failed_refresh_is_an_incident_until_it_worked(
    publishing: Config, server: Server, tmp_path: Path
) -> None:
    load(publishing, bills(("001", 1)))
    server.app.state.add_workbook("Spend", extracts=[server.get("bills").id])
    publishing["refresh"] = {"workbooks": ["Spend"]}
    server.app.switches.fates = [Fate("failed", "RefreshExtract", notes="out of memory")]
    with pytest.raises(RefreshError):
        load(publishing, bills(("001", 2)))
    assert "The workbook 'Spend' could not be refreshed" in health(publishing, tmp_path).output
    load(publishing, bills(("001", 2)))
    assert health(publishing, tmp_path).exit_code == 0


def test_people_are_told_once_and_again_when_it_is_over(
    config: Config, listener: Listener, tmp_path: Path
) -> None:
    config |= {
        "source": "tap-x",
        "freshness_minutes": 15,
        "alert_urls": listener.url.replace("http://", "json://") + "/alert",
        "heartbeat_url": f"{listener.url}/beat",
    }
    load(config, bills(("001", 1)))
    assert health(config, tmp_path).exit_code == 0
    assert (listener.alerts, listener.beats) == ([], 1)
    age(tmp_path, "loads", "started_at", minutes=40)
    listener.status = 500
    assert "could not be delivered" in health(config, tmp_path).output
    listener.status = 200
    for _ in range(3):
        assert health(config, tmp_path).exit_code == 1
    failed, begun = listener.alerts
    assert failed["title"] == begun["title"] == "Tableau data of tap-x: 1 new incident"
    assert "40 minutes old" in begun["message"]
    load(config, bills(("001", 2)))
    listener.status = 500
    assert "could not be delivered" in health(config, tmp_path).output
    listener.status = 200
    for _ in range(2):
        assert health(config, tmp_path).exit_code == 0
    *_, lost, over = listener.alerts
    assert len(listener.alerts) == 4
    assert lost["message"] == over["message"]
    assert "Over: 'tap-x bills' is 40 minutes old" in over["message"]
    assert listener.beats >= 5


def test_an_address_that_is_not_understood_is_not_shown(config: Config, tmp_path: Path) -> None:
    with contextlib.suppress(BadRecordError):
        load(config, bills(("001", "much")))
    result = health(config | {"alert_urls": "nonsense://canary"}, tmp_path)
    assert result.exit_code == 1
    assert "does not know address 1" in result.output
    assert "canary" not in result.output

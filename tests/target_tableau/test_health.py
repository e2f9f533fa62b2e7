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

from target_tableau.errors import BadRecordError, RefreshError
from tests.sandbox.serving import serve
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.support import bills, load, loads_command

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
    for _ in range(2):
        assert health(config, tmp_path).exit_code == 0
    assert len(listener.alerts) == 3
    assert "Over: 'tap-x bills' is 40 minutes old" in listener.alerts[2]["message"]
    assert listener.beats >= 5


def test_an_address_that_is_not_understood_is_not_shown(config: Config, tmp_path: Path) -> None:
    with contextlib.suppress(BadRecordError):
        load(config, bills(("001", "much")))
    result = health(config | {"alert_urls": "nonsense://canary"}, tmp_path)
    assert result.exit_code == 1
    assert "does not know address 1" in result.output
    assert "canary" not in result.output

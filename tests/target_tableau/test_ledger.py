"""The load ledger in SQLite and in a real PostgreSQL: shared, locked, and brought up to date."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from target_tableau.errors import LockedError, SettingError
from target_tableau.incidents import compare, note_told
from target_tableau.ledger import Ledger, Published, Status
from tests.postgresql import postgresql_server
from tests.target_tableau.support import STATE, Extracts, bills, load, loads_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A PostgreSQL server of the tests' own; its address."""
    with postgresql_server() as address:
        yield address


@pytest.fixture
def postgresql(cluster: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    yield cluster
    engine = sa.create_engine(cluster.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("postgresql"))


def test_a_run_with_its_ledger_in_a_database_leaves_its_trail_there(
    publishing: Config, server: Server, extracts: Extracts, database: str, tmp_path: Path
) -> None:
    publishing |= {"ledger_url": database, "source": "tap-x"}
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert server.rows("tap-x bills") == {"001": Decimal(2)}
    told = loads_command(publishing, tmp_path, "report").output
    assert "tap-x bills" in told
    assert "~1" in told
    assert not (extracts.folder / "loads.db").exists()


def test_a_second_machine_waits_its_turn_on_the_same_source(postgresql: str, tmp_path: Path) -> None:
    first, second = Ledger(postgresql, tmp_path), Ledger(postgresql, tmp_path)
    with first.exclusive("the extracts of x", 1):
        with (
            pytest.raises(LockedError, match="Another run works on the extracts of x"),
            second.exclusive("the extracts of x", 0),
        ):
            pytest.fail("two at once")
        with second.exclusive("the extracts of y", 0):
            pass
    with second.exclusive("the extracts of x", 0):
        pass
    first.close()
    second.close()


def test_two_targets_on_two_machines_wait_for_each_other(
    publishing: Config, server: Server, postgresql: str, tmp_path: Path
) -> None:
    """Each has its own folder, so only the ledger keeps them apart."""
    publishing["ledger_url"] = postgresql
    machines = [{**publishing, "output_dir": str(tmp_path / name)} for name in ("one", "two")]
    loads = [_start(machine, tmp_path / f"{number}.json") for number, machine in enumerate(machines)]
    for number, process in enumerate(loads):
        text = "".join(f"{json.dumps(message)}\n" for message in bills((f"{number}", number)))
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.close()
    assert [process.wait(120) for process in loads] == [0, 0]
    assert server.rows("bills") == {"0": Decimal(0), "1": Decimal(1)}


def _start(config: Config, path: Path) -> subprocess.Popen[bytes]:
    path.write_text(json.dumps(config))
    return subprocess.Popen(
        [sys.executable, "-m", "target_tableau", "--config", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


HOLDER = """
import pathlib, sys, time
from target_tableau.ledger import Ledger
with Ledger(sys.argv[1], pathlib.Path(sys.argv[2])).exclusive("x", 0):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_machine_holds_nothing(postgresql: str, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, postgresql, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait(10)
    holder.stdout.close()
    ledger = Ledger(postgresql, tmp_path)
    with ledger.exclusive("x", 10):
        pass
    ledger.close()


def test_many_that_begin_at_once_make_one_ledger(database: str, tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for ledger in pool.map(lambda _: Ledger(database, tmp_path), range(4)):
            assert ledger.loads() == []
            ledger.close()


VERSION_1 = """
CREATE TABLE ledger (version INTEGER NOT NULL);
INSERT INTO ledger VALUES (1);
CREATE TABLE loads (load_id VARCHAR(64) NOT NULL, stream VARCHAR(255) NOT NULL, source VARCHAR(255) NOT NULL,
  started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP, status VARCHAR(16) NOT NULL, read BIGINT NOT NULL,
  new BIGINT NOT NULL, changed BIGINT NOT NULL, deleted BIGINT NOT NULL, unchanged BIGINT NOT NULL,
  rejected BIGINT NOT NULL, unresolved BIGINT NOT NULL, total BIGINT NOT NULL, seconds INTEGER, extract TEXT,
  datasource TEXT, datasource_luid VARCHAR(64), job VARCHAR(64), error TEXT, PRIMARY KEY (load_id, stream));
INSERT INTO loads VALUES ('20260101T000000000000-abcd', 'bills', '', '2026-01-01 00:00:00', NULL, 'done', 1, 1, 0, 0, 0,
  0, 0, 1, 1, 'bills.hyper', 'bills', NULL, NULL, NULL);
CREATE TABLE datasources (source VARCHAR(255), stream VARCHAR(255), server VARCHAR(255), site VARCHAR(255),
  project VARCHAR(255), name TEXT NOT NULL, luid VARCHAR(64), load_id VARCHAR(64) NOT NULL,
  published_at TIMESTAMP NOT NULL, PRIMARY KEY (source, stream, server, site, project));
INSERT INTO datasources VALUES ('', 'bills', 's', 'f', 'p', 'bills', 'luid', '20260101T000000000000-abcd',
  '2026-01-01 00:00:00');
"""


def _make(database: str, script: str) -> None:
    engine = sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for statement in script.split(";"):
            if statement.strip():
                connection.execute(sa.text(statement))
    engine.dispose()


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_all_it_holds(
    database: str, tmp_path: Path
) -> None:
    _make(database, VERSION_1)
    for _ in range(2):  # the second time there is nothing to do
        ledger = Ledger(database, tmp_path)
        (row,) = ledger.loads()
        assert (row["load_id"], row["status"], row["publish_mode"]) == (
            "20260101T000000000000-abcd",
            "done",
            None,
        )
        key = {"source": "", "stream": "bills", "server": "s", "site": "f", "project": "p"}
        assert ledger.datasource(key) == Published("bills", "luid", "20260101T000000000000-abcd")
        ledger.close()
    ledger = Ledger(database, tmp_path)
    ledger.update("20260101T000000000000-abcd", ["bills"], status=Status.DONE, publish_mode="update")
    assert ledger.loads()[0]["publish_mode"] == "update"
    ledger.close()


VERSION_2 = """
CREATE TABLE ledger (version INTEGER NOT NULL);
INSERT INTO ledger VALUES (2);
CREATE TABLE incidents (id INTEGER PRIMARY KEY, kind VARCHAR(32) NOT NULL, subject TEXT NOT NULL, told TEXT NOT NULL,
  began_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, alerted_at TIMESTAMP);
INSERT INTO incidents VALUES (1, 'stale', 'bills', 'old', '2026-01-01 00:00:00', NULL, '2026-01-01 00:00:00');
"""


def test_incidents_that_the_second_version_told_of_are_told_to_be_over(database: str, tmp_path: Path) -> None:
    _make(database, VERSION_2)
    ledger = Ledger(database, tmp_path)
    now = dt.datetime(2026, 1, 2)
    told = compare(ledger, [], ["tap-x"], now)
    assert [incident.told for incident in told.over] == ["old"]
    assert compare(ledger, [], ["tap-x"], now).over == told.over
    note_told(ledger, told, now)
    assert not compare(ledger, [], ["tap-x"], now).has_news
    ledger.close()


VERSION_3 = """
CREATE TABLE ledger (version INTEGER NOT NULL);
INSERT INTO ledger VALUES (3);
CREATE TABLE columns (source VARCHAR(255), stream VARCHAR(255), property VARCHAR(255), name TEXT NOT NULL,
  PRIMARY KEY (source, stream, property));
INSERT INTO columns VALUES ('', 'bills', 'amount', 'Amount due');
INSERT INTO columns VALUES ('', 'bills', 'ref', 'ref');
"""


def test_names_of_columns_that_the_third_version_knew_are_earlier_names_of_later_ones(
    database: str, tmp_path: Path
) -> None:
    _make(database, VERSION_3)
    ledger = Ledger(database, tmp_path)
    assert ledger.columns("", "bills") == {"amount": "Amount due", "ref": "ref"}
    for name in ("Open", "Still open", "Open"):
        ledger.remember_columns("", "bills", {"amount": name, "ref": "ref"})
    assert ledger.column_names("", "bills") == {
        "amount": ["Open", "Still open", "Amount due"],
        "ref": ["ref"],
    }
    ledger.close()


def test_a_ledger_of_a_newer_version_is_not_touched(database: str, tmp_path: Path) -> None:
    _make(database, "CREATE TABLE ledger (version INTEGER NOT NULL); INSERT INTO ledger VALUES (99)")
    with pytest.raises(SettingError, match="Install the newer version"):
        Ledger(database, tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://nobody:canary@127.0.0.1:9/books", "cannot be opened"),
        ("mysql+mysqldb://nobody:canary@127.0.0.1/books", "needs the package 'MySQLdb'"),
        ("nonsense", "cannot be opened"),
    ],
)
def test_a_ledger_that_cannot_be_had_is_told_without_its_password(
    config: Config, url: str, told: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load(config | {"ledger_url": url}, bills(("001", 1)))
    message = str(caught.value)
    assert told in message
    assert "canary" not in message
    assert "\n" not in message


def test_an_unfinished_load_is_finished_by_the_next_run_from_its_journal(
    publishing: Config, server: Server, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are there even if the tap does not send them again."""
    load(publishing, bills(("001", 1)))
    with monkeypatch.context() as patch:
        patch.setattr("target_tableau.delivery.Delivery.deliver", _no_network)
        with pytest.raises(SettingError):
            load(publishing, bills(("001", 2), ("002", 2)))
    assert extracts.rows("bills", "SELECT ref, amount FROM {t}") == [["001", 1]]
    assert load(publishing, [*bills(("003", 3))]) == [STATE]
    assert server.rows("bills") == {"001": Decimal(2), "002": Decimal(2), "003": Decimal(3)}


def _no_network(*_: object) -> None:
    raise SettingError("no network")


def test_a_load_of_many_data_sources_does_not_run_out_of_connections(postgresql: str, tmp_path: Path) -> None:
    ledger, other = Ledger(postgresql, tmp_path), Ledger(postgresql, tmp_path)
    with contextlib.ExitStack() as locks:
        for number in range(40):
            locks.enter_context(ledger.exclusive(f"the data source {number}", 0))
        ledger.start("20260101T000000000000-aaaa", "tap-x", "bills", tmp_path / "bills.hyper")
        engine = sa.create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
            assert connection.scalar(sa.text(query)) <= 5
        engine.dispose()
        for again in (ledger, other):
            with pytest.raises(LockedError), again.exclusive("the data source 7", 0):
                pass
    with other.exclusive("the data source 7", 0):
        pass
    ledger.close()
    other.close()

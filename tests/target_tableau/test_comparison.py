"""What of a load is new, changed or unchanged, in each of the ways in which it is found out."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import extract, staging
from target_tableau.errors import ExtractError
from target_tableau.hyper import Engine
from target_tableau.ledger import Ledger
from target_tableau.settings import Settings
from tests.target_tableau.support import MONEY, NULLABLE_TEXT, Extracts, load, record, schema, state
from tests.target_tableau.test_faults_disk import full

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Config = dict[str, Any]
Row = tuple[str, str | None, float | None]  # ref, modified, amount

MODIFIED = {"type": ["string", "null"], "format": "date-time"}
DAY = {"type": ["string", "null"], "format": "date"}
NINE, TEN = "2026-01-01T09:00:00+00:00", "2026-01-01T10:00:00+00:00"
ROWS: list[Row] = [
    ("same", NINE, 1),
    ("modified", NINE, 1),
    ("modified alone", NINE, 1),
    ("changed within its time", NINE, 1),
    ("null", None, 1),
    ("changed without a time", None, 1),
    ("no time any more", NINE, 1),
    ("of old", NINE, 1),
]
AGAIN: list[Row] = [
    ("same", NINE, 1),
    ("modified", TEN, 2),
    ("modified alone", TEN, 1),
    ("changed within its time", NINE, 2),
    ("null", None, 1),
    ("changed without a time", None, 2),
    ("no time any more", None, 1),
    ("new", TEN, 1),
]


def messages(
    rows: Iterable[Row],
    *,
    keys: Sequence[str] = ("ref",),
    followed: str | None = "modified",
    modified: dict[str, Any] = MODIFIED,
) -> list[dict[str, Any]]:
    head = schema("bills", {"ref": NULLABLE_TEXT, "modified": modified, "amount": MONEY}, keys)
    if followed:
        head["bookmark_properties"] = [followed]
    return [
        head,
        *(record("bills", ref=ref, modified=time, amount=amount) for ref, time, amount in rows),
        state(),
    ]


def counts(config: Config) -> tuple[int, ...]:
    """New, changed, unchanged and all rows of the last load."""
    settings = Settings.from_config(config)
    ledger = Ledger(settings.ledger_url, settings.output_dir)
    try:
        last = max(ledger.loads(), key=lambda row: str(row["load_id"]))
    finally:
        ledger.close()
    return tuple(int(last[name]) for name in ("new", "changed", "unchanged", "total"))


@pytest.fixture(params=[None, 0], ids=["in place", "on the next extract"])
def compared(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are compared with the present extract, or with the next one."""
    if request.param is not None:
        monkeypatch.setattr(extract, "_MANY_ROWS", request.param)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is staged counts as few rows beside those of the extract."""
    monkeypatch.setattr(staging, "_FEW_OF", 0)


@pytest.mark.usefixtures("compared")
@pytest.mark.parametrize("followed", ["modified", "amount", None])
@pytest.mark.parametrize("few_of", [0, 1000])
def test_each_row_is_counted_and_kept_as_it_came(
    config: Config,
    extracts: Extracts,
    monkeypatch: pytest.MonkeyPatch,
    followed: str | None,
    few_of: int,
) -> None:
    monkeypatch.setattr(staging, "_FEW_OF", few_of)
    load(config, messages(ROWS, followed=followed))
    load(config, messages(AGAIN, followed=followed))
    assert counts(config) == (1, 5, 2, 9)
    rows = extracts.rows("bills", "SELECT ref, modified IS NULL, amount FROM {t}")
    expected = {row[0]: row for row in (*ROWS, *AGAIN)}
    assert {ref: (is_null, amount) for ref, is_null, amount in rows} == {
        ref: (time is None, Decimal(str(amount))) for ref, time, amount in expected.values()
    }
    loads = extracts.rows("bills", 'SELECT ref, "_sdc_load_id" FROM {t}')
    newest = max(load_id for _, load_id in loads)
    untouched = {ref for ref, load_id in loads if load_id != newest}
    assert untouched == {"same", "null", "of old"}


@pytest.mark.usefixtures("compared", "few")
def test_rows_that_come_again_are_not_written_whatever_the_way(config: Config, extracts: Extracts) -> None:
    load(config, messages(ROWS))
    before = (extracts.folder / "bills.hyper").stat()
    load(config, messages(ROWS))
    assert counts(config) == (0, 0, 8, 8)
    assert (extracts.folder / "bills.hyper").stat().st_ino == before.st_ino
    assert not [path.name for path in extracts.folder.glob("bills.hyper.*")]


@pytest.mark.usefixtures("compared", "few")
def test_a_replication_key_that_is_part_of_the_key_tells_nothing(config: Config, extracts: Extracts) -> None:
    of_both = ("ref", "modified")
    load(config, messages(ROWS, keys=of_both))
    load(config, messages(AGAIN, keys=of_both))
    assert counts(config) == (4, 2, 2, 12)
    assert len(extracts.rows("bills", "SELECT 1 FROM {t}")) == 12


@pytest.mark.usefixtures("compared", "few")
def test_a_replication_key_whose_type_changes_tells_nothing(config: Config, extracts: Extracts) -> None:
    load(config, messages([("a", "2026-01-01", 1), ("b", "2026-01-01", 1)], modified=DAY))
    load(config, messages([("a", NINE, 1)], modified=MODIFIED))
    assert counts(config)[1] == 1
    assert len(extracts.rows("bills", "SELECT 1 FROM {t}")) == 2


@pytest.mark.usefixtures("compared", "few")
def test_a_replication_key_that_is_no_property_tells_nothing(config: Config) -> None:
    load(config, messages(ROWS, followed="changed_at"))
    load(config, messages(AGAIN, followed="changed_at"))
    assert counts(config) == (1, 5, 2, 9)


@pytest.mark.usefixtures("few")
def test_of_rows_whose_replication_key_differs_nothing_else_is_read(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []
    run = Engine.run

    def watched(engine: Engine, sql: str) -> int:
        if sql.startswith(("CREATE TEMPORARY TABLE met_", "CREATE TEMPORARY TABLE alike_")):
            held.append(sql.partition("(SELECT ")[2].partition(" FROM")[0])
        return run(engine, sql)

    monkeypatch.setattr(Engine, "run", watched)
    load(config, messages(ROWS))
    load(config, messages([("modified", TEN, 2), ("new", TEN, 1)]))
    assert held == ['e."ref", e."modified"']
    load(config, messages([("modified", TEN, 2)]))
    assert held[1] == held[0]
    assert held[2].startswith('e."ref", e."modified", e."amount"')
    assert counts(config) == (0, 0, 1, 9)


def test_rows_that_are_only_collected_copy_no_extract(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(config, messages(ROWS))
    monkeypatch.setattr(extract, "_MANY_ROWS", 0)
    monkeypatch.setattr(extract.ExtractBuild, "_copy", lambda _: pytest.fail("an extract was copied"))
    load({**config, "journal_only": True}, messages(AGAIN))
    assert len(extracts.rows("bills", "SELECT 1 FROM {t}")) == 8


def test_a_disk_that_is_full_while_the_next_extract_is_copied_beside_leaves_the_present_one(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(config, messages(ROWS))
    with monkeypatch.context() as patch:
        patch.setattr(extract, "_MANY_ROWS", 0)
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(ExtractError, match="Free some disk space"):
            load(config, messages(AGAIN))
    assert not [path.name for path in extracts.folder.glob("bills.hyper.*")]
    load(config, messages(AGAIN))
    assert counts(config) == (1, 5, 2, 9)

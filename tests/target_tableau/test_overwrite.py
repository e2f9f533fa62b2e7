"""Streams that are read whole: overwrite and ACTIVATE_VERSION, with proof that they were, and the shrink guard."""

from __future__ import annotations

from typing import Any

import pytest

from target_tableau.errors import ExtractError
from tests.target_tableau.support import BILL, NULLABLE_TEXT, Extracts, load, record, schema, state

Config = dict[str, Any]
Messages = list[dict[str, Any]]

BEFORE = {"bookmarks": {"bills": {"completed_at": "2026-01-01T00:00:00Z"}}}
AFTER = {"bookmarks": {"bills": {"completed_at": "2026-01-02T00:00:00Z"}}}


def whole(*refs: str, version: bool = False, after: dict[str, Any] = AFTER) -> Messages:
    """A run that reads all bills."""
    activate = [{"type": "ACTIVATE_VERSION", "stream": "bills", "version": 1}] if version else []
    rows = [record("bills", ref=ref, amount=1, note_id=ref) for ref in refs]
    return [state(BEFORE), schema("bills", BILL, ["ref"]), *activate, *rows, state(after)]


def test_overwrite_leaves_what_the_run_read(config: Config, extracts: Extracts) -> None:
    config["load_method"] = "overwrite"
    load(config, whole("1", "2", "3"))
    load(config, whole("2", "4"))
    assert extracts.column("bills", "ref") == ["2", "4"]


def test_activate_version_takes_out_what_did_not_come_again(config: Config, extracts: Extracts) -> None:
    load(config, whole("1", "2", "3", version=True))
    load(config, whole("3", "2", version=True))
    assert extracts.column("bills", "ref") == ["2", "3"]


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        {"bookmarks": {"bills": {}}},
        {"bookmarks": {"bills": {"replication_key_value": "2026", "progress_markers": {}}}},
        {"bookmarks": {"bills": {"replication_key_value": "2026", "replication_key_signpost": "x"}}},
    ],
    ids=["old stamp", "empty", "progress markers", "signpost"],
)
@pytest.mark.parametrize("version", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_without_proof_that_the_stream_ended_nothing_is_removed(
    config: Config,
    extracts: Extracts,
    after: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    *,
    version: bool,
) -> None:
    if not version:
        config["load_method"] = "overwrite"
    load(config, whole("1", "2", "3"))
    load(config, whole("2", "4", version=version, after=after))
    assert extracts.column("bills", "ref") == ["1", "2", "3", "4"]
    assert "trust_end_of_input" in caplog.text


def test_a_tap_that_died_is_not_a_tap_that_finished(config: Config, extracts: Extracts) -> None:
    load(config, whole("1", "2", "3", version=True))
    load(config, whole("2", version=True)[:-1])
    assert extracts.column("bills", "ref") == ["1", "2", "3"]


def test_the_end_of_input_is_proof_where_it_is_trusted(config: Config, extracts: Extracts) -> None:
    config |= {"trust_end_of_input": True, "load_method": "overwrite"}
    load(config, whole("1", "2", "3"))
    load(config, whole("2", after={"bookmarks": {"bills": {}}}))
    assert extracts.column("bills", "ref") == ["2"]


def test_rows_without_a_key_are_replaced_only_when_they_differ(config: Config, extracts: Extracts) -> None:
    config |= {"trust_end_of_input": True, "load_method": "overwrite"}

    def log(*texts: str) -> Messages:
        return [
            schema("log", {"text": NULLABLE_TEXT}),
            *(record("log", text=text) for text in texts),
            state(),
        ]

    load(config, log("a", "b", "b"))
    extract = extracts.folder / "log.hyper"
    first = extract.stat()
    load(config, log("b", "a", "b"))
    assert extract.stat().st_ino == first.st_ino  # not its time: Hyper may touch that of what it only reads
    load(config, log("a", "a", "b"))
    assert extracts.column("log", "text") == ["a", "a", "b"]


@pytest.mark.parametrize(("allowed", "stops"), [(10, True), (70, False)])
def test_a_load_that_would_empty_an_extract_is_held_back(
    config: Config, extracts: Extracts, allowed: int, *, stops: bool
) -> None:
    config |= {"load_method": "overwrite", "max_shrink_percent": allowed}
    many = [f"{number:03d}" for number in range(100)]
    load(config, whole(*many))
    if stops:
        with pytest.raises(ExtractError, match=r"remove 60 of 100 rows.*max_shrink_percent \(10\)"):
            load(config, whole(*many[:40]))
        assert len(extracts.column("bills", "ref")) == 100
    else:
        load(config, whole(*many[:40]))
        assert len(extracts.column("bills", "ref")) == 40


def test_a_few_rows_may_always_go(config: Config, extracts: Extracts) -> None:
    config |= {"load_method": "overwrite", "max_shrink_percent": 0}
    load(config, whole("1", "2", "3"))
    load(config, whole("1"))
    assert extracts.column("bills", "ref") == ["1"]


def test_no_checkpoint_splits_a_stream_that_is_read_whole(config: Config, extracts: Extracts) -> None:
    config["checkpoint_minutes"] = 0
    load(config, whole("1", "2", "3", version=True))
    half: dict[str, Any] = {"bookmarks": {"bills": {"progress_markers": {}}}}
    messages = whole("1", "2", version=True)
    assert load(config, [*messages[:-2], state(half), *messages[-2:]]) == [AFTER]
    assert extracts.column("bills", "ref") == ["1", "2"]

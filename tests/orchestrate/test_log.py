"""The JSON log of `meltano run` becomes numbers and lines for Dagster."""

from __future__ import annotations

import json
import logging
from typing import Any

from orchestrate.guard import EVENT, LOCKED
from orchestrate.runs import Report


def line(event: str, **more: Any) -> str:
    return json.dumps({"event": event, "level": "info", "run_id": "r-1", **more})


def metric(stream: str, value: int, name: str = "record_count") -> str:
    return line("METRIC", metric_info={"metric": name, "value": value, "tags": {"stream": stream}})


def test_rows_calls_token_and_complaints_are_taken_from_the_log() -> None:
    report = Report()
    for text in (
        json.dumps({EVENT: LOCKED, "chosen": "token two"}),
        metric("bills", 40),
        metric("bills", 2),
        metric("bills", 9, "sync_duration"),
        line("1,143 calls. Rows: bills 42.", producer=True),
        line("7 calls that the loader counts", producer=False),
    ):
        assert report.take(text)[0] <= logging.INFO
    assert report.take(line("The extract is odd", level="warning")) == (logging.WARNING, "The extract is odd")
    assert report.take("no JSON at all\n") == (logging.INFO, "no JSON at all")
    assert report.rows == {"bills": 42}
    assert (report.calls, report.token, report.run_id) == (1143, "token two", "r-1")
    assert report.began_at is not None
    assert list(report.complaints) == ["The extract is odd"]


def test_only_the_last_complaints_are_kept() -> None:
    report = Report()
    report.take(line("a warning", level="warning"))
    for number in range(20):
        report.take(line(f"complaint {number}", level="error"))
    assert [text.rpartition(" ")[2] for text in report.complaints] == ["15", "16", "17", "18", "19"]


def test_what_a_plugin_said_of_its_discovery_is_told_in_one_line() -> None:
    said = [
        json.dumps({"level": "info", "message": "Skipping parse of env var settings..."}),
        json.dumps({"level": "error", "message": "username, password: the sign-in is refused."}),
    ]
    report = Report()
    report.take(line("\n".join(["Catalog discovery failed with stderr:", *said]), level="error"))
    report.take(line("Nothing of JSON\n in two lines", level="error"))
    assert list(report.complaints) == [
        "username, password: the sign-in is refused.",
        "Nothing of JSON in two lines",
    ]

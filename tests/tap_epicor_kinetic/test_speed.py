"""Records per CPU second against the SDK's default path, with the same records (`-m benchmark`)."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import requests
from singer_sdk import Stream, Tap
from typing_extensions import override

from tap_epicor_kinetic.client import Client
from tap_epicor_kinetic.tap import TapEpicorKinetic
from tests.tap_epicor_kinetic.harness import catalog_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from singer_sdk.helpers.types import Context, Record

    from tests.tap_epicor_kinetic.conftest import Instance

_ROWS = 30_000
_PAGE = 100


@contextlib.contextmanager
def nowhere(path: Path) -> Iterator[None]:
    """Send standard output to a file that nobody reads."""
    with path.open("w", encoding="utf-8") as file:
        before, sys.stdout = sys.stdout, file
        try:
            yield
        finally:
            sys.stdout = before


def pages_of(instance: Instance) -> list[bytes]:
    """Answers of the server: its journal lines, over and over, with numbers that grow."""
    run_tap(instance.with_(companies=["EPIC06"]), "gl_journal_lines")
    call = next(call for call in instance.script.calls if call.path.endswith("GLJrnDtls"))
    answer = requests.get(f"{instance.url}{call.path}?{call.query}", headers=call.headers, timeout=30).json(
        parse_float=Decimal
    )
    rows: list[dict[str, Any]] = answer["value"]
    pages = []
    for start in range(0, _ROWS, _PAGE):
        page = [{**rows[n % len(rows)], "SysRevID": start + n + 1} for n in range(_PAGE)]
        pages.append(msgspec.json.Encoder(decimal_format="number").encode({"value": page}))
    return pages


def ours(instance: Instance, pages: list[bytes], path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    config = instance.with_(companies=["EPIC06"])
    tap = TapEpicorKinetic(config=config, catalog=catalog_of(config, "gl_journal_lines"))
    _ = tap.streams
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    answers = iter([*pages[:1], b'{"value":[{"SysRevID":99999999}]}', *pages[1:], b'{"value":[]}'])
    monkeypatch.setattr(Client, "get", lambda *_: decode(next(answers)))
    began = time.process_time()
    with nowhere(path):
        tap.sync_all()
    spent = time.process_time() - began
    assert tap.chosen["gl_journal_lines"].rows_written == _ROWS
    return spent


def by_default(stream: Stream, pages: list[bytes], path: Path) -> float:
    class Plain(Stream):
        """What the SDK does when nothing is overridden."""

        name = "gl_journal_lines"
        schema = {**stream.schema, "properties": {c.source or c.name: c.schema() for c in stream.columns}}  # type: ignore[attr-defined] # noqa: RUF012
        primary_keys = ("SysRowID",)

        @override
        def get_records(self, context: Context | None) -> Iterable[Record]:
            for page in pages:
                yield from json.loads(page, parse_float=Decimal)["value"]

    class PlainTap(Tap):
        """A tap with that stream."""

        name = "tap-plain"
        config_jsonschema = {"properties": {}}  # noqa: RUF012

        @override
        def discover_streams(self) -> list[Stream]:
            return [Plain(self)]

    tap = PlainTap(config={})
    _ = tap.streams
    began = time.process_time()
    with nowhere(path):
        tap.sync_all()
    return time.process_time() - began


@pytest.mark.benchmark
def test_records_per_cpu_second(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = pages_of(instance)
    config = instance.with_(companies=["EPIC06"])
    tap = TapEpicorKinetic(config=config, catalog=catalog_of(config, "gl_journal_lines"))
    default = min(by_default(tap.streams["gl_journal_lines"], pages, tmp_path / "default") for _ in range(2))
    mine = min(ours(instance, pages, tmp_path / "ours", monkeypatch) for _ in range(2))
    sys.stderr.write(
        f"\n{_ROWS / mine:,.0f} records per CPU second, {_ROWS / default:,.0f} by default: {default / mine:.1f} times\n"
    )
    assert default / mine > 2.5

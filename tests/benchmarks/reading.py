"""Reads the ledger lines of one ERP: `python -m tests.benchmarks.reading HOW TAP FOLDER`.

- `tap`: by the tap, from answers that `tests.benchmarks.recorder` has kept;
- `default`: from the same answers, by a stream that leaves everything to the SDK;
- `live`: by the tap, from the server that answers where the sandbox was.

Messages go to a file; what it cost stands in another one beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from singer_sdk import Stream, Tap
from typing_extensions import override

from tests.benchmarks.erps import BY_TAP
from tests.benchmarks.still import StillClock
from tests.benchmarks.tape import answers, playing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

    from tests.benchmarks.erps import Erp

TAPE, SETTINGS, CATALOG = "tape", "settings.json", "catalog.json"
NOW = "_now"
"""Beside the tap's own settings: when the recording began, in seconds since 1970."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """What one reading cost.

    Attributes:
        cpu_seconds: From the sign-in to the last STATE, start-up of the program aside.
        seconds: The same by the clock on the wall.
        records: Lines that were emitted.
        calls: Requests that were made.
    """

    cpu_seconds: float
    seconds: float
    records: int
    calls: int


@contextlib.contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Send standard output to a file that nobody reads."""
    with path.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        yield


@contextlib.contextmanager
def tap_of(erp: Erp, folder: Path, *, catalog: bool = True) -> Iterator[Any]:
    """The tap of the recorded run, with its streams made and its waiting taken out."""
    module, _, name = erp.tap_class.partition(":")
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    clock = StillClock(settings.pop(NOW))
    given = json.loads((folder / CATALOG).read_text(encoding="utf-8")) if catalog else None
    client = importlib.import_module(f"{module.partition('.')[0]}.client").Client
    is_timed = hasattr(client, "clock")
    with mock.patch.object(client, "clock", clock) if is_timed else contextlib.nullcontext():
        tap = getattr(importlib.import_module(module), name)(
            config=settings, catalog=given, setup_mapper=catalog
        )
        _ = tap.streams
        with contextlib.closing(tap):
            yield tap


def select(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    """A catalog with one stream selected."""
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["tap_stream_id"] == stream
    return catalog


def by_tap(erp: Erp, folder: Path) -> Reading:
    """Read by the tap, as a user's run does.

    Raises:
        RuntimeError: Something could not be read.
    """
    with tap_of(erp, folder) as tap:

        def work() -> None:
            tap.connect()
            tap.sync_all()

        reading = measured(work, folder / "tap.jsonl", erp.stream)
        tap.log_outcome()
        if tap.exit_code:
            raise RuntimeError(f"{erp.tap} failed")
    return dataclasses.replace(reading, calls=tap.client.calls)  # the last of them when it was closed


def by_default(erp: Erp, folder: Path) -> Reading:
    """Read by a stream without a single override, from the same answers."""
    with tap_of(erp, folder) as tap:
        described = tap.streams[erp.stream]
        properties = {
            erp.source(column) or column.name: column.schema()
            for column in described.columns
            if described.mask["properties", column.name]
        }
    wanted = re.compile(erp.asked)

    class Plain(Stream):
        name = erp.stream
        schema = {"type": "object", "properties": properties}  # noqa: RUF012 - as taps are written

        @override
        def get_records(self, context: Context | None) -> Iterable[Record]:
            yield from erp.rows(
                answer.body
                for answer in answers(folder / TAPE)
                if wanted.search(answer.question) and erp.skip not in answer.question
            )

    class PlainTap(Tap):
        name = "tap-plain"
        config_jsonschema = {"type": "object", "properties": {}}  # noqa: RUF012 - as taps are written

        @override
        def discover_streams(self) -> list[Stream]:
            return [Plain(self)]

    plain = PlainTap(config={})
    _ = plain.streams
    return measured(plain.sync_all, folder / "default.jsonl", erp.stream)


def measured(work: Callable[[], object], path: Path, stream: str) -> Reading:
    """Do some work whose messages go to a file, and count the records in it."""
    gc.collect()
    began, cpu_began = time.monotonic(), time.process_time()
    with output_to(path):
        work()
    cpu, seconds = time.process_time() - cpu_began, time.monotonic() - began
    mark = re.compile(rb'^\{"type": ?"RECORD", ?"stream": ?"%s"' % stream.encode())
    with path.open("rb") as lines:
        records = sum(1 for line in lines if mark.match(line))
    path.unlink()
    return Reading(cpu, seconds, records, 0)


def replay(erp: Erp, folder: Path) -> Reading:
    """Read by the tap, without a network."""
    with playing(folder / TAPE):
        return by_tap(erp, folder)


def main(how: str, tap: str, folder: Path) -> None:
    """Read, and leave what it cost in the folder."""
    erp = BY_TAP[tap]
    ways: dict[str, Callable[[], Reading]] = {
        "tap": lambda: replay(erp, folder),
        "default": lambda: by_default(erp, folder),
        "live": lambda: by_tap(erp, folder),
    }
    tell(how, folder, ways[how]())


def tell(how: str, folder: Path, found: Reading) -> None:
    """Leave in the folder what a reading cost."""
    (folder / f"{how}.json").write_text(json.dumps(dataclasses.asdict(found)), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] != "default":
        importlib.import_module(
            f"{sys.argv[2].replace('-', '_')}.__main__"
        )  # starts as the tap's command does
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

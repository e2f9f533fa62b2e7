"""What the streams of an extractor are, without asking an ERP when Dagster loads the definitions.

A catalog here is one line per stream, made of the tap's own by `python -m orchestrate catalogs`. One that was made
for a company (`{company}.json`) stands above the one that comes with the extractor (`{extractor}.json`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_DATES = {"date", "date-time"}
_NEVER_BY_MONTH = {"gl_balances"}  # their bookmark tells whether to read; they are read whole then


class Stream(msgspec.Struct, frozen=True):
    """A stream of a catalog.

    Attributes:
        name: Its name.
        keys: Its key properties.
        replication_key: The property that tells what is new, if there is one.
        by_date: That property is a time, so that a month of it can be read alone.
    """

    name: str
    keys: tuple[str, ...] = ()
    replication_key: str | None = None
    by_date: bool = False


def condensed(catalog: Mapping[str, Any]) -> list[Stream]:
    """The streams of a Singer catalog, by name."""
    return sorted(map(_stream, catalog["streams"]), key=lambda stream: stream.name)


def _stream(entry: Mapping[str, Any]) -> Stream:
    key = entry.get("replication_key") if entry.get("replication_method") == "INCREMENTAL" else None
    schema = entry["schema"]["properties"].get(key) or {}
    return Stream(
        name=entry["tap_stream_id"],
        keys=tuple(entry.get("key_properties") or ()),
        replication_key=key,
        by_date=schema.get("format") in _DATES and entry["tap_stream_id"] not in _NEVER_BY_MONTH,
    )


def write_catalog(path: Path, streams: Iterable[Stream]) -> None:
    """Keep a catalog, one stream per line."""
    lines = ",\n".join(json.dumps(msgspec.to_builtins(stream)) for stream in streams)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read_catalog(folder: Path, company: str, extractor: str) -> list[Stream]:
    """The streams of a company.

    Raises:
        ConfigError: There is no catalog, or it cannot be read.
    """
    paths = [folder / f"{company}.json", folder / f"{extractor}.json"]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise ConfigError(
            f"There is no catalog of {extractor} in {folder}. Make one: python -m orchestrate catalogs {company}."
        )
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Stream])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"The catalog {path} cannot be read ({error}). Make it anew.") from error

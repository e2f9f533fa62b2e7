"""The streams that the settings make of the declarations, and what they need of the instance's description."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from typing import TYPE_CHECKING, Any, Final

from tap_epicor_kinetic.discovery import EntitySet, calculated, sample, snake
from tap_epicor_kinetic.errors import ApiError, UserError
from tap_epicor_kinetic.streams.columns import (
    COMPANY,
    DELETED_AT,
    HEADER_REVISION,
    SYS_REV_ID,
    SYS_ROW_ID,
    Column,
    columns_of,
)
from tap_epicor_kinetic.streams.declarations import SOURCES
from tap_epicor_kinetic.streams.deletions import ROW_TYPES
from tap_epicor_kinetic.streams.hints import BASE
from tap_epicor_kinetic.streams.source import Source, baq_path
from tap_epicor_kinetic.streams.stream import EpicorStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_epicor_kinetic.discovery import Described
    from tap_epicor_kinetic.tap import TapEpicorKinetic

__all__ = ["SOURCES", "sources_of", "streams_of"]

_PATH: Final = re.compile(r"[\w.]+/\w+")


def sources_of(config: Mapping[str, Any]) -> list[Source]:
    """All streams as the settings want them.

    Raises:
        UserError: A setting contradicts itself, or names a stream that is not there.
    """
    sources = [*SOURCES, *map(_extra, config["extra_streams"]), *map(_baq, config["baqs"])]
    named: dict[str, Source] = {}
    for source in sources:
        if source.stream in named:
            raise UserError(
                f"{source.setting}: there are two streams named {source.stream}; give one another name"
            )
        named[source.stream] = source
    for setting in ("replication_keys", "filters", "sources", "more_columns"):
        for stream, value in (config[setting] or {}).items():
            if stream not in named:
                raise UserError(f"{setting}: there is no stream {stream}")
            named[stream] = _changed(named[stream], setting, value)
    if config["include_payroll"]:
        named = {name: dataclasses.replace(source, without=None) for name, source in named.items()}
    return list(named.values())


def _changed(source: Source, setting: str, value: Any) -> Source:  # noqa: ANN401 - a value of the settings
    if setting == "replication_keys":
        if source.nested and value:
            raise UserError(f"replication_keys: {source.stream} goes with its header's SysRevID")
        return dataclasses.replace(source, replication_key=value, rebuilt=False, setting=setting)
    if setting == "filters":
        return dataclasses.replace(source, where=value)
    if setting == "sources":
        if not _PATH.fullmatch(value):
            raise UserError(f"sources: {source.stream}: give service and entity set as Erp.BO.NameSvc/Names")
        return dataclasses.replace(source, path=value, setting=setting)
    return source


def _extra(entry: Mapping[str, Any]) -> Source:
    path = f"{entry['service']}/{entry['entity_set']}"
    if not _PATH.fullmatch(path):
        raise UserError(f"extra_streams: {entry['name']}: service or entity_set is no name: {path}")
    return Source(
        stream=entry["name"],
        path=path,
        keys=tuple(entry.get("keys") or ()),
        replication_key=_or(entry.get("replication_key"), SYS_REV_ID),
        where=entry.get("filter") or "",
        times=tuple(entry.get("timestamps") or ()),
        page_size=entry.get("page_size"),
        setting="extra_streams",
    )


def _or(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else value


def _baq(entry: Mapping[str, Any]) -> Source:
    source = Source(
        stream=entry.get("name") or snake(entry["id"]),
        path=baq_path(entry["id"]),
        keys=tuple(entry.get("key_properties") or ()),
        replication_key=entry.get("replication_key") or "",
        where=entry.get("filter") or "",
        parameters=tuple((name, _text(value)) for name, value in (entry.get("parameters") or {}).items()),
        replication_parameter=entry.get("replication_parameter") or "",
        order=tuple(entry.get("order_by") or ()),
        paging=entry.get("paging") or "",
        times=tuple(entry.get("timestamps") or ()),
        page_size=entry.get("page_size"),
        trims=bool(entry.get("trim")),
        setting="baqs",
    )
    if (source.replication_key or source.replication_parameter) and not source.keys:
        raise UserError(f"baqs: {source.stream} has a replication_key, so it needs key_properties too")
    if source.replication_parameter and not source.replication_key:
        raise UserError(
            f"baqs: {source.stream}: replication_parameter needs the replication_key that it bounds"
        )
    if source.paging == "keyset" and not source.replication_key:
        raise UserError(f"baqs: {source.stream}: paging by keyset needs a replication_key")
    return source


def _text(value: Any) -> str | list[str]:  # noqa: ANN401 - a value of the settings
    """A parameter as the address writes it; a list repeats the parameter."""
    if isinstance(value, list):
        return [str(_text(each)) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def streams_of(
    tap: TapEpicorKinetic, sources: Sequence[Source], described: Mapping[str, Described]
) -> Iterator[EpicorStream]:
    """The streams that the instance offers; those that it does not are noted in `tap.left_out`.

    Args:
        tap: The tap.
        sources: What to read.
        described: What each service said of itself.

    Raises:
        UserError: A setting names a column that is not there.
    """
    for source in sources:
        answer = described[source.service]
        found = answer.sets.get(source.described_by)
        reason = answer.reason
        if found is None and source.is_baq:
            try:
                found = sample(tap.client, tap.site.companies[0], source.path, dict(source.parameters))
            except ApiError as error:
                reason = str(error)
        if found is None or not found.columns:
            offered = ", ".join(sorted(answer.sets)) or "none"
            tap.left_out[source.stream] = (
                reason or f"{source.service} has no entity set {source.described_by}; it has: {offered}."
            )
            continue
        yield _stream(tap, source, found)


def _stream(tap: TapEpicorKinetic, source: Source, found: EntitySet) -> EpicorStream:
    names = {name for name, _ in found.columns}
    source = _with_key(tap, source, found, names)
    keys = source.keys or ((SYS_ROW_ID,) if SYS_ROW_ID in names and not source.is_baq else ())
    more = [
        re.compile(fnmatch.translate(pattern))
        for pattern in (tap.config["more_columns"] or {}).get(source.stream, ())
    ]
    useful = {*source.useful, *keys, source.replication_key} if source.useful else None
    columns = columns_of(
        found.columns,
        useful,
        source.times,
        offers_all=tap.config["offered_columns"] == "all",
        more=more,
        stream=source.stream,
    )
    if "Company" not in names:
        columns.insert(0, Column(COMPANY, "string", description="The company that the row was read from."))
    for each in source.derived:
        if each.amount in names and all(name in names for name, _ in each.when):
            columns.append(Column(each.name, "decimal", "", each.description, scale=4, hints=BASE))
    property_of = {column.source: column.name for column in columns}
    if source.nested:
        about = "SysRevID of the header, by which the rows are read."
        hidden = {"hidden": True, "role": "dimension"}
        columns.append(Column(HEADER_REVISION, "integer", description=about, hints=hidden))
    if tap.config.get("deletion_log") and source.stream in ROW_TYPES:
        about = "When the row was deleted; then nothing else is known of it but its sys_row_id."
        columns.append(Column(DELETED_AT, "time", description=about))
    own = [property_of[key] for key in keys if key != "Company"]
    return EpicorStream(tap, source, columns, [COMPANY, *own] if own else [], names)


def _with_key(tap: TapEpicorKinetic, source: Source, found: EntitySet, names: set[str]) -> Source:
    """The source with a key and a replication column that its rows have.

    Raises:
        UserError: The settings name one that they lack.
    """
    keys = tuple(key for key in source.keys if key != "Company")
    missing = [key for key in (*keys, *source.order) if key not in names]
    if missing and source.setting in {"extra_streams", "baqs"}:
        raise UserError(
            f"{source.setting}: {source.stream} has no column {', '.join(missing)}; it has {_listed(names)}"
        )
    if missing or not keys:
        keys = tuple(key for key in found.keys if key != "Company" and key in names)
    cursor = source.replication_key
    if cursor and not source.nested and cursor not in names:
        if source.setting and cursor != SYS_REV_ID:
            raise UserError(_no_column(source, cursor, names))
        tap.logger.info("%s has no SysRevID here; it is read whole in every run", source.stream)
        cursor = ""
    elif cursor in calculated(found):
        tap.logger.warning(
            "%s: %s is computed or looked up, so the server may not be able to filter by it",
            source.stream,
            cursor,
        )
    if source.is_baq:
        keys = source.keys
    return dataclasses.replace(source, keys=keys, replication_key=cursor)


def _no_column(source: Source, cursor: str, names: set[str]) -> str:
    dates = sorted(name for name in names if re.search(r"Chang|Creat|Modif|Date$|RevID$", name))
    return (
        f"{source.setting}: {source.stream} has no column {cursor}. Epicor's own tables have no such stamp; what tells "
        f"of changes is SysRevID, which is the default. Others here are: {', '.join(dates) or 'none'}"
    )


def _listed(names: set[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:40]) + (" ..." if len(shown) > 40 else "")  # noqa: PLR2004 - as many as a line can hold

"""Records on the wire of the contract API, in the dialect of contract 4 or 5."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import wire
from tests.sandbox.acumatica.errors import failure
from tests.sandbox.acumatica.wire import Kind, Value

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from tests.sandbox.acumatica.errors import Refusal
    from tests.sandbox.acumatica.shapes import CustomField, Field, Shape
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wanted import Wanted

Json = dict[str, object]
_NAMESPACE = uuid.UUID("d3c0a7de-7f0c-4a39-8f0e-b6d0d0a1e0f5")
_CUSTOM_TYPES = {
    Kind.STRING: "CustomStringField",
    Kind.DECIMAL: "CustomDecimalField",
    Kind.INT: "CustomIntField",
    Kind.SHORT: "CustomShortField",
    Kind.LONG: "CustomLongField",
    Kind.BOOLEAN: "CustomBooleanField",
    Kind.GUID: "CustomGuidField",
    Kind.STAMP: "CustomDateTimeField",
    Kind.DAY: "CustomDateTimeField",
}


@dataclasses.dataclass(frozen=True)
class Style:
    """How one session of one endpoint version is written to.

    Attributes:
        version: Version of `Default` that decides fields and forms.
        locale: Language of drop-down labels.
        session_id: Seeds the ids of details, which last no longer than the session.
    """

    version: str
    contract: int
    locale: str
    session_id: str
    switches: Switches

    @property
    def zone(self) -> dt.tzinfo:
        """The zone in which stamps are printed."""
        return wire.zone_of(self.switches.rest_zone_minutes)

    def custom(self, shape: Shape[Any]) -> list[CustomField[Any]]:
        """The fields outside the contract that a form has."""
        return [field for field in shape.custom if field.name not in self.switches.fields_to_come]

    @property
    def empty(self) -> Json:
        """A field without a value."""
        return {"value": None} if self.contract >= 5 else {}

    @property
    def note(self) -> object:
        """The note of a record without one."""
        return {"object": {"value": ""}, "string": "", "null": None}[self.switches.note_form]


class Plan:
    """How records of one shape are written for one request: decided once, used for every row.

    Raises:
        Refusal: 500, when something is asked for that the shape does not have.
    """

    def __init__(self, shape: Shape[Any], wanted: Wanted, style: Style) -> None:
        self._style = style
        self._note = style.note
        served = [field for field in shape.fields if field.served_in(style.version)]
        collections = {each.name: each for each in shape.collections if each.since <= style.version}
        links = {each.name: each for each in shape.links}
        # attachments are expanded like details; no record of this company has any
        files = "Files" if style.contract >= 5 else "files"
        self._has_files = files in wanted.expand
        known = {field.name for field in served} | set(collections) | set(links)
        select = wanted.select
        _refuse_unknown(select or {}, known)
        _refuse_unknown(wanted.expand, {*collections, *links, files})
        selected = known if select is None else set(select)
        self._fields = [(field.name, _writer(field, style)) for field in served if field.name in selected]
        self._links = [
            (name, links[name].row, Plan(links[name].shape, wanted.below(name), style))
            for name in wanted.expand
            if name in links and name in selected
        ]
        self._collections = [
            (name, collections[name].rows, Plan(collections[name].shape, wanted.below(name), style))
            for name in wanted.expand
            if name in collections and name in selected
        ]
        self._custom = [
            (view, name, _custom_writer(_custom_field(shape, view, name, style), style))
            for inside, view, name in wanted.custom
            if not inside
        ]

    def write(self, row: object, view: View, identity: str, number: int = 1) -> Json:
        """One record with its details."""
        record: Json = {"id": identity, "rowNumber": number, "note": self._note}
        for name, write in self._fields:
            record[name] = write(row, view)
        for name, linked, plan in self._links:
            other = linked(row, view)
            record[name] = None if other is None else plan.write(other, view, self._id(identity, name, 0))
        for name, rows, plan in self._collections:
            record[name] = [
                plan.write(each, view, self._id(identity, name, place), place + 1)
                for place, each in enumerate(rows(row, view))
            ]
        custom: dict[str, Json] = {}
        for view_name, name, write in self._custom:
            custom.setdefault(view_name, {})[name] = write(row, view)
        record["custom"] = custom
        if self._has_files:
            record["files"] = []
        if self._style.switches.twin_detail_ids and self._collections:
            _make_twins(record, [name for name, _, _ in self._collections])
        return record

    def _id(self, parent: str, name: str, place: int) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._style.session_id}|{parent}|{name}|{place}"))


def _make_twins(record: Json, names: list[str]) -> None:
    for name in names:
        details = record[name]
        if isinstance(details, list):
            for detail in details:
                detail["id"], detail["rowNumber"] = details[0]["id"], 1


def _refuse_unknown(asked: Any, known: set[str]) -> None:
    for name in asked:
        if name not in known:
            raise _no_such_key(name)


def _no_such_key(name: str) -> Refusal:
    return failure(
        f"The given key was not present in the dictionary: {name}.",
        "System.Collections.Generic.KeyNotFoundException",
    )


def _custom_field(shape: Shape[Any], view: str, name: str, style: Style) -> CustomField[Any]:
    for field in style.custom(shape):
        if (field.view, field.name) == (view, name):
            return field
    raise _no_such_key(f"{view}.{name}")


def _writer(field: Field[Any], style: Style) -> Callable[[Any, View], Json]:
    empty, read = style.empty, field.read
    if read is None:
        return lambda _row, _view: empty
    form = _formatter(field, style)

    def write(row: object, view: View) -> Json:
        value = read(row, view)
        return empty if value is None else {"value": form(value)}

    return write


def _formatter(field: Field[Any], style: Style) -> Callable[[Any], object]:
    choices, locale = field.choices, style.locale
    if choices is None:
        return formatter(field.kind_in(style.version), style.zone, is_day=field.kind is Kind.DAY)
    if style.contract >= 5:
        return lambda code: {"id": code, "description": choices.label(code, locale)}
    return lambda code: choices.label(code, locale)


def formatter(kind: Kind, zone: dt.tzinfo, *, is_day: bool) -> Callable[[Any], object]:
    """How a value of a kind is printed; a business date printed as a stamp is midnight +00:00."""
    if kind is Kind.DECIMAL:
        return wire.number
    if kind is Kind.DAY:
        return lambda value: value.isoformat()
    if kind is Kind.STAMP:
        return wire.midnight if is_day else lambda value: wire.stamp(value, zone)
    return lambda value: value


def _custom_writer(field: CustomField[Any], style: Style) -> Callable[[Any, View], Json]:
    kind = Kind.STAMP if field.kind is Kind.DAY else field.kind
    form = formatter(kind, style.zone, is_day=field.kind is Kind.DAY)

    def write(row: object, view: View) -> Json:
        value: Value = field.read(row, view)
        return custom_value(field.kind, None if value is None else form(value))

    return write


def custom_value(kind: Kind, value: object) -> Json:
    """A non-contract value with its type."""
    return {"type": _CUSTOM_TYPES[kind], "value": value}

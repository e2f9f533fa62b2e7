"""User-defined fields, read with `$custom`, and the `Attributes` collections of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.acumatica.shapes import Collection, CustomField, Field, Shape, attr, const, of_kind, text
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.acumatica.view import View

# name of the field, its kind, the attribute of `Custom` that holds it
USER_FIELDS: tuple[tuple[str, Kind, str], ...] = (
    ("UsrText", Kind.STRING, "text"),
    ("UsrNumber", Kind.DECIMAL, "number"),
    ("UsrDay", Kind.DAY, "day"),
    ("UsrFlag", Kind.BOOLEAN, "flag"),
)


class AttributeRow(NamedTuple):
    """One attribute of one record."""

    attribute: chart.Attribute
    value: str
    note_id: str

    @property
    def label(self) -> str:
        """What users see: the label of a listed value, else the text itself."""
        return self.attribute.values.get(self.value, self.value)


def user_fields(view: str, at: str = "custom") -> list[CustomField[Any]]:
    """One user-defined field of each kind, in a view of the form."""
    return [
        CustomField(view=view, name=name, kind=kind, read=attr(f"{at}.{where}"))
        for name, kind, where in USER_FIELDS
    ]


_ATTRIBUTE: Shape[AttributeRow] = Shape(
    type_name="AttributeValue",
    fields=[
        text("AttributeDescription", "attribute.description"),
        text("AttributeID", "attribute.code"),
        Field(name="IsActive", kind=Kind.BOOLEAN, read=const(value=True), since="24.200.001"),
        of_kind(Kind.GUID, "RefNoteID", "note_id"),
        of_kind(Kind.BOOLEAN, "Required", "attribute.required"),
        text("Value", "value"),
        text("ValueDescription", "label"),
    ],
)


def attributes(kind: str | None = None) -> Collection[Any]:
    """The `Attributes` of a record; `kind` names the company's table, None when its class has none."""
    return Collection("Attributes", _ATTRIBUTE, _nothing if kind is None else _rows_of(kind))


def _rows_of(kind: str) -> Callable[[Any, View], list[AttributeRow]]:
    def rows(record: Any, _: View) -> list[AttributeRow]:
        return [
            AttributeRow(attribute, record.attributes[attribute.code], record.note_id)
            for attribute in chart.ATTRIBUTES[kind]
            if attribute.code in record.attributes
        ]

    return rows


def _nothing(_record: object, _view: View) -> list[AttributeRow]:
    return []

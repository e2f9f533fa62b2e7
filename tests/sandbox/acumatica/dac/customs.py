"""User-defined fields and attributes as DACs show them: columns of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.dac.shapes import Property, prop
from tests.sandbox.acumatica.entities.customs import USER_FIELDS
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.acumatica.view import View
    from tests.sandbox.acumatica.wire import Value


def user_columns(at: str = "custom") -> list[Property[Any]]:
    """The user-defined fields of a table."""
    return [prop(kind, name, f"{at}.{where}") for name, kind, where in USER_FIELDS]


def attribute_columns(kind: str) -> list[Property[Any]]:
    """The attributes of a class, `AttributeNAME` each."""
    return [
        prop(Kind.STRING, f"Attribute{attribute.code}", _attribute(attribute.code))
        for attribute in chart.ATTRIBUTES[kind]
    ]


def _attribute(code: str) -> Callable[[Any, View], Value]:
    return lambda record, _: record.attributes.get(code)

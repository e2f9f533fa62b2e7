"""What an endpoint's rows are made of: property names, their types, the key."""

from __future__ import annotations

import dataclasses
from enum import StrEnum


class Kind(StrEnum):
    """The type of a property, by its EDM name; COMPLEX is one object in the row, MANY a child collection."""

    GUID = "Edm.Guid"
    TEXT = "Edm.String"
    TIME = "Edm.DateTime"
    DOUBLE = "Edm.Double"
    BOOLEAN = "Edm.Boolean"
    INT32 = "Edm.Int32"
    INT16 = "Edm.Int16"
    BYTE = "Edm.Byte"
    INT64 = "Edm.Int64"
    BINARY = "Edm.Binary"
    COMPLEX = "complex"
    MANY = "collection"


@dataclasses.dataclass(frozen=True)
class Shape:
    """One endpoint as the vendor's reference describes it.

    Attributes:
        path: Below the division.
        properties: Name to type.
        key: What identifies a row.
        page: Rows on a page.
        scope: Which application scope opens it; None where the reference names none.
    """

    path: str
    properties: dict[str, Kind]
    key: tuple[str, ...]
    page: int
    scope: str | None


SHAPES: dict[str, Shape] = {}


def declare(  # noqa: D417 - one argument for each type
    path: str,
    *,
    key: str,
    like: str | None = None,
    without: str = "",
    page: int = 60,
    scope: str | None = None,
    guid: str = "",
    text: str = "",
    time: str = "",
    double: str = "",
    boolean: str = "",
    int32: str = "",
    int16: str = "",
    byte: str = "",
    int64: str = "",
    binary: str = "",
    complex_: str = "",
    many: str = "",
) -> None:
    """Declare an endpoint; names are separated by blanks.

    Args:
        path: Below the division.
        key: Names of the key.
        like: Endpoint whose properties this one has too.
        without: Properties that it does not share, or that have another type.
        page: Rows on a page.
        scope: Application scope.
        guid: Names of type `Edm.Guid`; the following name those of the other types.
    """
    properties = dict(SHAPES[like].properties) if like else {}
    for name in without.split():
        del properties[name]
    kinds = {
        Kind.GUID: guid,
        Kind.TEXT: text,
        Kind.TIME: time,
        Kind.DOUBLE: double,
        Kind.BOOLEAN: boolean,
        Kind.INT32: int32,
        Kind.INT16: int16,
        Kind.BYTE: byte,
        Kind.INT64: int64,
        Kind.BINARY: binary,
        Kind.COMPLEX: complex_,
        Kind.MANY: many,
    }
    for kind, names in kinds.items():
        properties.update(dict.fromkeys(names.split(), kind))
    SHAPES[path] = Shape(path, properties, tuple(key.split()), page, scope)

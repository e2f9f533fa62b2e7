"""Rows on the wire: OData JSON for those who ask for it, Atom for those who do not."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import msgspec
from starlette.responses import Response

from tests.sandbox.exact_online.clock import milliseconds
from tests.sandbox.exact_online.errors import JSON
from tests.sandbox.exact_online.shapes import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ATOM = "application/atom+xml;type=feed;charset=utf-8"
_METADATA = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
_DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"


def wire(value: Any, kind: Kind) -> Any:
    """A value as JSON writes it."""
    convert = _CONVERTERS.get(kind)
    return value if value is None or convert is None else convert(value)


def _double(value: Decimal | float) -> Decimal | int | float:
    """A number without needless zeros: 7200 and 0.055, not 7200.00."""
    if not isinstance(value, Decimal):
        return value
    if value == value.to_integral_value():
        return int(value)
    return value.normalize()


_CONVERTERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TIME: lambda moment: f"/Date({milliseconds(moment)})/",
    Kind.INT64: str,
    Kind.DOUBLE: _double,
    Kind.BINARY: lambda data: base64.b64encode(data).decode(),
}


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(_ENCODER.encode(content), status, headers={"content-type": JSON, **(headers or {})})


def atom_answer(title: str, entries: Sequence[Mapping[str, Any]], following: str | None) -> Response:
    """An Atom feed of rows that are in JSON's form already."""
    link = f'<link rel="next" href="{escape(following, {chr(34): "&quot;"})}"/>' if following else ""
    body = "".join(map(_atom_entry, entries))
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:d="{_DATA}"'
        f' xmlns:m="{_METADATA}"><title type="text">{escape(title)}</title>{body}{link}</feed>'
    )
    return Response(text, headers={"content-type": _ATOM})


def _atom_entry(entry: Mapping[str, Any]) -> str:
    properties = "".join(
        f'<d:{name} m:null="true"/>' if value is None else f"<d:{name}>{escape(_text(value))}</d:{name}>"
        for name, value in entry.items()
        if name != "__metadata" and not isinstance(value, dict)
    )
    return (
        f'<entry><content type="application/xml"><m:properties>{properties}</m:properties></content></entry>'
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

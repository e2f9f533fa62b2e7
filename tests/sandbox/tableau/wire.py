"""Tableau's XML on the wire: `<tsRequest>` in (no namespace needed), `<tsResponse>` out.

The standard library's ElementTree escapes what must be escaped; a document type declaration, the door to
entity tricks, is refused before the parser sees it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from starlette.responses import Response

from tests.sandbox.tableau.errors import TableauError, bad_request

NAMESPACE = "http://tableau.com/api"
CONTENT_TYPE = "application/xml;charset=utf-8"
# XML 1.0 has no place for these, escaped or not.
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Attribute = str | int | bool | None


def element(tag: str, *children: ET.Element, text: str | None = None, **attributes: Attribute) -> ET.Element:
    """Build one element: None leaves an attribute out, booleans are written in lower case."""
    built = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            built.set(name.rstrip("_"), _said(value))
    built.text = None if text is None else _UNSAYABLE.sub("\ufffd", text)
    built.extend(children)
    return built


def _said(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNSAYABLE.sub("\ufffd", str(value))


def body_of(*children: ET.Element) -> bytes:
    """The bytes of a `<tsResponse>` around some elements."""
    root = element("tsResponse", *children, xmlns=NAMESPACE)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def answer(*children: ET.Element, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An XML response."""
    return Response(body_of(*children), status, headers={"content-type": CONTENT_TYPE, **(headers or {})})


def no_content() -> Response:
    """204, as DELETE and sign-out answer."""
    return Response(status_code=204)


def error_body(code: str, summary: str, detail: str) -> bytes:
    """The bytes of an `<error>` answer."""
    return body_of(
        element("error", element("summary", text=summary), element("detail", text=detail), code=code)
    )


def error_answer(error: TableauError) -> Response:
    """The response that a `TableauError` stands for."""
    return Response(
        error_body(error.code, error.summary, error.detail),
        error.status,
        headers={"content-type": CONTENT_TYPE, **error.headers},
    )


def parse_request(body: bytes) -> ET.Element:
    """Read a `<tsRequest>`, with or without namespace.

    Raises:
        TableauError: 400000, when the body is no such thing.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise bad_request("Payload holds a document type declaration, which is not allowed")
    try:
        root = ET.fromstring(body)  # noqa: S314 - declarations, the danger in parsing, are refused above
    except ET.ParseError as malformed:
        raise bad_request("Payload is either malformed XML or incomplete") from malformed
    for node in root.iter():
        node.tag = node.tag.rsplit("}", 1)[-1]
    if root.tag != "tsRequest":
        raise bad_request(f"Payload must be a tsRequest, not {root.tag}")
    return root


def child_of(root: ET.Element, tag: str) -> ET.Element:
    """The one child of a request.

    Raises:
        TableauError: 400000, when it is missing.
    """
    found = root.find(tag)
    if found is None:
        raise bad_request(f"Payload is incomplete: the element {tag} is missing")
    return found


def boolean(value: str, what: str, code: str = "400000") -> bool:
    """Read `true` or `false` as an XML boolean.

    Raises:
        TableauError: `code`, for anything else (a literal "none", say).
    """
    if value not in {"true", "false", "1", "0"}:
        raise bad_request(f"{what} must be true or false, not '{value}'", code)
    return value in {"true", "1"}

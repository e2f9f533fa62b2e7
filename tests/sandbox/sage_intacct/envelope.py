"""Requests and responses of the XML gateway: what is read before anything is done, and how answers are wrapped.

Envelope by the vendor's request and response pages: control, operation, authentication, content, results.
"""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.sandbox.sage_intacct import errors
from tests.sandbox.sage_intacct.values import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTROL = {
    "senderid",
    "password",
    "controlid",
    "uniqueid",
    "dtdversion",
    "includewhitespace",
    "policyid",
    "showadditionalerrorinfo",
}
_LOGIN = {"userid", "companyid", "password", "clientid", "locationid"}
_VERSIONS = {"2.1", "3.0"}
_FLAGS = {"true": True, "false": False}
_LONGEST_CONTROL_ID = 256
_EMPTY = re.compile(r"<([^<>/\s]+)></\1>")


@dataclasses.dataclass(frozen=True)
class Login:
    """A company user's credentials as a request brings them."""

    user: str
    company: str
    password: str
    location: str | None


@dataclasses.dataclass(frozen=True)
class Function:
    """One `function`: its control id and what is to be done."""

    control_id: str
    body: ET.Element


@dataclasses.dataclass
class Control:
    """What `control` says, as far as it could be read."""

    sender: str = ""
    password: str = ""
    control_id: str = ""
    unique: bool = True
    version: str = ""
    whitespace: bool = True
    details: bool = False


@dataclasses.dataclass
class Request:
    """A request that the schema allows."""

    control: Control
    login: Login | None
    session_id: str | None
    functions: list[Function]
    transaction: bool


# ------------------------------------------------------------------ reading


def parse(body: bytes) -> ET.Element:
    """The root of a request.

    Raises:
        Refusal: It is not XML, or brings a document type.
    """
    if b"<!DOCTYPE" in body:
        raise errors.bad_xml("a document type is not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314 - without a document type there are no entities to expand
    except ET.ParseError as error:
        line, column = error.position
        raise errors.bad_xml(f"{error.msg.partition(':')[0]} [line {line}, column {column}]") from error


def read_control(root: ET.Element) -> Control:
    """The control block.

    Raises:
        Refusal: Something in it is missing or is not what the schema says.
    """
    block = root.find("control")
    if root.tag != "request" or block is None:
        raise errors.bad_xml("expected request with control and operation")
    texts = _only(block, _CONTROL)
    control = Control(
        sender=texts.get("senderid", ""),
        password=texts.get("password", ""),
        control_id=texts.get("controlid", ""),
        version=texts.get("dtdversion", ""),
    )
    control.unique = _flag(texts, "uniqueid", default=True)
    control.whitespace = _flag(texts, "includewhitespace", default=True)
    control.details = _flag(texts, "showadditionalerrorinfo", default=False)
    if not control.sender or not control.password:
        raise errors.bad_xml("control needs senderid and password")
    if not 1 <= len(control.control_id) <= _LONGEST_CONTROL_ID:
        raise errors.bad_xml(f"controlid must have 1 to {_LONGEST_CONTROL_ID} characters")
    if control.version not in _VERSIONS:
        raise errors.bad_xml(f"dtdversion '{control.version}' is not supported")
    return control


def read_request(root: ET.Element, control: Control) -> Request:
    """The rest of a request.

    Raises:
        Refusal: Something in it is missing or is not what the schema says.
    """
    operation = root.find("operation")
    if operation is None or [child.tag for child in root] != ["control", "operation"]:
        raise errors.bad_xml("request must hold control and operation")
    if [child.tag for child in operation] != ["authentication", "content"]:
        raise errors.bad_xml("operation must hold authentication and content")
    authentication, content = operation
    login, session_id = _authentication(authentication)
    functions = [_function(child) for child in content]
    if not functions:
        raise errors.bad_xml("content must hold a function")
    transaction = _FLAGS.get(operation.get("transaction", "false"))
    if transaction is None:
        raise errors.bad_xml("transaction must be true or false")
    return Request(control, login, session_id, functions, transaction)


def _authentication(block: ET.Element) -> tuple[Login | None, str | None]:
    if len(block) != 1 or block[0].tag not in {"login", "sessionid"}:
        raise errors.bad_xml("authentication must hold login or sessionid")
    if block[0].tag == "sessionid":
        return None, block[0].text or ""
    texts = _only(block[0], _LOGIN)
    if not {"userid", "companyid", "password"} <= texts.keys():
        raise errors.bad_xml("login needs userid, companyid and password")
    # console|client|entity is another way to write companyid, clientid and locationid
    console, client, entity, *_ = [*texts["companyid"].split("|"), "", ""]
    company = texts.get("clientid") or client or console
    return Login(texts["userid"], company, texts["password"], texts.get("locationid") or entity or None), None


def _function(block: ET.Element) -> Function:
    control_id = block.get("controlid", "")
    if block.tag != "function" or len(block) != 1 or not control_id:
        raise errors.bad_xml("a function needs a controlid and exactly one child")
    return Function(control_id, block[0])


def _only(block: ET.Element, allowed: set[str]) -> dict[str, str]:
    strange = [child.tag for child in block if child.tag not in allowed or len(child)]
    if strange:
        raise errors.bad_xml(f"{block.tag} may not hold {strange[0]}")
    texts = {child.tag: child.text or "" for child in block}
    if len(texts) != len(block):
        raise errors.bad_xml(f"{block.tag} holds an element twice")
    return texts


def _flag(texts: dict[str, str], name: str, *, default: bool) -> bool:
    value = _FLAGS.get(texts[name]) if name in texts else default
    if value is None:
        raise errors.bad_xml(f"{name} must be true or false")
    return value


def describe(root: ET.Element) -> str:
    """A request in short, as faults are matched against: `function=query&object=APBILL&offset=0`."""
    function = root.find("operation/content/function")
    if function is None or not len(function):
        return "function=none"
    body = function[0]
    parts = [("function", body.tag)]
    for name in ("object", "offset", "pagesize", "resultId", "locationid"):
        node = body.find(name)
        if node is not None:
            parts.append((name, (node.text or "").strip()))
    return "&".join(f"{name}={quote(text)}" for name, text in parts)


# ------------------------------------------------------------------ writing


def tag(name: str, text: str | None) -> str:
    """An element with text; None leaves it out."""
    return "" if text is None else f"<{name}>{escaped(text)}</{name}>"


def error_message(found: Iterable[errors.Error], *, details: bool) -> str:
    """The `errormessage` of one level."""
    inner = []
    for error in found:
        extra = ""
        if details and error.error_id is not None:
            category = error.error_id.partition("-")[0]
            extra = (
                f"<additionalinfo><errorid>{error.error_id}</errorid><category>{category}</category>"
                f"<messageid>IA.{category}</messageid></additionalinfo>"
            )
        inner.append(
            "<error>"
            + tag("errorno", error.errorno)
            + tag("description", error.description)
            + tag("description2", error.description2)
            + tag("correction", error.correction)
            + extra
            + "</error>"
        )
    return f"<errormessage>{''.join(inner)}</errormessage>"


def control_block(control: Control, status: str) -> str:
    """The echo of `control`."""
    return (
        f"<control><status>{status}</status>"
        + tag("senderid", control.sender)
        + tag("controlid", control.control_id)
        + f"<uniqueid>{str(control.unique).lower()}</uniqueid>"
        + tag("dtdversion", control.version)
        + "</control>"
    )


def document(inner: str, *, whitespace: bool) -> bytes:
    """A response, with line breaks between its elements where they are wanted."""
    text = f"<response>{inner}</response>"
    if whitespace:
        text = _EMPTY.sub(r"<\1/>", text).replace("><", ">\n<")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()

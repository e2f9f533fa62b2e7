"""The envelope of the XML gateway: requests built as trees, answers read as streams.

Sources: vendor pages on requests, responses and error handling; the order of checks follows the vendor's SDK.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import io
import logging
import re
import uuid
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from lxml import etree

from tap_sage_intacct.errors import AUTHENTICATION, CONTROL, RESULT, BadValueError, Complaint, UserError
from tap_sage_intacct.records import (
    OPTIONS,
    Run,
    UnusualError,
    cut,
    is_character,
    last_record,
    read_element,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_sage_intacct.records import Cut, Reader

R = TypeVar("R")
Node = tuple[str, "str | Sequence[Node] | None"]
"""An element to send: its name, and its text, its children or nothing."""

_LOG: Final = logging.getLogger("tap-sage-intacct")

_PARTS: Final = ("control", "authentication", "errormessage", "data", "result")
# What XML 1.0 forbids: texts pasted from spreadsheets and PDFs hold it, raw or as a reference.
_BAD_BYTES: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xed[\xa0-\xbf][\x80-\xbf]|\xef\xbf[\xbe\xbf]")
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9A-Fa-f]+)|([0-9]+));")


class NotXmlError(Exception):
    """The body is no answer of the gateway: a web page, nothing, or half an answer."""


@dataclasses.dataclass
class Reply(Generic[R]):
    """What the gateway answered to one function.

    Attributes:
        failures: Which part of the envelope failed (`control`, `authentication`, `result`), and its complaints.
        data: The `data` element of functions other than queries, whole.
        rows: What was made of the records of a query.
        last: What was made of the last of them, when the others are left for later.
        unread: Reads those that were left for later.
        count: How many records there are.
        total: How many records fit the query.
        remaining: How many of them come after these; None when that is not said.
        result_id: Cursor of `readByQuery`.
        moment: The gateway's own clock.
        timeout: When the session ends unless it is used.
    """

    failures: list[tuple[str, list[Complaint]]] = dataclasses.field(default_factory=list)
    data: etree._Element | None = None
    rows: R = dataclasses.field(init=False)
    last: R | None = None
    unread: Callable[[], R] | None = None
    count: int = 0
    total: int = 0
    remaining: int | None = None
    result_id: str = ""
    moment: dt.datetime | None = None
    timeout: dt.datetime | None = None

    def read(self) -> None:
        """Read the records if that was left for later.

        Raises:
            NotXmlError: They are none.
        """
        if self.unread is not None:
            self.rows = self.unread()
            self.unread = self.last = None


def request(sender: tuple[str, str], authentication: Sequence[Node], function: Node) -> bytes:
    """Write a request with one function.

    Args:
        sender: Sender ID and its password.
        authentication: A `login` or a `sessionid`.
        function: The function.

    Raises:
        UserError: A setting holds a character that XML cannot carry.
    """
    control: list[Node] = [
        ("senderid", sender[0]),
        ("password", sender[1]),
        ("controlid", str(uuid.uuid4())),
        # With true, the default, the gateway refuses a function id that it has already seen.
        ("uniqueid", "false"),
        ("dtdversion", "3.0"),
        ("includewhitespace", "false"),
        ("showadditionalerrorinfo", "true"),
    ]
    root = etree.Element("request")
    try:
        _add(root, [("control", control)])
        operation = etree.SubElement(root, "operation")
        _add(operation, [("authentication", authentication)])
        content = etree.SubElement(operation, "content")
        _add(etree.SubElement(content, "function", controlid=str(uuid.uuid4())), [function])
    except ValueError:
        raise UserError(
            "sender_id, sender_password, company_id, user_id, user_password, objects: one of them holds a control "
            "character"
        ) from None
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _add(parent: etree._Element, nodes: Sequence[Node]) -> None:
    for name, content in nodes:
        element = etree.SubElement(parent, name)
        if isinstance(content, str):
            element.text = content
        elif content is not None:
            _add(element, content)


def read_reply(body: bytes, record: str, reader: Reader[R], *, later: bool = False) -> Reply[R]:
    """Read an answer.

    Args:
        body: The whole answer.
        record: Name of the elements that are records; empty to keep `data` as a tree.
        reader: Makes of the records what is kept of them.
        later: Read all but the records, of which only the last one; `Reply.read` reads them.

    Raises:
        NotXmlError: It is not an answer of the gateway.
    """
    parts = cut(body, record) if record else None
    if parts is not None:
        with contextlib.suppress(etree.XMLSyntaxError, UnusualError):
            reply: Reply[R]
            reply, others = _parse(parts.envelope, record)
            if others:  # some records are written in another way
                return _read_whole(body, record, reader)
            if later:
                with contextlib.suppress(BadValueError):  # which is told when they all are read
                    reply.last = reader.read([last_record(body, parts, record)])
                reply.unread = functools.partial(_read_records, body, parts, record, reader)
            else:
                reply.rows = reader.read(runs(body, parts, record))
            return reply
    return _read_whole(body, record, reader)


def _read_records(body: bytes, parts: Cut, record: str, reader: Reader[R]) -> R:
    try:
        return reader.read(runs(body, parts, record))
    except UnusualError:
        return _read_whole(body, record, reader).rows


def _read_whole(body: bytes, record: str, reader: Reader[R]) -> Reply[R]:
    """Read an answer by the XML parser.

    Raises:
        NotXmlError: It is not an answer of the gateway.
    """
    reply: Reply[R]
    try:
        reply, records = _parse(body, record)
    except etree.XMLSyntaxError as error:
        reply, records = _parse_cleaned(body, record, error)
    reply.rows = reader.read(records)
    return reply


def _parse_cleaned(body: bytes, record: str, error: etree.XMLSyntaxError) -> tuple[Reply[R], list[Run]]:
    """Parse an answer without the characters that XML forbids.

    Raises:
        NotXmlError: That does not help.
    """
    cleaned, count = without_forbidden(body)
    if not count:
        raise NotXmlError(str(error)) from None
    _LOG.warning("Took %d characters that XML forbids out of an answer", count)
    try:
        return _parse(cleaned, record)
    except etree.XMLSyntaxError as again:
        raise NotXmlError(str(again)) from None


def without_forbidden(body: bytes) -> tuple[bytes, int]:
    """Take out what XML 1.0 forbids, and tell how many characters that were."""
    removed = 0

    def check(found: re.Match[bytes]) -> bytes:
        code = int(found[1], 16) if found[1] else int(found[2])
        allowed = is_character(code)
        nonlocal removed
        removed += not allowed
        return found[0] if allowed else b""

    cleaned, count = _BAD_BYTES.subn(b"", body)
    cleaned = _REFERENCE.sub(check, cleaned)
    return cleaned, count + removed


def _parse(body: bytes, record: str) -> tuple[Reply[R], list[Run]]:
    reply: Reply[R] = Reply()
    found: list[Run] = []
    # `readByQuery` may write names of objects in lower case.
    records = {record, record.lower(), record.upper()} if record else set()
    seen_control = False
    for _, element in etree.iterparse(io.BytesIO(body), events=("end",), tag=(*_PARTS, *records), **OPTIONS):
        name = element.tag
        if name in records:
            tags, texts = read_element(element)
            found.append(Run(tags, (), [texts]))
            element.clear()
        elif name == "control":
            seen_control = True
            _note_failure(reply, CONTROL, element)
        elif name == "authentication":
            _note_session(reply, element)
            _note_failure(reply, AUTHENTICATION, element)
        elif name == "data":
            _note_data(reply, element, keep=not record)
        elif name == "errormessage":
            _note_complaints(reply, element)
        elif name == "result":
            _note_failure(reply, RESULT, element)
    if not seen_control:
        raise NotXmlError("there is no control element")
    return reply, found


def _note_failure(reply: Reply[R], position: str, element: etree._Element) -> None:
    """Note whether a part failed; its complaints stand behind it (control, authentication) or in it (result)."""
    if element.findtext("status") != "success":
        if not reply.failures:
            reply.failures.append((position, []))
    elif position == RESULT:
        reply.failures.clear()


def _note_complaints(reply: Reply[R], element: etree._Element) -> None:
    if not reply.failures:
        reply.failures.append((RESULT, []))
    reply.failures[-1][1].extend(_complaints(element))


def _complaints(element: etree._Element) -> Iterator[Complaint]:
    for error in element.iter("error"):
        yield Complaint(
            number=error.findtext("errorno") or "",
            description=error.findtext("description") or "",
            detail=error.findtext("description2") or "",
            correction=error.findtext("correction") or "",
            error_id=error.findtext(".//errorid") or "",
        )


def _note_session(reply: Reply[R], element: etree._Element) -> None:
    reply.moment = _moment(element.findtext("sessiontimestamp"))
    reply.timeout = _moment(element.findtext("sessiontimeout"))


def _moment(text: str | None) -> dt.datetime | None:
    """An ISO time with its offset; the gateway writes `+00:00` or that of its own place."""
    with contextlib.suppress(ValueError):
        moment = dt.datetime.fromisoformat(text or "")
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None


def _note_data(reply: Reply[R], element: etree._Element, *, keep: bool) -> None:
    reply.count = int(element.get("count") or 0)
    reply.total = int(element.get("totalcount") or 0)
    remaining = element.get("numremaining")
    reply.remaining = int(remaining) if remaining else None
    reply.result_id = element.get("resultId") or ""
    if keep:
        reply.data = element

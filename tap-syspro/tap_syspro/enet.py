"""e.net Solutions: the generic table query COMFND over REST, for sites without OData.

XML in, XML out, in the address of a GET; errors come with status 200. Facts: recordings of a SYSPRO 7 server
(wildland/syspro-ruby on GitHub) and the vendor's description of business objects.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from lxml import etree
from typing_extensions import override

from tap_syspro.auth import peeled
from tap_syspro.client import Unsigned
from tap_syspro.conditions import Condition, product
from tap_syspro.errors import (
    ForbiddenError,
    NotFoundError,
    RefusedError,
    SessionEndedError,
    TransientError,
    UserError,
)
from tap_syspro.service import Answer, Query, Row, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_syspro.auth import Sessions
    from tap_syspro.client import Client

T = TypeVar("T")

_EXPIRED: Final = re.compile(r"supplied userid is invalid|session has expired", re.IGNORECASE)
_NO_OBJECT: Final = re.compile(r"e\.net exception 100000", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
# What XML 1.0 does not allow; SYSPRO passes on whatever was typed or imported.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# http.sys takes some 16 KB of address and headers.
_LONGEST_INPUT: Final = 12_000
_MOST_TERMS: Final = 1000
_SNIPPET: Final = 300

_LOG: Final = logging.getLogger("tap-syspro")


class EnetService(Service):
    """Reads tables with COMFND.

    Args:
        client: Sends the requests.
        sessions: Signs them.
    """

    largest_page = 5000
    most_terms = _MOST_TERMS
    can_skip = False
    # Input that COMFND does not know it ignores, and then gives rows that were not asked for.
    filters_are_kept = False

    def __init__(self, client: Client, sessions: Sessions) -> None:
        self.client = client
        self._sessions = sessions
        self._absent: dict[str, set[str]] = {}

    def check(self, company: str) -> None:
        """Log on and ask whose session it is.

        Raises:
            UserError: The logon is refused, or the session is not known behind it.
        """
        self._call(company, "GetLogonProfile", {}, str)

    @override
    def fetch(self, query: Query) -> Answer:
        name = query.entity.name
        absent = self._absent.setdefault(f"{query.company}/{name}", set())
        columns = query.columns or tuple(query.entity.fields)
        while True:
            asked = dataclasses.replace(query, columns=tuple(c for c in columns if c not in absent))
            try:
                return self._ask(asked)
            except RefusedError as error:
                words = set(re.findall(r"\w+", str(error)))
                unknown = words & set(asked.columns) - set(query.order)
                if not unknown and name in words and not words & set(columns) and not query.where:
                    raise NotFoundError(f"Company {query.company} has no table {name}. {error}") from None
                if not unknown:
                    raise
                absent |= unknown
                _LOG.warning("%s: %s left out. %s", name, ", ".join(sorted(unknown)), error)

    def _ask(self, query: Query) -> Answer:
        parameters = {"BusinessObject": "COMFND", "XmlIn": _question(query)}
        return self._call(query.company, "Query/Query", parameters, lambda body: Answer(_rows(query, body)))

    @override
    def has_room(self, query: Query, characters: int = 0) -> bool:
        return len(quote(_question(query), safe="")) + characters <= _LONGEST_INPUT

    def _call(self, company: str, method: str, parameters: dict[str, str], read: Callable[[str], T]) -> T:
        for is_second in (False, True):
            session_id = self._sessions.id_for(company)
            values = {"UserId": session_id, **parameters}
            written = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
            try:
                return self.client.get(
                    f"{self._sessions.base_url}/{method}?{written}",
                    Unsigned,
                    lambda response: read(self._text(method, response)),
                )
            except SessionEndedError as error:
                self._sessions.renew(session_id)
                if is_second:
                    raise UserError(
                        f"operator: sessions end at once; does somebody else work as this operator? {error}"
                    ) from None
        raise AssertionError("two attempts end in an answer or an error")

    def _text(self, method: str, response: requests.Response) -> str:
        """The body of an answer.

        Raises:
            SessionEndedError: The session is not known any more.
            ForbiddenError: The business object is not licensed, or not there.
            RefusedError: Another complaint.
        """
        body = decoded(response.content)
        if body[:200].lstrip().lower().startswith(("<!doctype html", "<html")):
            raise TransientError(
                f"{method}: a web page came instead of data; if it stays, enet_base_url is wrong."
            )
        body = peeled(body)
        said = self.client.redact(body[:_SNIPPET])
        if _EXPIRED.search(said):
            raise SessionEndedError(f"{method}: {said}")
        if _NO_OBJECT.search(said):
            raise ForbiddenError(f"{method}: the business object is not licensed for the operator. {said}")
        if said.upper().startswith("ERROR"):
            raise RefusedError(f"{method}: {said}")
        return body


def decoded(content: bytes) -> str:
    """Text of an answer: it declares Windows-1252, and some hosts send UTF-8 all the same."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _question(query: Query) -> str:
    """The input of COMFND. Columns must be named: there is no way to ask for all."""
    root = etree.Element("Query")
    etree.SubElement(root, "TableName").text = query.entity.name
    etree.SubElement(root, "ReturnRows").text = str(query.top)
    columns = etree.SubElement(root, "Columns")
    for name in query.columns or tuple(query.entity.fields):
        etree.SubElement(columns, "Column").text = name
    groups = _groups(query.where)
    if groups:
        where = etree.SubElement(root, "Where")
        for i, group in enumerate(groups):
            for j, term in enumerate(group):
                expression = etree.SubElement(where, "Expression")
                if i or j:
                    etree.SubElement(expression, "AndOr").text = "And" if j else "Or"
                etree.SubElement(expression, "OpenBracket").text = "("
                etree.SubElement(expression, "Column").text = term.column
                etree.SubElement(expression, "Condition").text = term.operator.upper()
                etree.SubElement(expression, "Value").text = str(term.value)
                etree.SubElement(expression, "CloseBracket").text = ")"
    if query.order:
        order = etree.SubElement(root, "OrderBy")
        for name in query.order:
            etree.SubElement(order, "Column").text = name
    return str(etree.tostring(root, encoding="unicode"))


def _groups(where: tuple[Condition, ...]) -> Condition:
    """Conditions as COMFND takes them: And binds before Or, and null cannot be asked for."""
    if not where:
        return ()
    return tuple(group for group in product(where) if group and all(term.value is not None for term in group))


def _rows(query: Query, body: str) -> list[Row]:
    """The rows of an answer, whose root is named as the table.

    Raises:
        RefusedError: It holds a complaint instead.
        TransientError: It is no XML.
    """
    text = _ILLEGAL.sub("", _DECLARATION.sub("", body, count=1))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise TransientError(f"COMFND {query.entity.name}: the answer is no XML ({error.msg}).") from None
    # Element names may come back in lower case.
    names = {name.lower(): name for name in (*query.columns, *query.entity.fields)}
    rows = [
        {names[found]: cell.text or "" for cell in element if (found := str(cell.tag).lower()) in names}
        for element in root
        if str(element.tag).lower() == "row"
    ]
    if not rows and (said := " ".join(filter(None, _complaints(root)))):
        raise RefusedError(f"COMFND {query.entity.name}: {said[:_SNIPPET]}")
    return rows


def _complaints(root: Any) -> list[str]:  # noqa: ANN401 - an element
    tags = {"errornumber", "errordescription", "errormessage"}
    return [(each.text or "").strip() for each in root.iter() if str(each.tag).lower() in tags]

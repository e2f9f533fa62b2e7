"""Raw calls to the gateway for its own tests: `requests` and ElementTree, nothing of any tap."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

from tests.sandbox.sage_intacct import (
    COMPANY_ID,
    PATH,
    SENDER_ID,
    SENDER_PASSWORD,
    SESSION_PATH,
    USER_ID,
    USER_PASSWORD,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.company.world import World
    from tests.sandbox.sage_intacct.app import IntacctSite

_TIMEOUT = 30
Row = dict[str, str]
# An operator with what stands in it: ("equalto", "STATE", "Posted"), ("and", condition, condition).
Condition = tuple[Any, ...]


def element(tag: str, *children: ET.Element | str, **attributes: str) -> ET.Element:
    """An element with text or children."""
    made = ET.Element(tag, attributes)
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def condition(parts: Condition) -> ET.Element:
    """One operator of a filter."""
    tag, *rest = parts
    if tag in {"and", "or"}:
        return element(tag, *map(condition, rest))
    field, *values = rest
    return element(tag, element("field", field), *(element("value", value) for value in values))


class Refused(Exception):  # noqa: N818 - what the gateway says, not a failure
    """The errormessage of a call that failed, and where it stood."""

    def __init__(self, place: str, node: ET.Element | None) -> None:
        self.place = place
        self.errors = [] if node is None else [{each.tag: each.text for each in error} for error in node]
        super().__init__(place, self.errors)

    @property
    def number(self) -> str | None:
        """Errorno of the first error."""
        return self.errors[0].get("errorno")

    @property
    def text(self) -> str:
        """description2 of the first error."""
        return self.errors[0].get("description2") or ""


@dataclasses.dataclass
class Visitor:
    """Somebody with a session, once signed in."""

    url: str
    app: IntacctSite
    world: World
    session: str | None = None

    # ------------------------------------------------------------ calling

    def envelope(
        self,
        *functions: ET.Element,
        control: Row | None = None,
        login: Row | None = None,
        control_id: str = "f1",
        transaction: bool | None = None,
    ) -> ET.Element:
        """A request: by session when there is one and no login is given."""
        fields = {
            "senderid": SENDER_ID,
            "password": SENDER_PASSWORD,
            "controlid": "test",
            "uniqueid": "false",
            "dtdversion": "3.0",
            "includewhitespace": "false",
            **(control or {}),
        }
        if login is None and self.session is not None:
            authentication = element("sessionid", self.session)
        else:
            user = {"userid": USER_ID, "companyid": COMPANY_ID, "password": USER_PASSWORD, **(login or {})}
            authentication = element("login", *(element(name, text) for name, text in user.items()))
        content = element(
            "content",
            *(
                element("function", function, controlid=control_id if place == 0 else f"f{place + 1}")
                for place, function in enumerate(functions)
            ),
        )
        operation = element("operation", element("authentication", authentication), content)
        if transaction is not None:
            operation.set("transaction", str(transaction).lower())
        return element(
            "request", element("control", *(element(name, text) for name, text in fields.items())), operation
        )

    def post(
        self, request: ET.Element | bytes, *, path: str = SESSION_PATH, content_type: str = "application/xml"
    ) -> requests.Response:
        """One request."""
        body = request if isinstance(request, bytes) else ET.tostring(request, "utf-8", xml_declaration=True)
        return requests.post(
            f"{self.url}{path}", data=body, headers={"Content-Type": content_type}, timeout=_TIMEOUT
        )

    def call(self, function: ET.Element, *, path: str = SESSION_PATH, **options: Any) -> ET.Element:
        """The result of one function that must succeed.

        Raises:
            Refused: It did not.
        """
        return result_of(self.post(self.envelope(function, **options), path=path))

    def sign_in(self, location: str | None = None) -> Visitor:
        """Another visitor with a session of their own."""
        login = {} if location is None else {"locationid": location}
        result = self.call(element("getAPISession"), path=PATH, login=login)
        session = result.findtext("data/api/sessionid")
        assert session
        return dataclasses.replace(self, session=session)

    # ------------------------------------------------------------ reading

    def query(
        self,
        name: str,
        *fields: str,
        where: Condition | None = None,
        order: str | None = "RECORDNO",
        private: bool = True,
        **rest: Any,
    ) -> ET.Element:
        """The data of a query that must succeed."""
        data = self.call(query(name, *fields, where=where, order=order, private=private, **rest)).find("data")
        assert data is not None
        return data

    def rows(self, name: str, *fields: str, **rest: Any) -> list[Row]:
        """The rows of a query, at most 2,000."""
        rest.setdefault("pagesize", 2000)
        return records(self.query(name, *fields, **rest))

    def read_by_query(self, name: str, fields: str, text: str = "", pagesize: int = 1000) -> ET.Element:
        """The data of a readByQuery that must succeed."""
        function = element(
            "readByQuery",
            element("object", name),
            element("fields", fields),
            element("query", text),
            element("pagesize", str(pagesize)),
        )
        data = self.call(function).find("data")
        assert data is not None
        return data


def query(
    name: str,
    *fields: str,
    where: Condition | None = None,
    order: str | None = "RECORDNO",
    private: bool = True,
    select: Iterable[ET.Element] = (),
    **rest: Any,
) -> ET.Element:
    """A query; `rest` are `pagesize`, `offset`, `docparid` and the options of a query."""
    made = element(
        "query",
        element("object", name),
        element("select", *(element("field", field) for field in fields), *select),
    )
    if where is not None:
        made.append(element("filter", condition(where)))
    if order is not None:
        made.append(element("orderby", element("order", element("field", order), element("ascending"))))
    options: dict[str, Any] = {
        name: rest.pop(name) for name in ("caseinsensitive", "returnformat") if name in rest
    }
    if private:
        options["showprivate"] = "true"
    names = ("caseinsensitive", "showprivate", "returnformat")
    made.append(element("options", *(element(name, options[name]) for name in names if name in options)))
    for part, value in rest.items():
        made.append(element(part, str(value)))
    return made


def parsed(answer: requests.Response) -> ET.Element:
    """The root of an answer."""
    return ET.fromstring(answer.content)  # noqa: S314 - the sandbox's own answer


def result_of(answer: requests.Response) -> ET.Element:
    """The one result of an answer, checked at every level of the envelope.

    Raises:
        Refused: A level failed.
    """
    root = parsed(answer)
    if root.findtext("control/status") != "success":
        raise Refused("control", root.find("errormessage"))
    operation = root.find("operation")
    assert operation is not None
    if operation.findtext("authentication/status") != "success":
        raise Refused("authentication", operation.find("errormessage"))
    (result,) = operation.findall("result")
    if result.findtext("status") != "success":
        raise Refused("result", result.find("errormessage"))
    return result


def records(data: ET.Element) -> list[Row]:
    """The flat records of an answer; empty elements are left out."""
    return [{field.tag: field.text for field in record if field.text} for record in data]


def total(rows: list[Row], field: str) -> Decimal:
    """What a field adds up to."""
    return sum((Decimal(row[field]) for row in rows if field in row), Decimal(0))

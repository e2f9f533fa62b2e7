"""Raw calls to the site for its own tests: `requests`, nothing of any tap."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import requests

from tests.sandbox.syspro import (
    ENET_PATH,
    ODATA_PASSWORD,
    ODATA_USER_NAME,
    OPERATOR,
    OPERATOR_PASSWORD,
)
from tests.sandbox.syspro.odata import ROOT

if TYPE_CHECKING:
    from tests.sandbox.company.world import World
    from tests.sandbox.syspro.app import SysproSite
    from tests.sandbox.syspro.switches import Switches

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
KEY = "Supplier,Invoice"  # of ApInvoice, the table that most tests read
_TIMEOUT = 30
Json = dict[str, Any]


@dataclasses.dataclass
class Visitor:
    """Somebody who knows the passwords."""

    url: str
    app: SysproSite
    world: World
    company: str = "EDU1"

    @property
    def switches(self) -> Switches:
        """How the site behaves."""
        return self.app.switches

    # ------------------------------------------------------------------- OData

    def ask(self, name: str = "", **options: Any) -> requests.Response:
        """GET an entity set; `options` are query options without `$`, and `headers`, `auth`, `company`."""
        headers = options.pop("headers", {})
        auth = options.pop("auth", (ODATA_USER_NAME, ODATA_PASSWORD))
        company = options.pop("company", self.company)
        query = "&".join(f"${option}={quote(str(value), safe='(),:')}" for option, value in options.items())
        return self.raw(f"{company}/{name}" + (f"?{query}" if query else ""), headers=headers, auth=auth)

    def raw(self, path: str, **options: Any) -> requests.Response:
        """GET below the OData root, exactly as written."""
        options.setdefault("auth", (ODATA_USER_NAME, ODATA_PASSWORD))
        request = requests.Request("GET", self.url, **options).prepare()
        request.url = f"{self.url}{ROOT}/{path}"
        with requests.Session() as session:
            return session.send(request, timeout=_TIMEOUT, allow_redirects=False)

    def rows(self, name: str, **options: Any) -> list[Json]:
        """The rows of an entity set whose request must succeed; numbers are exact."""
        answer = self.ask(name, **options)
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json(parse_float=Decimal)["value"]
        return found

    def refused(self, name: str, **options: Any) -> str:
        """The message of a 400."""
        answer = self.ask(name, **options)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"]["message"])

    # ------------------------------------------------------------------- e.net

    def enet(self, path: str, **parameters: str) -> requests.Response:
        """One call of the REST service."""
        query = urlencode(parameters, quote_via=quote)
        return requests.get(f"{self.url}{ENET_PATH}/{path}?{query}", timeout=_TIMEOUT)

    def log_on(self, **changes: str) -> requests.Response:
        """A logon, with changes."""
        parameters = {
            "Operator": OPERATOR,
            "OperatorPassword": OPERATOR_PASSWORD,
            "CompanyId": self.company,
            "CompanyPassword": "",
            **changes,
        }
        return self.enet("Logon", **parameters)

    def session(self) -> str:
        """The id of a new session, without blanks."""
        return self.log_on().text.strip()

    def find(self, session: str, xml_in: str) -> requests.Response:
        """A COMFND query."""
        return self.enet("Query/Query", UserId=session, BusinessObject="COMFND", XmlIn=xml_in)

    def found(
        self, session: str, table: str, columns: tuple[str, ...], rest: str = ""
    ) -> list[dict[str, str]]:
        """The rows of a COMFND query that must succeed."""
        names = "".join(f"<Column>{column}</Column>" for column in columns)
        answer = self.find(
            session, f"<Query><TableName>{table}</TableName><Columns>{names}</Columns>{rest}</Query>"
        )
        assert answer.content.startswith(b"<?xml"), answer.text
        root = ET.fromstring(answer.content)  # noqa: S314 - from the sandbox itself
        assert root.tag == table
        return [{each.tag: each.text or "" for each in row} for row in root.findall("Row")]


def keys(rows: list[Json]) -> list[tuple[str, str]]:
    """The keys of rows of `ApInvoice`."""
    return [(row["Supplier"], row["Invoice"]) for row in rows]


def described(visitor: Visitor) -> ET.Element:
    """`$metadata`."""
    return ET.fromstring(visitor.ask("$metadata").content)  # noqa: S314 - from the sandbox itself


def types(visitor: Visitor, name: str) -> dict[str, str]:
    """The columns of an entity set and their Edm types."""
    properties = described(visitor).findall(f".//{EDM}EntityType[@Name='{name}']/{EDM}Property")
    return {each.attrib["Name"]: each.attrib["Type"] for each in properties}

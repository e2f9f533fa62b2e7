"""The five ERPs as the benchmarks see them: how the sandbox serves them, and how anybody would read their answers.

`rows` is what a tap does that leaves everything to the SDK: the usual parser, one dictionary per row, no conversion.
"""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree

from tests.sandbox import acumatica, epicor_kinetic, exact_online, sage_intacct, syspro

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path


Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)  # each is only the same as itself, and a key of caches
class Erp:
    """One ERP, its tap, and the stream of its ledger lines.

    Attributes:
        tap: The tap's command.
        stream: The ledger lines.
        settings: The tap's settings, but for the server's address and the folder for private files.
        asked: What the requests for the lines hold.
        skip: What requests hold that only ask how far the lines reach.
        rows: The lines in such answers.
        source: What the ERP calls a column of the tap.
        page: Rows that a call gives at most.
        headers: How the rows begin, in answers, that must be read to find the lines; empty where lines find themselves.
        path: What follows the server's address.
        address: The setting that holds both.
        private: The setting that holds the folder for private files.
    """

    tap: str
    stream: str
    settings: Mapping[str, Any]
    asked: str
    rows: Callable[[Iterable[bytes]], Iterator[Row]]
    source: Callable[[Any], str]
    page: int
    headers: bytes = b""
    skip: str = "\0"
    path: str = ""
    address: str = "base_url"
    private: str = "cache_path"

    def config(self, url: str, folder: Path) -> dict[str, Any]:
        """The tap's settings, for a server at an address and a folder for private files."""
        return {**self.settings, self.address: f"{url}{self.path}", self.private: str(folder)}

    @property
    def tap_class(self) -> str:
        """Module and name of the tap's class."""
        module = self.tap.replace("-", "_")
        return f"{module}.tap:{self.tap.title().replace('-', '')}"


def _json(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _odata_rows(bodies: Iterable[bytes]) -> Iterator[Row]:
    for body in bodies:
        yield from _json(body)["value"]


def _exact_rows(bodies: Iterable[bytes]) -> Iterator[Row]:
    for body in bodies:
        yield from _json(body)["d"]["results"]


def _intacct_rows(bodies: Iterable[bytes]) -> Iterator[Row]:
    known = set()  # a page begins with the batch that the page before ended with
    for body in bodies:
        for element in etree.fromstring(body).iter("GLDETAIL"):
            row = {child.tag: child.text for child in element}
            if row["RECORDNO"] not in known:
                known.add(row["RECORDNO"])
                yield row


def _acumatica_rows(bodies: Iterable[bytes]) -> Iterator[Row]:
    """Lines out of their documents; the amounts in base currency come from another table."""
    lines: list[Row] = []
    amounts: dict[tuple[str, str, int], Row] = {}
    known = set()
    for body in bodies:
        answer = _json(body)
        if isinstance(answer, dict):
            for row in answer["value"]:
                amounts[row["Module"], row["BatchNbr"], row["LineNbr"]] = row
            continue
        for document in answer:
            if document["id"] in known:
                continue
            known.add(document["id"])
            of_document = {name: document[name].get("value") for name in ("Module", "BatchNbr", "LedgerID")}
            for line in document["Details"]:
                row = {name: cell.get("value") for name, cell in line.items() if isinstance(cell, dict)}
                lines.append({**row, **of_document})
    for line in lines:
        yield {**line, **amounts.get((line["Module"], line["BatchNbr"], line["LineNbr"]), {})}


ERPS = (
    Erp(
        tap="tap-acumatica",
        stream="journal_lines",
        settings={
            "client_id": acumatica.CLIENT_ID,
            "client_secret": acumatica.CLIENT_SECRET,
            "username": acumatica.USER_NAME,
            "password": acumatica.PASSWORD,
        },
        path=f"/{acumatica.INSTANCE}",
        private="token_store_path",
        asked=r"^GET \S+/(JournalTransaction|GLTran)\?",
        rows=_acumatica_rows,
        source=lambda column: column.path[-1] if column.path else column.title,
        page=200,
        skip="$top=1&",
    ),
    Erp(
        tap="tap-sage-intacct",
        stream="gl_details",
        settings={
            "allow_any_host": True,
            "company_id": sage_intacct.COMPANY_ID,
            "user_id": sage_intacct.USER_ID,
            "user_password": sage_intacct.USER_PASSWORD,
            "sender_id": sage_intacct.SENDER_ID,
            "sender_password": sage_intacct.SENDER_PASSWORD,
        },
        path=sage_intacct.PATH,
        asked=r"<query><object>GLDETAIL</object>",
        rows=_intacct_rows,
        source=lambda column: column.field,
        address="api_url",
        page=2000,
        headers=b"<GLBATCH>",
    ),
    Erp(
        tap="tap-syspro",
        stream="gen_transaction",
        settings={
            "companies": list(syspro.COMPANIES),
            "odata_username": syspro.ODATA_USER_NAME,
            "odata_password": syspro.ODATA_PASSWORD,
        },
        private="store_path",
        asked=r"/GenTransaction\?",
        rows=_odata_rows,
        source=lambda column: column.source,
        page=5000,
    ),
    Erp(
        tap="tap-exact-online",
        stream="transaction_lines",
        settings={
            "client_id": exact_online.CLIENT_ID,
            "client_secret": exact_online.CLIENT_SECRET,
            "redirect_uri": exact_online.REDIRECT_URI,
            "refresh_token": exact_online.SEED_REFRESH_TOKEN,
            "divisions": sorted(exact_online.DIVISIONS.values()),
        },
        private="token_store_path",
        asked=r"/TransactionLines\?",
        rows=_exact_rows,
        source=lambda column: column.field,
        address="api_url",
        page=1000,
    ),
    Erp(
        tap="tap-epicor-kinetic",
        stream="gl_journal_lines",
        settings={
            "companies": list(epicor_kinetic.COMPANIES),
            "api_key": epicor_kinetic.API_KEY,
            "username": epicor_kinetic.USER_NAME,
            "password": epicor_kinetic.PASSWORD,
        },
        path=f"/{epicor_kinetic.INSTANCE}",
        asked=r"/GLJrnDtls\?",
        rows=_odata_rows,
        source=lambda column: column.source,
        page=100,
        skip="desc",
    ),
)
BY_TAP = {erp.tap: erp for erp in ERPS}

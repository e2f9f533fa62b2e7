"""Pages of the OData service: keys are known before rows are made."""

from __future__ import annotations

import io
import json
import threading
from decimal import Decimal

import pytest
import requests
from typing_extensions import override

from tap_syspro.answers import LateRows, read_answer
from tap_syspro.discovery import EntitySet
from tap_syspro.errors import ServerTroubleError, TransientError
from tap_syspro.paging import Walk
from tap_syspro.service import Answer, KeyColumn, Query, Service

PAGE = b"""{"@odata.count": 7, "value": [
  {"Supplier": "000012", "Invoice": "A 1", "ConvRate": 1.250000, "Note": "x"},
  {"Invoice": "A 2", "Supplier": "000012", "ConvRate": 1E+2, "Note": null}
], "@odata.nextLink": "ApInvoice?$skip=2"}"""


def answered(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = 200, "https://erp.example.com/OData/EDU1/ApInvoice"
    response.raw = io.BytesIO(body)
    return response


def test_keys_come_without_rows_and_rows_as_they_were_written() -> None:
    answer = read_answer(answered(PAGE), ("Supplier", "Invoice", "ConvRate", "Missing"))
    assert answer.key_values == [
        ("000012", "A 1", Decimal("1.250000"), None),
        ("000012", "A 2", Decimal("1E+2"), None),
    ]
    assert isinstance(answer.rows, LateRows)
    assert len(answer.rows) == 2
    assert "_rows" not in vars(answer.rows), "nothing has looked at a row"
    assert list(answer.rows) == read_answer(answered(PAGE), ()).rows
    assert str(answer.rows[0]["ConvRate"]) == "1.250000"
    assert answer.rows[1:] == [
        {"Invoice": "A 2", "Supplier": "000012", "ConvRate": Decimal("1E+2"), "Note": None}
    ]
    assert (answer.count, answer.link) == (7, "ApInvoice?$skip=2")


def test_a_page_that_is_broken_where_no_key_stands_is_told_by_its_address() -> None:
    answer = read_answer(answered(PAGE.replace(b'"x"', b'"\xff"')), ("Supplier",))
    with pytest.raises(ServerTroubleError, match=r"^GET /OData/EDU1/ApInvoice: the answer is broken JSON\.$"):
        list(answer.rows)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (PAGE[:-1], "is no JSON"),
        (PAGE.replace(b'"A 1"', b'"\xff"'), "is no JSON"),
        (b'{"value": {"Supplier": "1"}}', "holds no rows"),
        (b'{"value": [1]}', "holds no rows"),
        (b"[]", "holds no rows"),
        (b'{"error": {}}', "holds no rows"),
    ],
)
def test_what_is_no_page_is_asked_for_again(body: bytes, told: str) -> None:
    with pytest.raises(TransientError, match=told):
        read_answer(answered(body), ("Supplier", "Invoice"))


class TwoPages(Service):
    """Two pages of two rows, and nothing behind them."""

    largest_page, most_terms, filters_are_kept = 2, 24, True

    def __init__(self) -> None:
        self.asked: list[Query] = []
        self.second = threading.Event()

    @override
    def fetch(self, query: Query) -> Answer:
        self.asked.append(query)
        if len(self.asked) == 2:
            self.second.set()
        first = 2 * len(self.asked)
        rows = [{"Invoice": f"A {number}"} for number in range(first, min(first + 2, 6))]
        return read_answer(answered(json.dumps({"value": rows}).encode()), query.order)

    @override
    def has_room(self, query: Query, characters: int = 0) -> bool:
        return True


def test_the_next_page_is_asked_for_before_the_rows_of_the_present_one_are_made() -> None:
    service = TwoPages()
    query = Query("EDU1", EntitySet("ApInvoice", {}))
    pages = Walk(service, query, [KeyColumn("Invoice", "string")], "keyset", 2).pages()
    page = next(pages)
    assert service.second.wait(timeout=20)
    assert "_rows" not in vars(page.rows)
    assert [row["Invoice"] for page in (page, *pages) for row in page.rows] == ["A 2", "A 3", "A 4", "A 5"]
    assert len(service.asked) == 3

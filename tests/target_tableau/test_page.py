"""The report as a page: what it says, and that it says it safely."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from target_tableau.errors import BadRecordError
from target_tableau.page import render_page
from tests.target_tableau.support import bills, load, loads_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def page_of(config: Config, tmp_path: Path) -> Any:
    page = tmp_path / "report.html"
    result = loads_command(config, tmp_path, "report", "--html", str(page))
    assert result.exit_code == 0, result.output
    return html.fromstring(page.read_text(encoding="utf-8"))


def cells(page: Any) -> dict[str, dict[str, str]]:
    """Data source -> label -> text."""
    return {
        row.xpath("td")[0].text_content().strip(): {
            cell.get("data-label"): cell.text_content() for cell in row.xpath("td[@data-label]")
        }
        for row in page.xpath("//tbody/tr")
    }


def test_a_manager_sees_when_the_numbers_were_true_and_when_they_arrived(
    publishing: Config, server: Server, tmp_path: Path
) -> None:
    for number in range(3):
        load(publishing | {"source": "tap-x"}, bills(("001", number), ("002", number * 2)))
    page = page_of(publishing, tmp_path)
    told = cells(page)["tap-x bills"]
    assert told["True in the source"] == "2026-01-01 00:00"
    assert told["Reached Tableau"].startswith(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")
    assert told["Rows"] == "2"
    assert "All is well with 1 data source" in page.xpath("//h1")[0].text_content()
    assert len(page.xpath("//rect")) == 3
    assert server.writes


def test_what_needs_attention_comes_first_in_sentences(config: Config, tmp_path: Path) -> None:
    config |= {"on_bad_record": "quarantine", "references": [{"from": "bills.ref", "to": "vendors.ref"}]}
    load(config, [{**m, "stream": "vendors"} if "stream" in m else m for m in bills(("001", 1))])
    load(config, bills(("001", 1), ("002", 1), ("003", "much")))
    broken = [{**m, "stream": "payments"} if "stream" in m else m for m in bills(("<b>9</b>", "much"))]
    with pytest.raises(BadRecordError):
        load(config | {"on_bad_record": "fail"}, broken)
    page = page_of(config, tmp_path)
    assert "3 matters need attention among 3 data sources" in page.xpath("//h1")[0].text_content()
    told = [item.text_content() for item in page.xpath("//li")]
    assert told[0].startswith("bills: 1 record did not fit")
    assert told[1].startswith("bills: 1 reference to something")
    assert "'<b>9</b>'" in told[2]  # as text: the page quotes what the ERP holds and runs none of it
    assert page.xpath("//rect[@class='bad']")


def test_the_page_is_whole_by_itself(config: Config, tmp_path: Path) -> None:
    load(config, bills(("001", 1)))
    page = page_of(config, tmp_path)
    assert not page.xpath("//script | //link | //img | //@src | //@href")
    assert page.xpath("//meta[@name='viewport']")
    assert "prefers-color-scheme" in page.xpath("//style")[0].text


def test_an_empty_ledger_has_a_page_too() -> None:
    assert "Nothing was loaded yet" in render_page([], {}, dt.datetime.now(dt.UTC))


def test_the_page_shows_the_times_of_the_zone_and_says_so(config: Config, tmp_path: Path) -> None:
    load(config, bills(("001", 1)))
    assert "All times are UTC." in page_of(config, tmp_path).text_content()
    page = page_of(config | {"timestamp_zone": "Asia/Tokyo"}, tmp_path)
    assert "All times on this page are those of Asia/Tokyo." in page.text_content()
    assert "In the data sources times are in UTC, with the time in Asia/Tokyo beside" in page.text_content()
    assert cells(page)["bills"]["True in the source"] == "2026-01-01 09:00"

"""What authors see of models and snapshots: the words of the streams that they are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.known_hints import KnownHints
from tests.target_tableau.conftest import CALCULATION
from tests.target_tableau.documents import column_elements, document
from tests.target_tableau.support import MONEY, NULLABLE_TEXT, TIME, load, query, record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]

KEY = "x-sql-datatype-properties"
EXACT = {"precision": 18, "scale": 2}
MODEL = {
    "name": "wide_lines",
    "fact": "lines",
    "where": {"kind": "L"},
    "joins": [
        {
            "stream": "vendors",
            "name": "vendor",
            "keys": {"vendor": "code"},
            "columns": {
                "name": "vendor_name",
                "limit": "vendor_limit",
                "rank": "vendor_rank",
                "rate": "vendor_rate",
                "group": "group",
            },
        }
    ],
    "computed": {
        "amount": {"plus": ["debit"], "minus": ["credit"]},
        "posted_amount": {"plus": ["debit"], "only_where": {"kind": ["L", "M"]}},
    },
}
SNAPSHOT = {"name": "wide_daily", "stream": "wide_lines", "where": {"amount": {"not": [0, None]}}}


def lines(**more: Any) -> list[dict[str, Any]]:
    base = {"currency": "base"}
    properties = {
        "nbr": {"type": ["integer", "null"]},
        "kind": NULLABLE_TEXT,
        "vendor": {**NULLABLE_TEXT, "title": "VendorCD", "description": "Who sent it."},
        "sender": {**NULLABLE_TEXT, "title": "Vendor name"},
        "debit": {**MONEY, KEY: {**EXACT, "label": "Debit amount", **base}},
        "credit": {**MONEY, KEY: {**EXACT, "label": "Credit amount", **base}},
        **more,
    }
    message = schema("lines", properties, ["nbr"])
    message["schema"] |= {
        "title": "Bill lines",
        "description": "Lines of bills.",
        KEY: {"grain": "One row per line.", "notes": ["Mind the VAT."], "base_currency": "EUR"},
    }
    return [message, record("lines", nbr=1, kind="L", vendor="V1", debit=10, credit=0)]


def vendors() -> list[dict[str, Any]]:
    columns = {
        "code": NULLABLE_TEXT,
        "name": {**NULLABLE_TEXT, "title": "Legal name"},
        "limit": {**MONEY, KEY: {**EXACT, "currency": "base", "label": "Credit limit"}},
        "rank": {"type": ["integer", "null"]},
        "rate": MONEY,
        "group": {**NULLABLE_TEXT, "title": "Buying group"},
    }
    row = {"code": "V1", "name": "Acme", "limit": 5, "rank": 2, "group": "G"}
    return [schema("vendors", columns, ["code"]), record("vendors", **row)]


@pytest.fixture
def config(publishing: Config) -> Config:
    return {**publishing, "models": [MODEL], "snapshots": [SNAPSHOT]}


def test_columns_of_a_model_bear_the_words_of_its_streams(config: Config, server: Server) -> None:
    load(config, [*lines(), *vendors(), state()])
    shown = column_elements(server, "wide_lines")
    money = 'c"€"#,##0.00;-"€"#,##0.00'
    assert (shown["debit"].get("caption"), shown["debit"].get("default-format")) == ("Debit amount", money)
    assert (shown["amount"].get("caption"), shown["amount"].get("default-format")) == ("Amount", money)
    assert shown["sender"].get("caption") == "Vendor name"
    assert shown["vendor_name"].get("caption") == "Vendor name (vendors)"
    assert shown["group"].get("caption") == "Buying group", "a column that keeps its name keeps its label"
    assert "Legal name of the vendor." in (shown["vendor_name"].findtext(".//run") or "")
    assert "Debit amount less Credit amount." in (shown["amount"].findtext(".//run") or "")
    assert "Zero unless Kind is L or M." in (shown["posted_amount"].findtext(".//run") or "")
    assert shown["unresolved"].get("caption") == "Unresolved references"
    assert shown["_sdc_load_id"].get("hidden") == "true"


@pytest.mark.parametrize(
    ("currencies", "symbol"),
    [({"tap-x": "GBP", "*": "USD"}, "£"), ({"*": "JPY"}, "¥"), ({"tap-y": "GBP"}, "")],
)
def test_a_setting_tells_the_currency_of_a_source_whose_tap_does_not(
    config: Config, server: Server, currencies: dict[str, str], symbol: str
) -> None:
    config |= {"source": "tap-x", "base_currencies": currencies, "models": [], "snapshots": []}
    messages = lines()
    del messages[0]["schema"][KEY]
    load(config, [*messages, state()])
    shown = column_elements(server, "tap-x lines")["debit"].get("default-format") or ""
    assert symbol in shown
    assert shown.startswith("c" if symbol else "n")


def test_what_a_dimension_repeats_on_every_row_is_not_summed(config: Config, server: Server) -> None:
    load(config, [*lines(), *vendors(), state()])
    shown = column_elements(server, "wide_lines")
    limit = shown["vendor_limit"]
    assert (limit.get("role"), limit.get("aggregation")) == ("measure", "Max")
    assert "do not add it up" in (limit.findtext(".//run") or "")
    assert shown["vendor_rank"].get("role") == "dimension"
    assert shown["vendor_rate"].get("aggregation") == "Avg"
    root = document(server, "wide_lines")
    folders = {
        item.get("name"): folder.get("name")
        for folder in root.iter("folder")
        for item in folder.iter("folder-item")
    }
    assert folders["[vendor_name]"] == folders["[vendor_limit]"] == "Vendor"
    assert folders["[unresolved]"] == "Checks"


def test_a_model_and_its_snapshot_say_what_they_hold(config: Config, server: Server) -> None:
    load(config, [*lines(), *vendors(), state()])
    told = (server.get("wide_lines").description or "").splitlines()
    assert told[:2] == ["Bill lines with vendor. Lines of bills.", "One row per line."]
    assert "Only rows where Kind is L." in told
    assert "Mind the VAT." in told
    daily = (server.get("wide_daily").description or "").splitlines()
    assert daily[:2] == [
        "Copies of Wide lines, one a day. Bill lines with vendor. Lines of bills.",
        "For each day: one row per line.",
    ]
    assert "Choose one Snapshot date before adding up." in daily
    assert any(line.startswith("Not to be added up over Snapshot date: ") for line in daily)
    shown = column_elements(server, "wide_daily")
    assert shown["snapshot_date"].get("caption") == "Snapshot date"
    assert shown["vendor_name"].get("caption") == "Vendor name (vendors)"


def test_the_words_of_streams_that_do_not_come_with_a_load_are_remembered(
    config: Config, server: Server
) -> None:
    config["models"] = []
    config["snapshots"] = [{"name": "elsewhere", "stream": "nothing"}]
    load(config, [*vendors(), state()])
    config["models"] = [MODEL]
    load(config, [*lines(), state()])
    shown = column_elements(server, "wide_lines")
    assert shown["group"].get("caption") == "Buying group"


def test_a_new_field_and_a_renamed_column_are_followed_into_model_and_snapshot(
    config: Config, server: Server
) -> None:
    config["columns"] = {"lines": {"debit": "Paid in"}, "vendors": {"group": "Group of companies"}}
    load(config, [*lines(), *vendors(), state()])
    shown = column_elements(server, "wide_lines")
    assert "debit" not in shown
    assert shown["Paid in"].get("caption", "Paid in") == "Paid in", "what a setting calls it is what is seen"
    before = shown["amount"].attrib
    project = {**NULLABLE_TEXT, "title": "Project name", "description": "Of your own."}
    load(config, [*lines(usr_project=project), *vendors(), state()])
    for name in ("wide_lines", "wide_daily"):
        added = column_elements(server, name)["usr_project"]
        assert (added.get("caption"), added.get("role")) == ("Project name", "dimension")
        assert "Of your own." in (added.findtext(".//run") or "")
    assert column_elements(server, "wide_lines")["amount"].attrib == before


def test_a_void_and_a_deletion_reach_a_model_that_an_author_has_worked_on(
    config: Config, server: Server
) -> None:
    first = lines(_sdc_deleted_at=TIME)
    second = record("lines", nbr=2, kind="L", vendor="V1", debit=7, credit=0)
    load(config, [*first, second, *vendors(), state()])
    server.add_to_document("wide_lines", CALCULATION)
    before = server.document("wide_lines")
    voided = record("lines", nbr=1, kind="L", vendor="V1", debit=0, credit=0)
    gone = record("lines", nbr=2, _sdc_deleted_at="2026-02-01T00:00:00Z")
    load(config, [first[0], voided, gone, state()])
    held = query(server.app.state.datasource("wide_lines"), "SELECT nbr, amount, vendor_name FROM {t}")
    assert held == [[1, Decimal(0), "Acme"]]
    assert server.document("wide_lines") == before, "what the author has made stays"
    open_today = query(server.app.state.datasource("wide_daily"), "SELECT COUNT(*) FROM {t}")
    assert open_today == [[0]], "nothing of it is open any more"


def test_a_damaged_memory_of_hints_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ".hints.json"
    path.write_text('{"lines": {"stream": [], "columns": {"a": 3, "b": {"label": "B", "new_in_2030": 1}}}}')
    known = KnownHints(path)
    assert known.columns("lines")["b"].label == "B"
    assert "a" not in known.columns("lines")
    assert known.stream("lines").title == ""
    assert known.columns("others") == {}

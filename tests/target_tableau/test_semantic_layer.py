"""The documents of data sources on a server: how they are published, updated, and kept as authors have them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from target_tableau import tds
from target_tableau.errors import TableauError
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.wire import error_body
from tests.target_tableau.conftest import CALCULATION
from tests.target_tableau.documents import ODD_NAMES, columns, document, plain
from tests.target_tableau.support import (
    BILL,
    MONEY,
    NULLABLE_TEXT,
    STATE,
    bills,
    load,
    query,
    record,
    schema,
    state,
)
from tests.target_tableau.test_semantics import INTEGER, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_tableau.semantics import Semantics
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]

TITLED = {**BILL, "amount": told({**MONEY, "title": "Amount due"}, currency="base"), "line_nbr": INTEGER}


def run(properties: Config, **values: Any) -> list[dict[str, Any]]:
    """One bill under a schema."""
    return [schema("bills", properties, ["ref"]), record("bills", ref="001", note_id="n", **values), state()]


def test_a_data_source_is_first_published_with_its_layer_and_then_updated_without_touching_it(
    publishing: Config, server: Server
) -> None:
    publishing["source"] = "tap-x"
    messages = run(TITLED, amount=1, line_nbr=7)
    messages[0]["schema"] |= told({"title": "Bills of vendors"}, base_currency="USD")
    load(publishing, messages)
    held = server.get("tap-x bills")
    assert held.kind == "tdsx"
    assert held.live
    root = document(server, "tap-x bills")
    amount = columns(root)["[amount]"]
    assert (amount.get("caption"), amount.get("default-format")) == (
        "Amount due",
        'c"$"#,##0.00;-"$"#,##0.00',
    )
    assert columns(root)["[line_nbr]"].get("role") == "dimension"
    assert [each.get("name") for each in root.iter("folder")] == ["Amounts", "Dimensions", "Keys", "Loader"]
    told_ = held.description.splitlines()
    assert told_[:3] == ["Bills of vendors.", "One row per Reference.", "In base currency (USD): Amount due."]
    assert told_[-1] == "Loaded by target-tableau: stream bills of tap-x."
    before = server.document("tap-x bills")
    load(publishing, run(TITLED, amount=2, line_nbr=7))
    assert server.writes_of("publish") == 1
    assert server.writes_of("patch") == 1
    assert server.document("tap-x bills") == before
    assert query(server.app.state.datasource("tap-x bills"), "SELECT amount FROM {t}") == [[2]]


def test_a_rule_s_description_comes_before_the_one_that_is_made(publishing: Config, server: Server) -> None:
    publishing["datasources"] = [{"stream": "bills", "description": "Ask Ann."}]
    load(publishing, bills(("001", 1)))
    assert server.get("bills").description.splitlines()[0] == "Ask Ann."


@pytest.mark.parametrize("mode", ["auto", "overwrite"])
def test_new_columns_are_described_in_the_authors_document(
    publishing: Config, server: Server, mode: str
) -> None:
    publishing["publish_mode"] = mode
    load(publishing, run(TITLED, amount=1))

    def edit(root: etree._Element) -> None:
        columns(root)["[amount]"].set("caption", "What we owe")
        for folder in root.iter("folder"):
            folder.set("name", f"My {folder.get('name')}")

    server.edit("bills", edit)
    wider = {**TITLED, "approver": {**NULLABLE_TEXT, "title": "Approved by"}}
    load(publishing, run(wider, amount=2, approver="Ann"))
    root = document(server)
    found = columns(root)
    assert found["[amount]"].get("caption") == "What we owe"
    assert found["[approver]"].get("caption") == "Approved by"
    folders = {each.get("name"): [item.get("name") for item in each] for each in root.iter("folder")}
    assert folders["Dimensions"] == ["[approver]"]
    assert "[amount]" in folders["My Amounts"]
    assert query(server.app.state.datasource("bills"), "SELECT amount, approver FROM {t}") == [[2, "Ann"]]


def test_a_column_whose_type_became_wider_is_shown_as_what_it_is(publishing: Config, server: Server) -> None:
    load(publishing, run(TITLED, line_nbr=7))
    load(publishing, run({**TITLED, "line_nbr": NULLABLE_TEXT}, line_nbr="7a"))
    assert columns(document(server))["[line_nbr]"].get("datatype") == "string"


def test_a_document_that_nobody_has_changed_is_written_anew_without_fetching_the_extract(
    publishing: Config, server: Server
) -> None:
    publishing["publish_mode"] = "overwrite"
    load(publishing, run(TITLED, amount=1))
    before = server.document("bills")
    server.app.script.calls.clear()
    load(publishing, run(TITLED, amount=2))
    fetched = [call.line for call in server.app.script.calls if "/content" in call.line]
    assert len(fetched) == 1
    assert "includeExtract=False" in fetched[0]
    assert server.document("bills") == before


def test_the_layer_can_be_left_out(publishing: Config, server: Server) -> None:
    publishing["semantic_layer"] = False
    load(publishing, run(TITLED, amount=1))
    assert server.get("bills").kind == "hyper"
    assert "Amount due" not in server.document("bills")
    assert server.get("bills").description == "Loaded by target-tableau: stream bills of an unnamed source."


def test_a_data_source_that_was_published_bare_gets_its_layer_when_it_is_published_whole(
    publishing: Config, server: Server
) -> None:
    load(publishing | {"semantic_layer": False}, run(TITLED, amount=1))
    before = server.get("bills").id
    load(publishing | {"publish_mode": "overwrite"}, run(TITLED, amount=2))
    assert server.get("bills").id == before
    assert columns(document(server))["[amount]"].get("caption") == "Amount due"


def test_a_bare_data_source_that_authors_have_worked_on_gets_only_its_new_columns_described(
    publishing: Config, server: Server
) -> None:
    load(publishing | {"semantic_layer": False}, run(TITLED, amount=1))
    server.add_to_document("bills", CALCULATION)
    load(publishing, run({**TITLED, "approver": NULLABLE_TEXT}, amount=2, approver="Ann"))
    assert list(columns(document(server))) == ["[Calculation_1]", "[approver]"]


def test_a_layer_that_is_switched_off_later_leaves_the_document_as_it_is(
    publishing: Config, server: Server
) -> None:
    load(publishing, run(TITLED, amount=1))
    load(publishing | {"semantic_layer": False}, run({**TITLED, "approver": NULLABLE_TEXT}, approver="Ann"))
    found = columns(document(server))
    assert found["[amount]"].get("caption") == "Amount due"
    assert "[approver]" not in found


def test_odd_names_are_published(publishing: Config, server: Server) -> None:
    names = [name for name in ODD_NAMES if "\n" not in name]
    odd = {**BILL, **{name: NULLABLE_TEXT for name in names}}  # noqa: C420 - beside others
    load(publishing, run(odd, **dict.fromkeys(names, "x")))
    assert {plain(name) for name in columns(document(server))} >= set(names)


def test_a_document_that_tableau_refuses_is_told_with_tableau_s_reason_and_the_way_out(
    publishing: Config, server: Server
) -> None:
    refusal = error_body(
        "400011", "Bad Request", "There was a problem publishing the file 'bills.tdsx'. (no tds today)"
    )
    server.app.script.add(Fault(r"POST .*/datasources\?", status=400, body=refusal))
    with pytest.raises(TableauError, match=r"no tds today.*set semantic_layer to false"):
        load(publishing, run(TITLED, amount=1))
    assert load(publishing | {"semantic_layer": False}, run(TITLED, amount=1)) == [STATE]


def test_a_full_disk_while_a_package_is_written_is_told_and_leaves_everything_as_it_was(
    publishing: Config, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tds, "write_package", full)
        with pytest.raises(TableauError, match=r"bills.tdsx cannot be written: No space left on device"):
            load(publishing, run(TITLED, amount=1))
    assert "publish" not in server.writes
    assert load(publishing, run(TITLED, amount=1)) == [STATE]


def test_a_data_source_that_tableau_takes_for_a_copy_is_told_of(
    publishing: Config, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_live: Callable[..., etree._Element] = tds.document

    def with_extract(layer: Semantics) -> etree._Element:
        root = made_live(layer)
        extract = etree.Element("extract", enabled="true", units="records")
        etree.SubElement(extract, "connection", {"class": "hyper", "dbname": tds.data_entry(layer)})
        root.insert(root.index(root.findall("layout")[0]), extract)
        return root

    monkeypatch.setattr(tds, "document", with_extract)
    load(publishing, run(TITLED, amount=1))
    assert "Tableau takes 'bills' for an extract of something else" in caplog.text

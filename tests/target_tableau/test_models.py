"""Facts joined with their dimensions: the rows and sums of the fact, whatever the dimensions hold."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau import derived
from target_tableau.errors import ExtractError, SettingError
from target_tableau.ledger import Ledger
from target_tableau.settings import Settings
from target_tableau.trace import trace
from tests.target_tableau.model_lines import ALL, FIRST, MODEL, OPEN, accounts, groups, lines, vendors
from tests.target_tableau.support import (
    NULLABLE_TEXT,
    STATE,
    Extracts,
    load,
    query,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


@pytest.fixture
def config(config: Config) -> Config:
    return {**config, "models": [MODEL]}


def test_a_fact_gets_the_names_of_its_dimensions_and_one_amount(config: Config, extracts: Extracts) -> None:
    assert load(config, FIRST) == [STATE]
    assert extracts.rows("wide_lines", ALL) == [
        [1, "Acme", "Good", "Bank", Decimal(10), None],
        [2, "Bolt", None, "Sales", Decimal("-2.5"), None],
        [3, None, None, "Bank", Decimal(-1), None],
    ]
    assert extracts.types("wide_lines")["amount"] == "NUMERIC(18, 2)"


def test_a_change_of_a_dimension_alone_reaches_the_model_as_an_update(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["models"] = [MODEL]
    load(publishing, FIRST)
    whole = server.writes_of("publish")
    load(publishing, [*vendors(("V1", "Acme Ltd", "G")), state()])
    assert server.writes_of("publish") == whole
    assert server.writes_of("patch") == 2
    names = "SELECT nbr, vendor_name FROM {t} WHERE vendor_name IS NOT NULL ORDER BY nbr"
    expected = [[1, "Acme Ltd"], [2, "Bolt"]]
    assert extracts.rows("wide_lines", names) == expected
    assert query(server.app.state.datasource("wide_lines"), names) == expected


def test_a_run_without_a_net_change_writes_nothing(publishing: Config, server: Server) -> None:
    publishing["models"] = [MODEL]
    load(publishing, FIRST)
    writes = len(server.writes)
    load(publishing, FIRST)
    assert len(server.writes) == writes


def test_rows_that_are_new_and_gone_follow_by_key(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["models"] = [MODEL]
    load(publishing, FIRST)
    gone = record("lines", nbr=1, _sdc_deleted_at="2026-02-01T00:00:00+00:00")
    load(publishing, [*lines((4, "V1", "A2", 3, 0)), gone, state()])
    sql = "SELECT nbr, vendor_name, amount FROM {t} ORDER BY nbr"
    expected = [[2, "Bolt", Decimal("-2.5")], [3, None, Decimal(-1)], [4, "Acme", Decimal(3)]]
    assert extracts.rows("wide_lines", sql) == expected
    assert query(server.app.state.datasource("wide_lines"), sql) == expected


def test_what_does_not_resolve_is_named_in_the_row_and_counted(
    config: Config, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    load(
        config,
        [
            *lines((1, "V9", "A1", 1, 0), (2, "V9", None, 1, 0), (3, "", "a1", 1, 0), (4, "V1", "A1", 1, 0)),
            *vendors(("V1", "Acme", "X")),
            *groups(G="Good"),
            *accounts(A1="Bank"),
            state(),
        ],
    )
    assert extracts.column("wide_lines", "unresolved") == ["account", "group", "vendor", "vendor, account"]
    assert extracts.rows("wide_lines", "SELECT SUM(amount) FROM {t}") == [[Decimal(4)]]
    assert "'wide_lines': 2 rows do not find vendor in vendors: 'V9' (2 rows)" in caplog.text
    assert "wide_lines: 4 references to rows that are not there" in caplog.text


def test_a_join_that_must_resolve_stops_the_run_before_anything_lands(
    config: Config, extracts: Extracts
) -> None:
    joins = [{**MODEL["joins"][0], "on_unresolved": "fail"}]  # type: ignore[index]
    config["models"] = [{"name": "wide", "fact": "lines", "joins": joins}]
    with pytest.raises(ExtractError, match=r"1 rows do not find vendor in vendors.*load vendors first"):
        load(config, [*lines((1, "V9", "A", 1, 0)), *vendors(("V1", "Acme", None)), state()])
    assert list(extracts.folder.glob("*.hyper")) == []


@pytest.mark.parametrize(("second", "name"), [("Acme", "Acme"), ("Other", None)])
def test_a_key_that_occurs_twice_in_a_dimension_multiplies_no_row(
    config: Config, extracts: Extracts, caplog: pytest.LogCaptureFixture, second: str, name: str | None
) -> None:
    columns = {"company": NULLABLE_TEXT, "code": NULLABLE_TEXT, "name": NULLABLE_TEXT}
    join = {"stream": "vendors", "keys": {"vendor": "code"}, "columns": {"name": "vendor_name"}}
    config["models"] = [{"name": "wide", "fact": "lines", "joins": [join]}]
    load(
        config,
        [
            *lines((1, "V1", None, 10, 0), (2, "V1", None, 5, 0)),
            schema("vendors", columns, ["company", "code"]),
            record("vendors", company="1", code="V1", name="Acme"),
            record("vendors", company="2", code="V1", name=second),
            state(),
        ],
    )
    told = None if name else "vendors"
    sql = "SELECT nbr, vendor_name, debit, unresolved FROM {t} ORDER BY nbr"
    assert extracts.rows("wide", sql) == [[1, name, Decimal(10), told], [2, name, Decimal(5), told]]
    assert ("1 keys have several rows that differ" in caplog.text) is (name is None)


def test_a_dimension_that_is_not_loaded_is_left_out_and_comes_later(
    config: Config, extracts: Extracts, caplog: pytest.LogCaptureFixture
) -> None:
    load(config, [*lines((1, "V1", "A1", 1, 0)), *accounts(A1="Bank"), state()])
    assert extracts.rows("wide_lines", "SELECT account_name, unresolved FROM {t}") == [["Bank", "vendor"]]
    assert "vendors is not loaded" in caplog.text
    load(config, [*vendors(("V1", "Acme", None)), state()])
    assert extracts.rows("wide_lines", "SELECT vendor_name, unresolved FROM {t}") == [["Acme", None]]


def test_columns_that_are_renamed_are_named_in_the_rule_by_their_properties(
    config: Config, extracts: Extracts
) -> None:
    config["columns"] = {"lines": {"vendor": "Vendor code"}, "vendors": {"name": "Full name"}}
    load(config, FIRST)
    found = extracts.rows("wide_lines", 'SELECT "Vendor code", vendor_name FROM {t} WHERE nbr = 1')
    assert found == [["V1", "Acme"]]


def test_rows_that_are_only_marked_as_deleted_are_not_in_the_model(
    config: Config, extracts: Extracts
) -> None:
    config["hard_delete"] = False
    load(config, FIRST)
    load(
        config, [*lines(), record("lines", nbr=1, debit=10, _sdc_deleted_at="2026-02-01T00:00:00Z"), state()]
    )
    assert extracts.column("lines", "nbr") == [1, 2, 3]
    assert extracts.column("wide_lines", "nbr") == [2, 3]


def test_a_fact_without_a_key_is_joined_too(config: Config, extracts: Extracts) -> None:
    config["load_method"] = "append-only"
    config["models"] = [{**MODEL, "joins": MODEL["joins"][:1]}]  # type: ignore[index]
    load(config, FIRST)
    load(config, [*lines((1, "V1", "A1", 10, 0)), state()])
    assert extracts.column("wide_lines", "vendor_name") == ["Acme", "Acme", "Bolt", None]


def test_a_rule_that_changes_makes_the_model_anew_without_the_old_columns(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["models"] = [MODEL]
    load(publishing, FIRST)
    publishing["models"] = [{**MODEL, "joins": MODEL["joins"][2:]}]  # type: ignore[index]
    load(publishing, FIRST)
    assert "vendor_name" not in extracts.types("wide_lines")
    published = query(server.app.state.datasource("wide_lines"), "SELECT account_name FROM {t} WHERE nbr = 1")
    assert published == [["Bank"]]


def test_a_run_that_was_cut_before_the_model_makes_up_for_it(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(config, FIRST)
    change = [*vendors(("V1", "Acme Ltd", "G")), state()]
    with monkeypatch.context() as patch:
        patch.setattr(derived.Derivations, "build", lambda *_: None)
        load(config, change)
    assert "Acme Ltd" not in extracts.column("wide_lines", "vendor_name")
    load(config, [FIRST[0], state()])  # brings no row, but the fact's schema
    assert "Acme Ltd" in extracts.column("wide_lines", "vendor_name")


def test_a_failure_while_publishing_leaves_the_model_as_it_was_and_the_next_run_finishes_it(
    publishing: Config, server: Server, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing["models"] = [MODEL]
    load(publishing, FIRST)
    with monkeypatch.context() as patch:
        patch.setattr("target_tableau.delivery.Delivery.deliver", _fail)
        with pytest.raises(RuntimeError):
            load(publishing, [*vendors(("V1", "Acme Ltd", "G")), state()])
    assert "Acme Ltd" not in extracts.column("wide_lines", "vendor_name")
    load(publishing, [*vendors(), state()])
    names = "SELECT vendor_name FROM {t} WHERE nbr = 1"
    assert extracts.rows("wide_lines", names) == [["Acme Ltd"]]
    assert query(server.app.state.datasource("wide_lines"), names) == [["Acme Ltd"]]


def _fail(*_: object) -> None:
    raise RuntimeError


def test_a_model_whose_sums_are_not_the_facts_is_never_published(
    config: Config, extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_tableau.models._distinct", lambda parts: parts[0])
    monkeypatch.setattr("target_tableau.models.ModelQuery._leave_ambiguous_out", lambda *_: None)
    columns = {"company": NULLABLE_TEXT, "code": NULLABLE_TEXT, "name": NULLABLE_TEXT}
    join = {"stream": "vendors", "keys": {"vendor": "code"}, "columns": {"name": "vendor_name"}}
    config |= {"load_method": "append-only", "models": [{"name": "wide", "fact": "lines", "joins": [join]}]}
    rows = [record("vendors", company=company, code="V1", name=company) for company in "12"]
    messages = [*lines((1, "V1", None, 10, 0)), schema("vendors", columns), *rows, state()]
    with pytest.raises(
        ExtractError, match=r"does not come to the rows and sums of lines \(2 rows instead of 1\)"
    ):
        load(config, messages)
    assert list(extracts.folder.glob("*.hyper")) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"joins": [{"stream": "vendors", "keys": {"nope": "code"}}]},
            "nor an earlier join has the column 'nope'",
        ),
        ({"joins": [{"stream": "vendors", "keys": {"vendor": "nope"}}]}, "vendors has no column 'nope'"),
        (
            {"joins": [{"stream": "vendors", "keys": {"vendor": "code"}, "columns": {"name": "Debit"}}]},
            "two columns would have the name 'Debit'",
        ),
        ({"computed": {"x": {"plus": ["vendor"]}}}, "columns that are no numbers"),
        ({"joins": [{"stream": "vendors", "keys": {}}]}, "every join needs 'keys'"),
        ({"computed": {"x": {}}}, "needs 'plus' or 'minus'"),
        ({"name": "vendors"}, "has the name 'vendors', as a stream has"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_told_in_one_line(
    config: Config, change: dict[str, Any], message: str
) -> None:
    config["models"] = [{"name": "wide", "fact": "lines", **change}]
    with pytest.raises(SettingError, match=message):
        load(config, FIRST)


def test_rules_hold_for_their_source_only(config: Config) -> None:
    config["models"] = [{**MODEL, "name": "one/wide"}, {**MODEL, "name": "two/wide", "fact": "other"}]
    assert [model.fact for model in Settings.from_config({**config, "source": "two"}).models] == ["other"]
    assert Settings.from_config({**config, "source": "three"}).models == ()


def test_a_column_can_change_its_sign_by_the_kind_of_account(config: Config, extracts: Extracts) -> None:
    amount = {"plus": ["debit"], "negate_where": {"account": ["A2", "A3"]}}
    config["models"] = [{"name": "wide", "fact": "lines", "computed": {"signed": amount}}]
    load(config, [*lines((1, None, "A1", 5, 0), (2, None, "A2", 7, 0)), state()])
    assert extracts.column("wide", "signed") == [Decimal(-7), Decimal(5)]


def test_the_description_of_a_data_source_tells_what_a_row_is_and_whose_times_it_shows(
    publishing: Config, server: Server
) -> None:
    publishing |= {"models": [MODEL], "snapshots": [OPEN], "timestamp_zone": "Europe/Berlin"}
    load(publishing, FIRST)
    told = server.get("wide_lines").description or ""
    assert "One row per row of lines, joined with vendors, groups, accounts." in told
    assert "with the time in Europe/Berlin beside each" in told
    assert "filter on one snapshot_date (a day in Europe/Berlin)" in (
        server.get("open_lines").description or ""
    )


def test_a_row_of_a_model_is_traced_to_its_fact(config: Config) -> None:
    load(config, FIRST)
    settings = Settings.from_config(config)
    with contextlib.closing(Ledger(None, settings.output_dir)) as ledger:
        told = "\n".join(trace(settings, ledger, "wide_lines", ["2"]))
    assert "wide_lines is made of lines" in told
    assert "vendor=V2" in told

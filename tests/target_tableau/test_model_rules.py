"""Which rows a model has and looks at, which references count, and what it works out under conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.errors import SettingError
from tests.target_tableau.model_lines import FIRST, LINE, accounts, lines, vendors
from tests.target_tableau.support import NULLABLE_TEXT, load, query, record, schema, state

if TYPE_CHECKING:
    from tests.target_tableau.conftest import Server
    from tests.target_tableau.support import Extracts

Config = dict[str, Any]

VENDOR = {
    "stream": "vendors",
    "name": "vendor",
    "keys": {"vendor": "code"},
    "columns": {"name": "vendor_name"},
}


def wide(**rule: Any) -> list[dict[str, Any]]:
    return [{"name": "wide", "fact": "lines", **rule}]


def test_a_model_has_only_the_rows_that_its_rule_wants(
    publishing: Config, server: Server, extracts: Extracts
) -> None:
    publishing["models"] = wide(where={"account": ["A1", "A3"], "vendor": {"not": None}}, joins=[VENDOR])
    load(publishing, FIRST)
    assert extracts.rows("wide", "SELECT nbr, vendor_name FROM {t}") == [[1, "Acme"]]
    load(publishing, [*lines((1, "V1", "A2", 10, 0), (7, "V2", "A3", 1, 0)), *vendors(), state()])
    for path in (server.app.state.datasource("wide"), extracts.folder / "wide.hyper"):
        assert query(path, "SELECT nbr, debit FROM {t}") == [[7, Decimal(1)]], (
            "a row that no longer fits leaves"
        )


def test_only_some_rows_of_a_dimension_are_looked_at(config: Config, extracts: Extracts) -> None:
    columns = {"segment": NULLABLE_TEXT, "code": NULLABLE_TEXT, "name": NULLABLE_TEXT}
    values = [
        schema("values", columns, ["segment", "code"]),
        record("values", segment="account", code="A1", name="Bank"),
        record("values", segment="cost center", code="A1", name="Sales"),
    ]
    join = {"stream": "values", "keys": {"account": "code"}, "columns": {"name": "account_name"}}
    config["models"] = wide(joins=[{**join, "where": {"segment": "account"}}])
    load(config, [*lines((1, None, "A1", 1, 0), (2, None, "A2", 1, 0)), *values, state()])
    found = extracts.rows("wide", "SELECT account_name, unresolved FROM {t} ORDER BY nbr")
    assert found == [["Bank", None], [None, "values"]]


def test_a_value_that_means_no_reference_is_not_unresolved(config: Config, extracts: Extracts) -> None:
    config["models"] = wide(joins=[{**VENDOR, "keys": {"nbr": "code"}, "empty": [0]}])
    load(
        config, [*lines((0, None, None, 1, 0), (1, None, None, 1, 0)), *vendors(("2", "Acme", None)), state()]
    )
    assert extracts.rows("wide", "SELECT nbr, unresolved FROM {t} ORDER BY nbr") == [[0, None], [1, "vendor"]]


@pytest.mark.parametrize(
    "join",
    [
        {**VENDOR, "keys": {"segment": "code"}},
        {**VENDOR, "columns": {"legal_name": "vendor_name"}},
        {**VENDOR, "where": {"kind": "V"}},
    ],
)
def test_an_optional_join_is_left_out_where_a_column_is_missing_and_what_hangs_on_it_too(
    config: Config, extracts: Extracts, caplog: pytest.LogCaptureFixture, join: dict[str, Any]
) -> None:
    caplog.set_level("INFO")
    hanging = {"stream": "accounts", "keys": {"vendor_name": "code"}, "columns": {"title": "title_of_vendor"}}
    config["models"] = wide(joins=[{**join, "optional": True}, hanging])
    load(config, FIRST)
    assert "vendor_name" not in extracts.types("wide")
    assert "title_of_vendor" not in extracts.types("wide")
    assert extracts.column("wide", "unresolved") == [None, None, None]
    assert "the join vendor is left out" in caplog.text
    config["models"] = wide(joins=[join])
    with pytest.raises(SettingError, match="column"):
        load(config, FIRST)


def test_an_optional_join_is_made_where_its_columns_are(config: Config, extracts: Extracts) -> None:
    config["models"] = wide(joins=[{**VENDOR, "optional": True}])
    load(config, FIRST)
    assert extracts.column("wide", "vendor_name") == ["Acme", "Bolt", None]


def test_an_amount_counts_only_under_a_condition(config: Config, extracts: Extracts) -> None:
    posted = {"plus": ["debit"], "only_where": {"status": 50, "account_open": True}}
    extra = {"status": {"type": ["integer", "null"]}}
    opened = {"stream": "accounts", "keys": {"account": "code"}, "columns": {"open": "account_open"}}
    config["models"] = wide(
        joins=[opened], computed={"posted": posted, "twice": {"plus": ["posted", "posted"]}}
    )
    columns = {"code": NULLABLE_TEXT, "open": {"type": ["boolean", "null"]}}
    messages = [
        schema("lines", LINE | extra, ["nbr"]),
        record("lines", nbr=1, status=50, account="A1", debit=3),
        record("lines", nbr=2, status=20, account="A1", debit=5),
        record("lines", nbr=3, status=50, account="A2", debit=7),
        record("lines", nbr=4, status=None, account="A1", debit=9),
        schema("accounts", columns, ["code"]),
        record("accounts", code="A1", open=True),
        record("accounts", code="A2", open=None),
        state(),
    ]
    load(config, messages)
    assert extracts.column("wide", "posted") == [Decimal(0), Decimal(0), Decimal(0), Decimal(3)]
    assert extracts.column("wide", "twice") == [Decimal(0), Decimal(0), Decimal(0), Decimal(6)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"where": {"nope": 1}}, "lines has no column 'nope'"),
        ({"where": {"debit": {"over": 1}}}, "Model 'wide': where.debit must be a value"),
        ({"joins": [{**VENDOR, "where": {"nope": 1}}]}, "vendors has no column 'nope'"),
        ({"computed": {"a": {"plus": ["debit"], "only_where": {"nope": 1}}}}, "has the column 'nope'"),
    ],
)
def test_a_condition_that_cannot_be_tested_is_told_in_one_line(
    config: Config, rule: dict[str, Any], message: str
) -> None:
    config["models"] = wide(**rule)
    with pytest.raises(SettingError, match=message) as told:
        load(config, [*FIRST, *accounts()])
    assert "\n" not in str(told.value)

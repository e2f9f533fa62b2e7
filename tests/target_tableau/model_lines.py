"""Lines of bills and what they refer to, as the tests of models and snapshots load them."""

from __future__ import annotations

from typing import Any

from tests.target_tableau.support import MONEY, NULLABLE_TEXT, TIME, record, schema, state

LINE = {
    "nbr": {"type": ["integer", "null"]},
    "vendor": NULLABLE_TEXT,
    "account": NULLABLE_TEXT,
    "debit": MONEY,
    "credit": MONEY,
    "modified": TIME,
    "_sdc_deleted_at": TIME,
}
MODEL = {
    "name": "wide_lines",
    "fact": "lines",
    "joins": [
        {
            "stream": "vendors",
            "name": "vendor",
            "keys": {"vendor": "code"},
            "columns": {"name": "vendor_name", "group": "vendor_group"},
        },
        {
            "stream": "groups",
            "name": "group",
            "keys": {"vendor_group": "code"},
            "columns": {"name": "group_name"},
        },
        {
            "stream": "accounts",
            "name": "account",
            "keys": {"account": "code"},
            "columns": {"title": "account_name"},
            "required": True,
        },
    ],
    "computed": {"amount": {"plus": ["debit"], "minus": ["credit"]}},
}


def lines(*rows: tuple[int, str | None, str | None, object, object]) -> list[dict[str, Any]]:
    return [
        schema("lines", LINE, ["nbr"]),
        *(
            record("lines", nbr=nbr, vendor=vendor, account=account, debit=debit, credit=credit)
            for nbr, vendor, account, debit, credit in rows
        ),
    ]


def vendors(*rows: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    columns = {"code": NULLABLE_TEXT, "name": NULLABLE_TEXT, "group": NULLABLE_TEXT}
    return [
        schema("vendors", columns, ["code"]),
        *(record("vendors", code=code, name=name, group=group) for code, name, group in rows),
    ]


def groups(**names: str) -> list[dict[str, Any]]:
    columns = {"code": NULLABLE_TEXT, "name": NULLABLE_TEXT}
    return [
        schema("groups", columns, ["code"]),
        *(record("groups", code=code, name=name) for code, name in names.items()),
    ]


def accounts(**titles: str) -> list[dict[str, Any]]:
    columns = {"code": NULLABLE_TEXT, "title": NULLABLE_TEXT}
    return [
        schema("accounts", columns, ["code"]),
        *(record("accounts", code=code, title=title) for code, title in titles.items()),
    ]


OPEN = {"stream": "lines", "name": "open_lines", "where": {"debit": {"not": [0, None]}}}


ALL = "SELECT nbr, vendor_name, group_name, account_name, amount, unresolved FROM {t} ORDER BY nbr"
FIRST = [
    *lines((1, "V1", "A1", 10, 0), (2, "V2", "A2", 0, "2.5"), (3, None, "A1", None, 1)),
    *vendors(("V1", "Acme", "G"), ("V2", "Bolt", None)),
    *groups(G="Good"),
    *accounts(A1="Bank", A2="Sales"),
    state(),
]

"""The target's settings about what is made of streams beside their extracts: models, snapshots, local times."""

from __future__ import annotations

from singer_sdk import typing as th

_JOIN = th.ObjectType(
    th.Property("stream", th.StringType, required=True),
    th.Property("keys", th.ObjectType(additional_properties=th.StringType), required=True),
    th.Property("columns", th.ObjectType(additional_properties=th.StringType), default={}),
    th.Property("name", th.StringType),
    th.Property("also", th.ArrayType(th.StringType)),
    th.Property("where", th.ObjectType(additional_properties=th.AnyType)),
    th.Property("empty", th.ArrayType(th.AnyType)),
    th.Property("required", th.BooleanType),
    th.Property("optional", th.BooleanType),
    th.Property("on_unresolved", th.StringType, allowed_values=["count", "fail", "ignore"]),
)
_COMPUTED = th.ObjectType(
    th.Property("plus", th.ArrayType(th.StringType)),
    th.Property("minus", th.ArrayType(th.StringType)),
    th.Property("negate_where", th.ObjectType(additional_properties=th.ArrayType(th.StringType))),
    th.Property("only_where", th.ObjectType(additional_properties=th.AnyType)),
)

MODELS = (
    th.Property(
        "models",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("fact", th.StringType, required=True),
                th.Property("joins", th.ArrayType(_JOIN), default=[]),
                th.Property("computed", th.ObjectType(additional_properties=_COMPUTED), default={}),
                th.Property("where", th.ObjectType(additional_properties=th.AnyType)),
            )
        ),
        default=[],
        title="Models",
        description=(
            "Facts joined with their dimensions, each an extract and a data source of its own: a list of rules with "
            "name, fact (a stream), where (which of its rows, as in snapshots), joins (stream; keys: fact column -> "
            "dimension column; columns: dimension column -> its name in the model; name: what the column unresolved "
            "calls it; also: further streams to look in; where: which of their rows; required: an empty reference is "
            "unresolved too; empty: values that mean no reference; optional: left out where a column is missing; "
            "on_unresolved: count, fail or ignore) and computed (name -> plus and minus: columns that are added and "
            "taken off; negate_where: values that turn the sign; only_where: what must hold, else 0). Example: "
            '[{"name": "ap_bills", "fact": "bills", "joins": [{"stream": "vendors", "keys": {"vendor": "vendor_id"}, '
            '"columns": {"vendor_name": "vendor_name"}}]}]. A name like tap-acumatica/ap_bills holds for that source '
            "only."
        ),
    ),
    th.Property(
        "snapshots",
        th.ArrayType(
            th.ObjectType(
                th.Property("stream", th.StringType, required=True),
                th.Property("name", th.StringType, required=True),
                th.Property("every", th.StringType, allowed_values=["day", "month"]),
                th.Property("where", th.ObjectType(additional_properties=th.AnyType)),
                th.Property("keep_days", th.IntegerType(minimum=1)),
                th.Property("zone", th.StringType),
            )
        ),
        default=[],
        title="Snapshots",
        description=(
            "Streams or models that are kept as dated copies, each an extract and a data source of its own: a list of "
            "rules with stream, name, every (day: one copy a day; month: the last copy of every month), where (column "
            '-> a value, a list of values, or {"not": ...}), keep_days and zone (whose day it is; default '
            'timestamp_zone). Example: [{"stream": "bills", "name": "open_bills", "where": {"ledger_balance": {"not": '
            '0}}, "keep_days": 400}]. A name like tap-acumatica/open_bills holds for that source only.'
        ),
    ),
    th.Property(
        "timestamp_zone",
        th.StringType,
        default="UTC",
        title="Zone of displayed times",
        description=(
            "IANA name of a time zone, for instance Europe/Berlin. Every date-time column, which stays in UTC, then "
            "has a second one beside it that shows the same moment on the clocks of that zone, named like "
            "modified (Europe/Berlin). Dates are never shifted."
        ),
    ),
)

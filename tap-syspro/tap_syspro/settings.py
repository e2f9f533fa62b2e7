"""The settings of the tap, written for those who fill them in."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from singer_sdk import typing as th


def _text(name: str, title: str, description: str, **more: Any) -> th.Property[Any]:  # noqa: ANN401 - passed on
    return th.Property(name, th.StringType, title=title, description=description, **more)


def _choice(name: str, title: str, description: str, values: list[str]) -> th.Property[Any]:
    """A choice; the first value is the default."""
    return _text(name, title, description, allowed_values=values, default=values[0])


def _whole(
    name: str, title: str, description: str, minimum: int, default: int | None = None
) -> th.Property[Any]:
    kind = th.IntegerType(minimum=minimum)
    return th.Property(name, kind, title=title, description=description, default=default)


def _switch(name: str, title: str, description: str, *, default: bool) -> th.Property[Any]:
    return th.Property(name, th.BooleanType, title=title, description=description, default=default)


_SITE: Final = (
    _text(
        "base_url",
        "Server",
        "Address of the server that hosts SYSPRO OData or e.net, without a path, for example "
        "`https://erp.example.com`.",
        required=True,
    ),
    th.Property(
        "companies",
        th.ArrayType(th.StringType),
        required=True,
        title="Companies",
        description='Company ids, for example `["EDU1"]`. They are read one after the other; every row bears its '
        "company in `_company`, and every key begins with it.",
    ),
    _choice(
        "transport",
        "Interface",
        "`odata` reads the SYSPRO OData service (SYSPRO 8 2021 R2 and later). `enet` reads the same "
        "tables through the e.net service (all versions) with the generic query COMFND.",
        ["odata", "enet"],
    ),
    _text(
        "odata_path_template",
        "OData path",
        "Path of the OData service behind `base_url`; `{company}` stands for the company id. The first "
        "part is the name of the web application, which the administrator chose.",
        default="/SYSPRO8Odata/SYSPROOData/{company}",
    ),
    _text(
        "enet_base_url",
        "e.net address",
        "Address of the e.net REST service, with the port that was chosen at installation, for example "
        "`http://erp.example.com:31002/SYSPROWCFService/Rest`. Default: `SYSPROWCFService/Rest` behind "
        "`base_url`.",
    ),
    _switch(
        "allow_http",
        "Allow http",
        "Allow addresses without TLS. On a plain connection everybody on the way can read passwords and books.",
        default=False,
    ),
    _switch("verify_ssl", "Check certificates", "Check the certificate of the server.", default=True),
    _text(
        "ca_bundle", "CA file", "File with the certificates (PEM) that vouch for the server, if not public."
    ),
)

_SIGN_IN: Final = (
    _choice(
        "auth_method",
        "Sign-in to OData",
        "`basic` (user name and OData password, as the vendor documents it), `session` (e.net session id "
        "instead) or `basic+session` (both). e.net itself always uses a session.",
        ["basic", "session", "basic+session"],
    ),
    _text("odata_username", "OData user", "Operator code for OData."),
    _text(
        "odata_password",
        "OData password",
        "OData password of the operator; it is generated in Operator Maintenance and differs from the "
        "login password.",
        secret=True,
    ),
    _text(
        "operator", "Operator", "Operator code for e.net sessions. Use an operator that nobody works with."
    ),
    _text("operator_password", "Operator password", "Login password of the operator.", secret=True),
    _text(
        "company_password",
        "Company password",
        "Password of the company, if it has one.",
        secret=True,
        default="",
    ),
    th.Property(
        "company_passwords",
        th.ObjectType(additional_properties=th.StringType),
        title="Company passwords",
        description="Company id -> its password, where companies have different ones; `company_password` "
        "is for the others.",
        secret=True,
        default={},
    ),
    _text("logon_path", "Logon path", "Path of Logon behind the e.net address.", default="/Logon"),
    _text("logoff_path", "Logoff path", "Path of Logoff behind the e.net address.", default="/Logoff"),
    _text(
        "session_param_name",
        "Session name",
        "Name of the header or parameter that carries the session id to OData.",
        default="UserId",
    ),
    _choice(
        "session_param_in",
        "Session place",
        "Whether OData takes the session id as a `header` or in the `query`.",
        ["header", "query"],
    ),
    _whole(
        "session_max_age_seconds",
        "Age of a session",
        "A session is replaced after so many seconds, because Logon does not tell how long it lives.",
        60,
        1200,
    ),
    _text(
        "store_path",
        "Private folder",
        "Folder for the discovered schema and the lock of the operator. It holds no secrets. Default: "
        "`.tap-syspro` in the home folder.",
    ),
)

_RUN: Final = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Read only documents and movements of this day and later, and whatever is still open. "
        "Masters and balances are read whole all the same. Without it everything is read.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Read only what is dated up to this day, on streams with a date, for backfills in parts.",
    ),
    _whole(
        "lookback_seconds",
        "Lookback",
        "How far before its bookmark a run reads again, in seconds; it counts in whole days, at least "
        "one. Three periods stay open in SYSPRO, so back-dated entries are normal: the default is 100 "
        "days.",
        86_400,
        8_640_000,
    ),
    _whole(
        "full_refresh_every_days",
        "Full refresh",
        "Read invoices and orders as a whole again after so many days, for changes to closed documents "
        "that no date tells; 0 for never.",
        0,
        7,
    ),
    _whole(
        "page_size",
        "Page size",
        "Rows per call; OData gives 5000 at most. Default: 5000 by OData, 500 by e.net.",
        1,
    ),
    _whole("request_timeout_seconds", "Timeout", "Seconds to wait for an answer.", 1, 300),
    _whole("max_retries", "Retries", "How often a failed call is repeated, with growing pauses.", 0, 5),
    _whole(
        "max_calls_per_run",
        "Call budget",
        "Stop cleanly after this many calls; the next run goes on from there. Without it there is no limit.",
        1,
    ),
    _whole(
        "discovery_max_age_minutes",
        "Age of the schema",
        "How long the discovered schema is used before the service is asked again, in minutes; 0 asks "
        "every time.",
        0,
        1440,
    ),
    _switch(
        "skip_forbidden_streams",
        "Skip forbidden streams",
        "Leave out streams that the operator may not read or that are not licensed, with a warning, "
        "instead of failing.",
        default=True,
    ),
    _text("user_agent", "User agent", "How the tap introduces itself to the server.", default="tap-syspro"),
)

_DIALECT: Final = (
    _choice(
        "pagination",
        "Paging",
        "`auto` continues behind the last key (`keyset`), follows continuation links where the service "
        "gives stable ones, and counts rows (`skip`) only where it must. The others force one way.",
        ["auto", "keyset", "next_link", "skip"],
    ),
    _choice(
        "use_count",
        "Count",
        "`auto` asks for the number of rows with the first page and does without where that is refused; "
        "`never` does not ask, which costs one call more per stream.",
        ["auto", "never"],
    ),
    _whole(
        "max_query_length",
        "Longest query",
        "Longest query string, encoded. IIS refuses more than 2048 characters, and does so with 404.",
        500,
        1800,
    ),
    _switch(
        "rewrite_next_link",
        "Rewrite links",
        "Send continuation links that name another host to `base_url` instead. If false they are refused.",
        default=True,
    ),
    _choice(
        "date_literal",
        "Date literals",
        "How days are written in filters. `auto` goes by `$metadata`.",
        ["auto", "datetimeoffset", "date"],
    ),
    _text(
        "source_utc_offset",
        "Offset of the server",
        "Offset that the OData server's time zone setting has, for filters only, for example `+02:00`. "
        "Dates themselves are never shifted.",
        default="Z",
    ),
    _switch(
        "ieee754_compatible",
        "Decimals as text",
        "Ask OData for decimals as text (`IEEE754Compatible`). Both forms are read exactly.",
        default=False,
    ),
    _choice(
        "strip_strings",
        "Blanks at the end",
        "`right` removes blanks at the end of texts; `none` leaves them. Blanks and zeros at the "
        "beginning always stay.",
        ["right", "none"],
    ),
    _switch(
        "blank_as_null",
        "Blanks as null",
        "Emit blank texts as null. Keys stay as they are.",
        default=True,
    ),
)

_CONTENT: Final = (
    _choice(
        "change_detection",
        "Change detection",
        "`date` reads by the dates and states of documents. `rowversion` reads tables whole and emits "
        "only rows whose TimeStamp has grown, which also finds changes that no date tells (OData only).",
        ["date", "rowversion"],
    ),
    _whole(
        "rowversion_safety",
        "Safety of rowversions",
        "How far below its bookmark a row version is emitted again, for transactions that were still open.",
        0,
        10_000,
    ),
    _switch(
        "track_deletions",
        "Deletions",
        "Tell of orders that were open at the last run and are gone now, with records that hold the key and "
        "`_sdc_deleted_at`.",
        default=True,
    ),
    _switch(
        "snapshot_inventory",
        "Inventory snapshots",
        "Add the day of the run to the rows and the key of `inv_warehouse`, so that one snapshot a day "
        "accumulates.",
        default=False,
    ),
    _whole(
        "gl_history_years",
        "Years of balances",
        "How many fiscal years of `gen_history` are read, counted back from this year; 0 for all.",
        0,
        0,
    ),
    th.Property(
        "gl_segments",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("separator", th.StringType),
                th.Property("index", th.IntegerType),
                th.Property("start", th.IntegerType),
                th.Property("length", th.IntegerType),
                th.Property("entity_set", th.StringType),
                th.Property("code_property", th.StringType),
                th.Property("description_property", th.StringType),
            )
        ),
        title="Segments of GL codes",
        description="Cuts GL codes into columns `segment_<name>` wherever there is a GlCode, and into the stream "
        '`cost_centers`: `[{"name": "cost_center", "separator": "-", "index": 1}]`, or by `start` and `length`. '
        "`entity_set`, `code_property` and `description_property` name a table with descriptions.",
        default=[],
    ),
    _switch(
        "include_all_entities",
        "All entity sets",
        "Offer every entity set of the OData service as a stream, views and custom-form tables included; "
        "the ones outside the catalogue are not selected by default.",
        default=False,
    ),
    th.Property(
        "streams",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("entity_set", th.StringType),
                th.Property("key_properties", th.ArrayType(th.StringType)),
                th.Property("replication_key", th.StringType),
                th.Property(
                    "replication_method",
                    th.StringType,
                    allowed_values=["FULL_TABLE", "INCREMENTAL", "ROWVERSION"],
                ),
                th.Property("filter", th.StringType),
                th.Property("lookback_days", th.IntegerType),
                th.Property("page_size", th.IntegerType),
                th.Property("select", th.ArrayType(th.StringType)),
                th.Property("columns", th.ObjectType(additional_properties=th.StringType)),
            )
        ),
        title="Streams",
        description="Stream -> what is different on your site, with the service's own names: "
        "`entity_set`, `key_properties`, `replication_key`, `replication_method` (FULL_TABLE, "
        "INCREMENTAL, ROWVERSION), `filter` (added to every query), `lookback_days`, "
        "`page_size`, `select` (only these columns), `columns` (name -> string, integer, "
        "decimal, date, datetime, boolean). A name that the catalogue does not know makes a "
        "new stream.",
        default={},
    ),
    _switch(
        "emit_activate_version_messages",
        "Activate versions",
        "Precede masters and balances, which are read whole, with ACTIVATE_VERSION, so that targets which "
        "support it drop rows that are gone. Ledgers, documents and history are never dropped: the ERP "
        "purges them.",
        default=False,
    ),
)

SETTINGS: Final = th.PropertiesList(*_SITE, *_SIGN_IN, *_RUN, *_DIALECT, *_CONTENT).to_dict()
"""JSON schema of the configuration."""


def day_of(text: str | None) -> dt.date | None:
    """The day of a setting that has passed the checks."""
    return dt.datetime.fromisoformat(text).date() if text else None

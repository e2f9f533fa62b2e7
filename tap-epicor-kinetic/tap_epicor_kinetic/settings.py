"""The settings of the tap, written for those who fill them in."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th


def _text(name: str, title: str, description: str, **more: Any) -> th.Property[Any]:  # noqa: ANN401 - passed on
    return th.Property(name, th.StringType, title=title, description=description, **more)


def _whole(
    name: str, title: str, description: str, minimum: int, default: int | None = None
) -> th.Property[Any]:
    kind = th.IntegerType(minimum=minimum)
    return th.Property(name, kind, title=title, description=description, default=default)


def _switch(name: str, title: str, description: str, *, default: bool) -> th.Property[Any]:
    return th.Property(name, th.BooleanType, title=title, description=description, default=default)


def _by_stream(name: str, title: str, description: str) -> th.Property[Any]:
    """A text for each of some streams."""
    kind = th.ObjectType(additional_properties=th.StringType)
    return th.Property(name, kind, title=title, description=description, default={})


_TEXTS: Final = th.ArrayType(th.StringType)
_VALUE: Final = th.CustomType({"type": ["string", "number", "boolean", "array"]})

_INSTANCE: Final = (
    _text(
        "base_url",
        "Instance address",
        "Address of the application server up to and including the instance, for example "
        "`https://centralusdtapp01.epicorsaas.com/SaaS999` or `https://erp.example.com/KineticLive`; "
        "without `/api`.",
        required=True,
    ),
    th.Property(
        "companies",
        _TEXTS,
        required=True,
        title="Companies",
        description='Ids of the companies to read, for example `["EPIC06"]`. Every row bears its company, '
        "and every key begins with it.",
    ),
    _text(
        "api_key",
        "API key",
        "From API Key Maintenance; it goes with every call. A server that does not enforce keys works "
        "without.",
        secret=True,
    ),
    _text(
        "license_type",
        "Licence",
        "Licence that calls claim: `none` leaves it to the server, `default`, `web_service` or "
        "`web_service_shared` (which makes every call 20 seconds slower) ask for one.",
        allowed_values=["none", "default", "web_service", "web_service_shared"],
        default="none",
    ),
    _text(
        "ca_bundle",
        "Certificates",
        "File with the certificates of your own authority, in PEM, where the server's is not a public "
        "one. Certificates are always checked.",
    ),
)

_SIGN_IN: Final = (
    _text(
        "auth_method",
        "Sign-in",
        "`basic` (user name and password with every call), `token_resource` (a token of the application "
        "server for user name and password), `idp` (Epicor's identity provider) or `azure_ad` (Microsoft "
        "Entra). All of them work in the cloud and on your own server, if they are switched on there.",
        allowed_values=["basic", "token_resource", "idp", "azure_ad"],
        default="basic",
    ),
    _text(
        "username",
        "User name",
        "Integration user, for `basic` and `token_resource`, and for `idp` without a secret.",
    ),
    _text("password", "Password", "Password of the integration user.", secret=True),
    _text("client_id", "Client ID", "Application that is registered for the tap, for `idp` and `azure_ad`."),
    _text("client_secret", "Client secret", "Secret of that application.", secret=True),
    _text(
        "token_url",
        "Token address",
        "Where tokens are had, for `idp` (default `https://login.epicor.com/connect/token`) and `azure_ad` "
        "(`https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`).",
    ),
    _text(
        "scope",
        "Scope",
        "Scope to ask for, for `idp` (default `epicor_erp`) and `azure_ad` "
        "(`api://APPLICATION-ID/.default`).",
    ),
)

_RUN: Final = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Read only documents dated on or after this day (invoice date, order date, journal "
        "date ...; the README tells which streams have one). Masters and lines are read "
        "whole. Streams that replicate by a date are bounded by it at their first run.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Read only documents dated on or before this day, for backfills in parts; streams "
        "that replicate by a date only what was changed until then.",
    ),
    _whole(
        "sysrevid_overlap",
        "Overlap",
        "How many writes before its bookmark a run reads again. SysRevID is given when a row is written, "
        "not when the transaction ends, so a long posting can bring rows with numbers that were passed "
        "already.",
        0,
        5000,
    ),
    _whole(
        "lookback_seconds",
        "Lookback",
        "How far before its bookmark a stream that replicates by a date reads again, in seconds; a day is "
        "always added, because Epicor's dates are days in the server's own zone.",
        0,
        600,
    ),
    _whole(
        "full_refresh_days",
        "Whole reads",
        "How many days after its last whole read a stream is read whole again. Only that shows rows that "
        "were deleted and changes of nothing but custom columns. Streams whose rows are never deleted are "
        "left out. 0 for never.",
        0,
        7,
    ),
    _whole(
        "page_size",
        "Page size",
        "Rows per call. Many servers give 100 at most; where yours gives more, more saves calls.",
        1,
        100,
    ),
    _whole("request_timeout_seconds", "Timeout", "Seconds to wait for an answer.", 1, 300),
    _whole(
        "max_calls_per_run",
        "Call budget",
        "Stop cleanly after this many calls; the next run goes on from there. Without it there is no limit.",
        1,
    ),
    _whole(
        "discovery_max_age_minutes",
        "Age of the schema",
        "How long the discovered schema is used before the instance is asked again, in minutes; 0 asks "
        "every time.",
        0,
        1440,
    ),
    _switch(
        "skip_forbidden_streams",
        "Skip forbidden streams",
        "Leave out streams that the user or the access scope of the key may not see, with a warning, "
        "instead of failing.",
        default=True,
    ),
    _text(
        "cache_path",
        "Cache folder",
        "Folder for the discovered schema. Nothing in it is secret. Default: `.tap-epicor-kinetic` in the "
        "home folder.",
    ),
    _text(
        "user_agent",
        "User agent",
        "How the tap introduces itself to the server.",
        default="tap-epicor-kinetic",
    ),
)

_CONTENT: Final = (
    _by_stream(
        "replication_keys",
        "Replication columns",
        "Stream -> column that tells what is new, where it shall not be SysRevID: a date such as "
        '`ChangeDate`, or a column of your own. Example: `{"ap_invoices": "ChangeDate", "parts": '
        '"ChangedOn"}`. An empty text reads the stream whole in every run.',
    ),
    _by_stream(
        "filters",
        "Filters",
        'Stream -> OData filter on its own columns, for example `{"gl_journal_lines": "BookID eq '
        "'MAIN'\"}`.",
    ),
    _by_stream(
        "sources",
        "Services",
        "Stream -> service and entity set to read it from instead of its own, for example "
        '`{"ap_invoices": "Erp.BO.APInvSearchSvc/APInvSearches"}`.',
    ),
    th.Property(
        "more_columns",
        th.ObjectType(additional_properties=_TEXTS),
        title="More columns",
        description="Stream -> columns to read besides the useful ones, by Epicor's names; `*` stands for "
        'anything. Example: `{"vendors": ["TaxPayerID", "Rating*"]}`.',
        default={},
    ),
    _text(
        "offered_columns",
        "Offered columns",
        "`all` offers every column in the catalog and selects the useful ones; `useful` offers no others, "
        "which suits runners that select everything they see (Meltano's `*.*`). Custom columns (`..._c`) "
        "are always useful.",
        allowed_values=["all", "useful"],
        default="all",
    ),
    _switch(
        "include_payroll",
        "Payroll",
        "Read payroll checks too, which stand in the table of `ap_payments`.",
        default=False,
    ),
    _text(
        "timezone",
        "Zone of bare times",
        "IANA name of the time zone of times that come without one, for example `America/Chicago`. Dates "
        "are never shifted.",
        default="UTC",
    ),
    th.Property(
        "extra_streams",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("service", th.StringType, required=True),
                th.Property("entity_set", th.StringType, required=True),
                th.Property("keys", _TEXTS),
                th.Property("replication_key", th.StringType),
                th.Property("filter", th.StringType),
                th.Property("timestamps", _TEXTS),
                th.Property("page_size", th.IntegerType(minimum=1)),
            )
        ),
        title="Further streams",
        description="Further entity sets, each with `name` (of the stream), `service` and `entity_set` "
        "(for example `Ice.BO.UD01Svc` and `UD01s`), and as needed `keys` (else the service's "
        "own), `replication_key` (else SysRevID; empty for none), `filter`, `timestamps` "
        "(columns that hold times, not days) and `page_size`.",
        default=[],
    ),
    th.Property(
        "baqs",
        th.ArrayType(
            th.ObjectType(
                th.Property("id", th.StringType, required=True),
                th.Property("name", th.StringType),
                th.Property("parameters", th.ObjectType(additional_properties=_VALUE)),
                th.Property("filter", th.StringType),
                th.Property("order_by", _TEXTS),
                th.Property("key_properties", _TEXTS),
                th.Property("replication_key", th.StringType),
                th.Property("replication_parameter", th.StringType),
                th.Property("page_size", th.IntegerType(minimum=1)),
                th.Property("paging", th.StringType(allowed_values=["keyset", "offset", "none"])),
                th.Property("timestamps", _TEXTS),
                th.Property("trim", th.BooleanType),
            )
        ),
        title="BAQs",
        description="Business activity queries, each with its `id`, and as needed `name` (of the stream), "
        "`key_properties`, `replication_key` (a column; its SysRevID is best), "
        "`replication_parameter` (a parameter that takes the bookmark), `parameters`, "
        "`filter`, `order_by`, `paging` (`keyset`, `offset`, `none`), `page_size`, "
        "`timestamps`, `trim`.",
        default=[],
    ),
    th.Property(
        "deletion_log",
        th.ObjectType(
            *(
                th.Property(name, th.StringType, required=True)
                for name in ("baq", "table", "row_id", "revision", "deleted_at")
            )
        ),
        title="Log of deletions",
        description="BAQ over a user table in which a directive of yours notes deleted rows: its id (`baq`) and "
        "its columns with the `table`, the SysRowID (`row_id`), the time (`deleted_at`) and the entry's own SysRevID "
        "(`revision`). Deletions are then told at once, by records without keys, with `sys_row_id` and "
        "`_sdc_deleted_at`.",
    ),
    _switch(
        "emit_activate_version_messages",
        "Activate versions",
        "Precede whole reads with ACTIVATE_VERSION, so that targets which support it drop rows that are "
        "gone.",
        default=False,
    ),
)

SETTINGS: Final = th.PropertiesList(*_INSTANCE, *_SIGN_IN, *_RUN, *_CONTENT).to_dict()
"""JSON schema of the configuration."""

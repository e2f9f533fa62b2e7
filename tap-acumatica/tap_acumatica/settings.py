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


def _texts(name: str, title: str, description: str) -> th.Property[Any]:
    return th.Property(name, th.ArrayType(th.StringType), title=title, description=description, default=[])


_VALUE: Final = th.CustomType({"type": ["string", "number", "boolean"]})


def _entries(*more: th.Property[Any]) -> th.ArrayType[Any]:
    """Streams that are configured one by one."""
    return th.ArrayType(
        th.ObjectType(
            th.Property("name", th.StringType, required=True),
            th.Property("stream", th.StringType),
            th.Property("keys", th.ArrayType(th.StringType)),
            th.Property("replication_key", th.StringType),
            th.Property("order", th.ArrayType(th.StringType)),
            *more,
        )
    )


_INSTANCE: Final = (
    _text(
        "base_url",
        "Instance URL",
        "Address of the instance up to and including the instance name, for example "
        "`https://books.example.com/ERP` or, for a site in the web root, `https://example.acumatica.com`.",
        required=True,
    ),
    _text(
        "tenant",
        "Tenant",
        "Login name of the tenant (company). Not needed with OAuth, where it is the part of `client_id` behind the "
        "@. Every row bears it, and every key begins with it.",
    ),
    _text("branch", "Branch", "Branch to sign in to (cookie sessions only). Does not limit what is read."),
    _text(
        "endpoint_name",
        "Endpoint",
        "Web service endpoint; name your own if you extended it.",
        default="Default",
    ),
    _text(
        "endpoint_version",
        "Endpoint version",
        "Version of the endpoint. It is checked at the start of every run; the message names those on offer.",
        default="24.200.001",
    ),
    _text(
        "odata_style",
        "OData address",
        "`new` for 2024 R2 and later (`/t/Tenant/api/odata/dac`), `legacy` for older builds (`/odatav4/Tenant`).",
        allowed_values=["new", "legacy"],
        default="new",
    ),
)

_SIGN_IN: Final = (
    _text(
        "auth_method",
        "Sign-in",
        "`oauth_password` (a user's password through a connected application, for unattended runs), "
        "`oauth_refresh` (a refresh token that a person has obtained) or `session` (cookie login without OAuth).",
        allowed_values=["oauth_password", "oauth_refresh", "session"],
        default="oauth_password",
    ),
    _text("client_id", "Client ID", "From the Connected Applications screen (SM303010); ends in @Tenant."),
    _text("client_secret", "Client secret", "Shared secret of the connected application.", secret=True),
    _text("username", "User name", "API user, for `oauth_password` and `session`."),
    _text("password", "Password", "Password of the API user.", secret=True),
    _text(
        "refresh_token",
        "Refresh token",
        "First refresh token, for `oauth_refresh`. It works once; its successors are kept in `token_store_path`. "
        "Put in a new one to start anew.",
        secret=True,
    ),
    _text(
        "token_store_path",
        "Private folder",
        "Folder for refresh tokens, the handle of the open session and the discovered schema; files in it are "
        "readable by their owner only, and the secrets among them are encrypted. It must outlive the run. "
        "Default: `.tap-acumatica` in the home folder.",
    ),
    _text(
        "token_store_url",
        "Token database",
        "PostgreSQL that holds what `token_store_path` would, for runs on several machines: "
        "`postgresql://user:password@host/database`. Only one of them at a time trades a token. Secrets are encrypted "
        "before they get there, so `TAP_ACUMATICA_TOKEN_KEY` or `token_key_file` must be set. Needs "
        "`tap-acumatica[postgresql]`.",
        secret=True,
    ),
    _text(
        "token_key_file",
        "Key file",
        "File with the key that encrypts what lies in `token_store_path`: 32 random bytes in base64. Several keys "
        "may stand in it, one per line: the first encrypts, all decrypt. The environment variable "
        "`TAP_ACUMATICA_TOKEN_KEY` takes its place. Without either, a key is made in `token_store_path` itself, "
        "which protects copies of the other files only.",
    ),
    _text(
        "locale",
        "Locale",
        "Language of drop-down labels such as Type and Status in cookie sessions. With OAuth the language of the "
        "API user decides: set it to English and leave it, because Type is part of keys.",
        default="en-US",
    ),
    _whole(
        "max_seat_wait_seconds",
        "Wait for a session",
        "How long to wait, in seconds, when all API sessions of the licence are taken.",
        0,
        300,
    ),
)

_RUN: Final = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Read only documents that were modified at or after this time. Without it everything is read. "
        "Masters (accounts, vendors, customers, items, ...) are read whole the first time all the same, so that "
        "references resolve.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Read only what was last modified at or before this time, for backfills in parts.",
    ),
    _whole(
        "lookback_seconds",
        "Lookback",
        "How far before its bookmark a run reads again, in seconds, for records that became visible late.",
        0,
        600,
    ),
    _whole(
        "safety_seconds",
        "Safety margin",
        "How far before the server's present time a run stops, in seconds, for transactions that are still open.",
        0,
        60,
    ),
    _whole(
        "window_days",
        "Slice",
        "Length in days of the first slice of modification time that is read and bookmarked as a whole. Later "
        "slices grow where little was modified and shrink where much was.",
        1,
        30,
    ),
    _whole(
        "page_size",
        "Page size",
        "Records per call; documents with lines are read a fifth as many at a time.",
        2,
        1000,
    ),
    _whole(
        "request_timeout_seconds",
        "Timeout",
        "Seconds to wait for an answer; the server queues calls.",
        1,
        600,
    ),
    _whole(
        "max_calls_per_run",
        "Call budget",
        "Stop cleanly after this many calls; the next run goes on from there. Without it there is no limit.",
        1,
    ),
    _whole(
        "discovery_max_age_minutes",
        "Age of the schema",
        "How long the discovered schema is used before the instance is asked again, in minutes; 0 asks every time.",
        0,
        1440,
    ),
    _switch(
        "skip_forbidden_streams",
        "Skip forbidden streams",
        "Leave out streams that the API user may not see, with a warning, instead of failing.",
        default=True,
    ),
    _text(
        "user_agent", "User agent", "How the tap introduces itself to the server.", default="tap-acumatica"
    ),
)

_CONTENT: Final = (
    _switch("include_archived", "Archived records", "Read archived documents too.", default=True),
    _switch(
        "track_deletions",
        "Deletions",
        "Tell of deleted documents with records whose keys are null and whose `note_id` and `_sdc_deleted_at` are "
        "set. Switch it off for targets that cannot take a record without keys.",
        default=True,
    ),
    _text(
        "base_currency_amounts",
        "Base-currency amounts",
        "`dac` adds amounts in base currency by OData; `none` leaves those columns empty and saves the calls.",
        allowed_values=["dac", "none"],
        default="dac",
    ),
    _text(
        "naive_timezone",
        "Zone of bare times",
        "IANA name of the time zone of times that come without one, for example `Europe/Berlin`.",
        default="UTC",
    ),
    _text(
        "gl_balances_source",
        "Source of balances",
        "`dac` reads GLHistory by OData, incrementally. `inquiry` asks the Account Summary screen once per ledger, "
        "branch and period in every run, and knows no subaccounts.",
        allowed_values=["dac", "inquiry"],
        default="dac",
    ),
    _switch(
        "gl_balances_dense",
        "Balances of quiet periods",
        "Give every period that has begun a balance, also when nothing was posted in it; otherwise only periods with "
        "activity have rows. (The inquiry gives what its screen shows.)",
        default=True,
    ),
    _text("gl_balance_start_period", "First period", "First financial period of balances, as YYYYMM."),
    _texts("gl_ledgers", "Ledgers", "Ledgers of balances, for example `ACTUAL`; empty for all."),
    _texts("gl_branches", "Branches", "Branches of balances; empty for all."),
    th.Property(
        "subaccount_segments",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("length", th.IntegerType, required=True),
            )
        ),
        title="Segments of subaccounts",
        description="Cuts subaccount codes into columns `segment_<name>` of `cost_centers`, from left to right, "
        'for example `[{"name": "department", "length": 3}]`. Separators in the code are not counted.',
        default=[],
    ),
    th.Property(
        "custom_fields",
        th.ObjectType(additional_properties=th.ArrayType(th.StringType)),
        title="Custom fields",
        description="Stream -> user-defined fields and attributes to read as columns `custom_<view>_<field>`, each as "
        '`View.Field`; `*` stands for anything. Example: `{"bills": ["Document.UsrApprover"], "bill_lines": '
        '["Transactions.Usr*"]}`. The instance tells which exist, and their types.',
        default={},
    ),
    th.Property(
        "generic_inquiries",
        _entries(th.Property("parameters", th.ObjectType(additional_properties=_VALUE))),
        title="Generic inquiries",
        description="Generic inquiries to read by OData, each with its `name` (title), and as needed: `stream` (name "
        "of the stream), `keys` (columns that tell rows apart), `replication_key` (column with the time of the last "
        "change; else it is read whole), `order`, and `parameters`. Columns are named as OData names them.",
        default=[],
    ),
    th.Property(
        "dacs",
        _entries(),
        title="Tables",
        description="Tables (data access classes) to read by OData, each with its `name` (`ARAdjust` or "
        "`PX_Objects_AR_ARAdjust`), and as needed `stream`, `keys`, `replication_key` and `order`, as above.",
        default=[],
    ),
    _switch(
        "emit_activate_version_messages",
        "Activate versions",
        "Precede streams that are read as a whole (`cost_centers`) with ACTIVATE_VERSION, so that targets which "
        "support it drop records that are gone.",
        default=False,
    ),
)

SETTINGS: Final = th.PropertiesList(*_INSTANCE, *_SIGN_IN, *_RUN, *_CONTENT).to_dict()
"""JSON schema of the configuration."""

"""The settings of the tap, written for those who fill them in."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th


def _text(name: str, title: str, description: str, **more: Any) -> th.Property[Any]:  # noqa: ANN401 - passed on
    return th.Property(name, th.StringType, title=title, description=description, **more)


def _whole(  # noqa: PLR0913, PLR0917 - passed on
    name: str,
    title: str,
    description: str,
    minimum: int,
    default: int | None = None,
    maximum: int | None = None,
) -> th.Property[Any]:
    kind = th.IntegerType(minimum=minimum, maximum=maximum)
    return th.Property(name, kind, title=title, description=description, default=default)


def _switch(name: str, title: str, description: str, *, default: bool) -> th.Property[Any]:
    return th.Property(name, th.BooleanType, title=title, description=description, default=default)


def _texts(
    name: str, title: str, description: str, default: tuple[str, ...] | list[str] = ()
) -> th.Property[Any]:
    return th.Property(
        name, th.ArrayType(th.StringType), title=title, description=description, default=list(default)
    )


_SIGN_IN: Final = (
    _text(
        "company_id",
        "Company",
        "Company to read, as on the sign-in page. Every row bears it, and every key begins with it.",
        required=True,
    ),
    _text(
        "user_id",
        "User",
        "Web Services user of the company, with read permission for what is to be read.",
        required=True,
    ),
    _text("user_password", "Password of the user", "Password of that user.", required=True, secret=True),
    _text(
        "sender_id",
        "Sender",
        "Web Services sender ID of your developer licence. Case matters. The company must authorize it.",
        required=True,
    ),
    _text(
        "sender_password",
        "Password of the sender",
        "Password that belongs to the sender ID.",
        required=True,
        secret=True,
    ),
    _texts(
        "entity_ids",
        "Entities",
        "Read these entities one by one, each signed in to by itself; rows and keys then bear `entity_id`. Empty "
        "reads the whole company at its top level, private entities included. Needed for balances of companies with "
        "several base currencies. Changing it needs a full refresh.",
    ),
    _text(
        "api_url",
        "Gateway",
        "Address of the XML gateway for sign-in; the session then names its own.",
        default="https://api.intacct.com/ia/xml/xmlgw.phtml",
    ),
    _switch(
        "allow_any_host",
        "Any host",
        "Send credentials to gateways outside intacct.com too. For tests only.",
        default=False,
    ),
    _whole(
        "session_max_age_seconds",
        "Age of a session",
        "Get a new session after so many seconds, even if the gateway says that the present one lasts longer.",
        60,
        3000,
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
        description="Read only what was last modified before this time, for backfills in parts.",
    ),
    _whole(
        "lookback_seconds",
        "Lookback",
        "How far before its bookmark a run reads again, in seconds: records may become visible late.",
        0,
        7200,
    ),
    _whole(
        "deletions_lookback_seconds",
        "Lookback of deletions",
        "The same for the audit trail, which tells of deletions later still.",
        0,
        10800,
    ),
    _whole(
        "full_refresh_days",
        "Full refresh",
        "Read a stream whole again when that was last done so many days ago, for changes that do not touch "
        "WHENMODIFIED; never begun during the weekly maintenance. 0 never does.",
        0,
        0,
    ),
    _whole(
        "window_days",
        "Slice",
        "Longest span of modification time that is asked for at once, in days; 0 sets no limit. Spans are halved by "
        "themselves where the server cannot deliver them.",
        0,
        0,
    ),
    _whole(
        "page_size",
        "Page size",
        "Rows per call; the gateway allows 2000, and every call is metered.",
        1,
        2000,
        2000,
    ),
    _whole(
        "request_timeout_seconds",
        "Timeout",
        "Seconds to wait for an answer; the gateway itself gives up after 15 minutes.",
        1,
        300,
    ),
    _whole(
        "max_concurrent_requests",
        "Requests at a time",
        "How many requests may be under way at once. The gateway makes a third one wait unless the tier allows more.",
        1,
        1,
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
        "How long the discovered schema is used before the company is asked again, in minutes; 0 asks every time.",
        0,
        1440,
    ),
    _text(
        "cache_path",
        "Private folder",
        "Folder for the discovered schema; no secrets are kept. Default: `.tap-sage-intacct` in the home folder.",
    ),
    _switch(
        "skip_forbidden_streams",
        "Skip forbidden streams",
        "Leave out streams that the user may not read, with a warning, instead of failing.",
        default=True,
    ),
    _text(
        "user_agent",
        "User agent",
        "How the tap introduces itself to the gateway.",
        default="tap-sage-intacct",
    ),
)

_CONTENT: Final = (
    _text(
        "timestamp_timezone",
        "Zone of times",
        "Zone in which the gateway writes times: `auto` asks for the user's preference once per run, else `UTC` or an "
        "IANA name such as `America/Los_Angeles`.",
        default="auto",
    ),
    _switch(
        "show_private",
        "Private entities",
        "Read records of private entities too when signed in at the top level.",
        default=True,
    ),
    _switch(
        "track_deletions",
        "Deletions",
        "Read deletions from the audit trail and tell of them with records of key and `_sdc_deleted_at` only.",
        default=True,
    ),
    _text(
        "gl_detail_mode",
        "Reading of GL detail",
        "`by_batch` reads the detail of every journal entry that has changed, so that lines which are gone are "
        "noticed. `by_modified` reads the detail by its own modification time.",
        allowed_values=["by_batch", "by_modified"],
        default="by_batch",
    ),
    _texts(
        "book_ids",
        "Books",
        "Books of `gl_details` and `account_balances`. Other books repeat the same postings, so sums over several "
        "books count twice.",
        ("ACCRUAL",),
    ),
    _switch(
        "reread_paid_bills",
        "Paid bills",
        "Read a bill again when a payment of it has changed, for companies where a payment does not touch the "
        "modification time of its bill. Costs one call per run.",
        default=True,
    ),
    th.Property(
        "objects",
        th.ArrayType(
            th.ObjectType(
                th.Property("object", th.StringType, required=True),
                th.Property("stream", th.StringType),
                th.Property("keys", th.ArrayType(th.StringType)),
                th.Property("replication_key", th.StringType),
                th.Property("docparid", th.StringType),
            )
        ),
        title="More objects",
        description="Further objects to read, each with its `object` (integration name), and as needed `stream` (its "
        "name), `keys` (default RECORDNO, or id), `replication_key` (default WHENMODIFIED, or updatedAt) and "
        "`docparid` (transaction definition whose custom fields are wanted).",
        default=[],
    ),
    _switch(
        "emit_activate_version_messages",
        "Activate versions",
        "Precede streams that are read as a whole with ACTIVATE_VERSION, so that targets which support it drop "
        "records that are gone.",
        default=False,
    ),
)

SETTINGS: Final = th.PropertiesList(*_SIGN_IN, *_RUN, *_CONTENT).to_dict()
"""JSON schema of the configuration."""

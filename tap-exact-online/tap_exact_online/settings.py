"""The settings of the tap, written for those who fill them in."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import typing as th

from tap_exact_online.errors import UserError
from tap_exact_online.hosts import REGIONS

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX: Final = "TAP_EXACT_ONLINE_"


def _text(name: str, title: str, description: str, **more: Any) -> th.Property[Any]:  # noqa: ANN401 - passed on
    return th.Property(name, th.StringType, title=title, description=description, **more)


def _whole(name: str, title: str, description: str, minimum: int, **more: int) -> th.Property[Any]:
    kind = th.IntegerType(minimum=minimum, maximum=more.get("maximum"))
    return th.Property(name, kind, title=title, description=description, default=more.get("default"))


def _switch(name: str, title: str, description: str, *, default: bool) -> th.Property[Any]:
    return th.Property(name, th.BooleanType, title=title, description=description, default=default)


_CONSENT: Final = (
    _text(
        "region",
        "Country",
        "Country host: `start.exactonline.<region>`. Applications, users and divisions belong to one host; companies "
        "in several countries need one instance of the tap each.",
        allowed_values=list(REGIONS),
        default="nl",
    ),
    _text(
        "api_url", "Address", "Address of the host, `https://…`, instead of `region`. For tests and proxies."
    ),
    _text("client_id", "Client ID", "Of your application in the App Center.", required=True),
    _text(
        "client_secret",
        "Client secret",
        "Of your application in the App Center.",
        required=True,
        secret=True,
    ),
    _text(
        "redirect_uri",
        "Redirect URI",
        "As registered with the application; needed by `tap-exact-online-login` only.",
    ),
    _text(
        "refresh_token",
        "Refresh token",
        "First refresh token, if it was obtained otherwise than by `tap-exact-online-login`. It works once; its "
        "successors are kept in `token_store_path`. Put in a new one to start anew.",
        secret=True,
    ),
    _text(
        "token_store_path",
        "Private folder",
        "Folder for the token pair, encrypted, and what is remembered between runs (errors of the last hour, names); "
        "files in it are readable by their owner only. It must outlive the run and be shared by all processes that "
        "use this application and user. Default: `.tap-exact-online` in the home folder.",
    ),
    _text(
        "token_store_url",
        "Token database",
        "PostgreSQL that holds what `token_store_path` would, for runs on several machines: "
        "`postgresql://user:password@host/database`. Only one of them at a time trades a token. Secrets are encrypted "
        "before they get there, so `TAP_EXACT_ONLINE_TOKEN_KEY` or `token_key_file` must be set. Needs "
        "`tap-exact-online[postgresql]`.",
        secret=True,
    ),
    _text(
        "token_key_file",
        "Key file",
        "File with the key that encrypts the tokens: 32 random bytes in base64. Several keys may stand in it, one per "
        "line: the first encrypts, all decrypt. The environment variable `TAP_EXACT_ONLINE_TOKEN_KEY` takes its place. "
        "Without either, a key is made in `token_store_path` itself, which protects copies of the other files only.",
    ),
)

_RUN: Final = (
    th.Property(
        "divisions",
        th.ArrayType(th.CustomType({"type": ["integer", "string"]})),
        title="Divisions",
        description="Codes of the divisions (companies) to read, one after another, or `all_active` alone. Without it "
        "the division is read that the user has open, which changes when somebody opens another.",
        default=[],
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Read only what was changed at or after this time. Without it everything is read. Masters "
        "(accounts, GL accounts, items, ...) are read whole the first time all the same, so that references resolve.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Read only what was last changed at or before this time, for backfills in parts. It bounds streams "
        "with the cursor `modified`; row versions know no time.",
    ),
    _whole(
        "lookback_seconds",
        "Lookback",
        "How far before its bookmark a run reads again, in seconds, for changes that became visible late. Exact "
        "Online's clock repeats an hour in October: do not go below 3900.",
        0,
        default=5400,
    ),
    _whole(
        "requests_per_minute",
        "Calls per minute",
        "Most calls to one division in a minute. Exact Online allows 60 per application; take fewer where other "
        "programs use the same application.",
        1,
        default=60,
        maximum=60,
    ),
    _text(
        "on_daily_limit",
        "On the daily limit",
        "When the calls of a division are used up for today: `stop` ends that division cleanly and the next run goes "
        "on from there, `wait` waits for the day after.",
        allowed_values=["stop", "wait"],
        default="stop",
    ),
    _whole(
        "max_calls_per_run",
        "Call budget",
        "Stop cleanly after this many calls; the next run goes on from there. Without it there is no limit.",
        1,
    ),
    th.Property(
        "stream_intervals",
        th.ObjectType(additional_properties=th.IntegerType(minimum=0)),
        title="Minutes between reads",
        description="Stream, or a pattern like `aging_*`, to the minutes that must pass before it is read again, "
        'to plan the daily quota: `{"*_list": 60, "reporting_balance": 1440}`. The first pattern that fits counts.',
        default={},
    ),
    _whole(
        "request_timeout_seconds",
        "Timeout",
        "Seconds to wait for an answer; some pages take minutes.",
        1,
        default=300,
    ),
    _switch(
        "skip_forbidden_streams",
        "Skip forbidden streams",
        "Leave out streams that the user, the application or the licence may not read, with a warning, instead of "
        "failing.",
        default=True,
    ),
    _whole(
        "discovery_max_age_minutes",
        "Age of what was learned",
        "How long it is remembered that the vendor has withdrawn a property, in minutes; asking again costs an error "
        "of the ten that are allowed per hour.",
        0,
        default=1440,
    ),
    _text(
        "user_agent",
        "User agent",
        "How the tap introduces itself to the server.",
        default="tap-exact-online",
    ),
)

_CONTENT: Final = (
    _switch(
        "enrich",
        "Names",
        "Put names beside codes and guids that the API leaves alone (`supplier_name`, `gl_account_code` ...), joined "
        "from tables of names that are kept between runs. Costs at most one call per dimension and run.",
        default=True,
    ),
    _switch(
        "emit_deletes",
        "Deletions",
        "Tell of deleted rows with records that hold the key and `_sdc_deleted_at`.",
        default=True,
    ),
    _whole(
        "reporting_years",
        "Years of balances",
        "How many years of `reporting_balance` are read, the present one included.",
        1,
        default=2,
    ),
    _text(
        "server_timezone",
        "Zone of the servers",
        "IANA name of the time zone of Exact Online's clock. A warning tells when the server says otherwise.",
        default="Europe/Amsterdam",
    ),
    _text(
        "description_language",
        "Language",
        "Language of some descriptions, for example `EN`; else that of the user.",
    ),
    _switch(
        "trim_strings", "Trim texts", "Cut blanks around texts off; codes come padded to 18.", default=True
    ),
    _switch("null_empty_guid", "Empty guids", "Take the guid of zeros for none.", default=True),
    _switch(
        "emit_activate_version_messages",
        "Activate versions",
        "Precede streams that are read whole with ACTIVATE_VERSION, so that targets which support it drop rows that "
        "are gone.",
        default=False,
    ),
)

_WEBHOOKS: Final = (
    _text(
        "webhook_secret",
        "Webhook secret",
        "Of your application in the App Center; signs events.",
        secret=True,
    ),
    _text(
        "webhook_callback_url",
        "Callback address",
        "Public https address under which the receiver is reached, on the domain of the redirect URI.",
    ),
    th.Property(
        "webhook_topics",
        th.ArrayType(th.StringType),
        title="Topics",
        description="Topics to subscribe to.",
        default=[
            "FinancialTransactions",
            "SalesInvoices",
            "PurchaseOrders",
            "Accounts",
            "Items",
            "GLAccounts",
        ],
    ),
    th.Property(
        "webhook_command",
        th.ArrayType(th.StringType),
        title="Command",
        description="What the receiver runs for events, word by word, for instance `[meltano, run, tap-exact-online, "
        "target-tableau]`. It finds the streams that were touched in EXACT_ONLINE_STREAMS and the divisions in "
        "EXACT_ONLINE_DIVISIONS, with commas between them.",
        default=["meltano", "run", "tap-exact-online", "target-tableau"],
    ),
    _whole(
        "webhook_quiet_seconds",
        "Quiet time",
        "How long no event must come before the command runs, in seconds; a storm puts it off ten times as long at "
        "most.",
        1,
        default=120,
    ),
)

SETTINGS: Final = th.PropertiesList(*_CONSENT, *_RUN, *_CONTENT, *_WEBHOOKS).to_dict()
"""JSON schema of the configuration."""


def with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Settings with the defaults filled in."""
    defaults = {
        name: schema["default"]
        for name, schema in SETTINGS["properties"].items()
        if schema.get("default") is not None
    }
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def settings_for_commands(file: Path | None) -> dict[str, Any]:
    """What a command of the package is told: a JSON file, or else TAP_EXACT_ONLINE_… in the environment.

    Raises:
        UserError: The file cannot be read, or a setting is missing or malformed.
    """
    given = _from_environment() if file is None else _from_file(file)
    settings = with_defaults(given)
    if missing := [name for name in SETTINGS["required"] if not settings.get(name)]:
        raise UserError(
            f"{', '.join(missing)}: not set; give --config FILE, or {_PREFIX}… in the environment"
        )
    return settings


def _from_file(file: Path) -> dict[str, Any]:
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--config: cannot read {file} ({error.strerror})") from None
    except ValueError:
        raise UserError(f"--config: {file} is no JSON") from None
    if not isinstance(given, dict):
        raise UserError(f"--config: {file} holds no settings")
    return given


def _from_environment() -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, schema in SETTINGS["properties"].items():
        text = os.environ.get(_PREFIX + name.upper())
        if not text:
            continue
        try:
            is_text = "string" in schema["type"]
            given[name] = (
                text if is_text else json.loads(text.lower() if "boolean" in schema["type"] else text)
            )
        except ValueError:
            raise UserError(f"{_PREFIX}{name.upper()}: malformed") from None
    return given

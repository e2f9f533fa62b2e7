"""The companies file: which companies there are, how their ERPs are reached, and when they are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestrate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Month = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Settings = dict[str, Any]
T = TypeVar("T", bound="_Part")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the file, in which nothing unknown may stand."""


class Credential(_Part, frozen=True):
    """A user or application of an ERP, by whose limits the runs of its companies abide.

    Attributes:
        extractor: Name of the extractor in meltano.yml.
        settings: Settings of the extractor that are alike for all its companies.
        max_concurrent_runs: How many runs may use it at once: size of its pool.
    """

    extractor: str
    settings: Settings = {}
    max_concurrent_runs: Positive = 1


class Token(_Part, frozen=True):
    """A way to sign in to Tableau. Only one session at a time lives by a personal access token, so one run uses it.

    Attributes:
        settings: Settings of the loader, as a rule `token_name` and `token_value`.
    """

    settings: Settings


class Habits(_Part, frozen=True):
    """How a company is read; what a company leaves out is taken from `defaults`.

    Attributes:
        schedule: Cron expression; empty for none.
        time_zone: Zone in which the schedule is meant.
        freshness_minutes: How old rows may be before that is an incident; 0 promises nothing.
        retries: How often a failed run is tried again.
        retry_delay_seconds: How long to wait before the first retry; each further wait is twice as long.
        timeout_minutes: When a run is ended that does not end by itself.
        lock_wait_minutes: How long a run waits for another of the same state, source or token.
        watch_seconds: How often to ask whether anything has changed, where the extractor can tell; 0 never.
        tokens: Tokens of which a run takes one that is free.
        loader_settings: Further settings of the loader.
        backfill_streams: Streams, with wildcards, that a backfill reads month by month.
    """

    schedule: str | None = None
    time_zone: str | None = None
    freshness_minutes: Count | None = None
    retries: Count | None = None
    retry_delay_seconds: Positive | None = None
    timeout_minutes: Positive | None = None
    lock_wait_minutes: Positive | None = None
    watch_seconds: Count | None = None
    tokens: list[str] | None = None
    loader_settings: Settings | None = None
    backfill_streams: list[str] | None = None


class Company(Habits, frozen=True, kw_only=True):
    """A company of an ERP: one Meltano state, one run at a time.

    Attributes:
        credential: Name of its credential.
        settings: Settings of the extractor that make it this company.
        streams: Which of the selected streams are read, with wildcards.
        source: Name under which the loader keeps it; companies of one ERP that name the same share data sources.
        backfill_from: First month of the backfill (`2024-01`); without one there is no backfill.
    """

    credential: str
    settings: Settings = {}
    streams: tuple[str, ...] = ("*",)
    source: str | None = None
    backfill_from: Month | None = None


class CompaniesFile(msgspec.Struct, frozen=True):
    """The whole file.

    Attributes:
        environment: Meltano environment.
        database_url: PostgreSQL that all workers share; None keeps everything in SQLite on one machine.
        dagster_url: PostgreSQL of Dagster itself, in a database of its own: some of its tables are called like
            Meltano's.
        backfill_dir: Folder that all workers see, for what backfills have read; None for one beside the rest.
        alert_urls: Where to tell of incidents, as Apprise writes addresses, with blanks between them.
        heartbeat_url: What to call after each look, so that somebody notices when nobody looks any more.
        credentials: By name.
        tokens: By name.
        companies: By name.
    """

    environment: str
    database_url: str | None
    dagster_url: str | None
    backfill_dir: str | None
    alert_urls: str | None
    heartbeat_url: str | None
    credentials: dict[str, Credential]
    tokens: dict[str, Token]
    companies: dict[str, Company]


_BUILT_IN = Habits(
    schedule="",
    time_zone="UTC",
    freshness_minutes=0,
    retries=3,
    retry_delay_seconds=60,
    timeout_minutes=720,
    lock_wait_minutes=60,
    watch_seconds=0,
    tokens=[],
    loader_settings={},
    backfill_streams=["*"],
)
_TEXTS = ("environment", "database_url", "dagster_url", "backfill_dir", "alert_urls", "heartbeat_url")
_PARTS = {*_TEXTS, "credentials", "tokens", "defaults", "companies"}


def read_companies(path: Path) -> CompaniesFile:
    """Read and check the file.

    Raises:
        ConfigError: It is not there, is no YAML, or something in it is wrong; one line that names the place.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The companies file {path} cannot be read: {error.strerror or error}.") from error
    except YAMLError as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"The companies file {path} is not valid YAML: {told}") from error
    try:
        return _checked(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _checked(content: object) -> CompaniesFile:
    if not isinstance(content, dict):
        raise ConfigError("the file must hold the keys credentials and companies.")
    if unknown := sorted(str(key) for key in content.keys() - _PARTS):
        raise ConfigError(f"there is no key {', '.join(unknown)}; known are {', '.join(sorted(_PARTS))}.")
    credentials = _named(content, "credentials", Credential)
    tokens = _named(content, "tokens", Token)
    defaults = _convert(content.get("defaults") or {}, Habits, "defaults")
    companies = {
        name: _with_defaults(company, defaults)
        for name, company in _named(content, "companies", Company).items()
    }
    if not companies:
        raise ConfigError("there is no company under companies.")
    for name, company in companies.items():
        _check_references(name, company, credentials, tokens)
    return CompaniesFile(
        environment=_text(content, "environment") or "prod",
        database_url=_text(content, "database_url"),
        dagster_url=_text(content, "dagster_url"),
        backfill_dir=_text(content, "backfill_dir"),
        alert_urls=_text(content, "alert_urls"),
        heartbeat_url=_text(content, "heartbeat_url"),
        credentials=credentials,
        tokens=tokens,
        companies=companies,
    )


def _text(content: Mapping[str, object], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{key} must be text.")
    return value or None


def _named(content: Mapping[str, object], key: str, kind: type[T]) -> dict[str, T]:
    found = content.get(key) or {}
    if not isinstance(found, dict):
        raise ConfigError(f"{key} must hold one entry per name.")
    for name in found:
        if not isinstance(name, str) or not _NAME.match(name):
            raise ConfigError(f"{key}: '{name}' is no name; use lower-case letters, digits and underscores.")
    return {name: _convert(part, kind, f"{key}.{name}") for name, part in found.items()}


def _convert(part: object, kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}.") from error


def _with_defaults(company: Company, defaults: Habits) -> Company:
    """The company with everything filled in that it leaves out."""
    changes: dict[str, Any] = {}
    for name in Habits.__struct_fields__:
        own, common = getattr(company, name), getattr(defaults, name)
        base = getattr(_BUILT_IN, name) if common is None else common
        if name == "loader_settings":
            changes[name] = {**base, **(own or {})}
        elif own is None:
            changes[name] = base
    return msgspec.structs.replace(company, **changes)


def _check_references(
    name: str, company: Company, credentials: Mapping[str, Credential], tokens: Mapping[str, Token]
) -> None:
    if company.credential not in credentials:
        known = ", ".join(credentials) or "none"
        raise ConfigError(f"companies.{name}: there is no credential '{company.credential}'; known: {known}.")
    missing = [token for token in company.tokens or () if token not in tokens]
    if missing:
        known = ", ".join(tokens) or "none"
        raise ConfigError(f"companies.{name}: there is no token {', '.join(missing)}; known: {known}.")


def expanded(value: Any, variables: Mapping[str, str], place: str) -> Any:  # noqa: ANN401 - any YAML
    """A value with `${NAME}` in its texts replaced by environment variables.

    Raises:
        ConfigError: One of them is not set.
    """
    if isinstance(value, str):

        def look_up(found: re.Match[str]) -> str:
            if found[1] not in variables:
                raise ConfigError(f"{place}: the environment variable {found[1]} is not set.")
            return variables[found[1]]

        return _VARIABLE.sub(look_up, value)
    if isinstance(value, dict):
        return {key: expanded(item, variables, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [expanded(item, variables, place) for item in value]
    return value

"""The target's settings as typed values; `setting_list` says what users may set."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from target_tableau.address import parse_address
from target_tableau.display import UTC, zone_named
from target_tableau.errors import SettingError
from target_tableau.journal import file_name
from target_tableau.model_rules import Model
from target_tableau.references import Reference
from target_tableau.setting_list import WEBHOOK_EVENTS
from target_tableau.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Within:
    """Whose lines a stream's rows are. `columns` maps a line property to a property of the parent."""

    parent: str
    columns: dict[str, str]


def of_source(rules: Mapping[str, T] | None, source: str) -> dict[str, T]:
    """The rules that hold for a source, by stream; `source/stream` holds for that source only, and comes first.

    Two ERPs may use one name for streams with different columns, and share one loader.
    """
    own: dict[str, T] = {}
    for name, rule in (rules or {}).items():
        owner, slash, stream = name.rpartition("/")
        if owner == source and slash:
            own[stream] = rule
        elif not slash:
            own.setdefault(name, rule)
    return own


def _currency(currencies: Mapping[str, str], source: str) -> str:
    """The currency of a source's books; empty where no setting tells it."""
    return currencies.get(source) or currencies.get("*") or ""


def _named(rules: Iterable[Mapping[str, Any]] | None, source: str) -> list[dict[str, Any]]:
    """The rules of a list that hold for a source, under the names that they have there."""
    named: dict[str, dict[str, Any]] = {}
    for rule in rules or ():
        if str(rule["name"]) in named:
            raise SettingError(f"Two rules have the name '{rule['name']}'; give one of them another.")
        named[str(rule["name"])] = dict(rule)
    return [{**rule, "name": name} for name, rule in of_source(named, source).items()]


_WAYS_TO_SIGN_IN = (
    ("token_name", "token_value"),
    (
        "connected_app_client_id",
        "connected_app_secret_id",
        "connected_app_secret_value",
        "connected_app_user",
    ),
    ("username", "password"),
)
_MEMORY = re.compile(r"[1-9]\d*\s*([kmgt]b?|%)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Refreshing:
    """What depends on published data and is refreshed after it: content of Tableau's, by name, path or id.

    Attributes:
        workbooks: Workbooks with an extract of their own.
        datasources: Data sources that extract from somewhere else.
        tasks: Ids of extract refresh tasks.
        dependents: Also every workbook that keeps an extract of what was published.
    """

    workbooks: tuple[str, ...] = ()
    datasources: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    dependents: bool = False

    @classmethod
    def parse(cls, rule: Mapping[str, Any]) -> Refreshing:
        """Read the setting `refresh`."""
        return cls(
            tuple(rule.get("workbooks") or ()),
            tuple(rule.get("datasources") or ()),
            tuple(rule.get("tasks") or ()),
            bool(rule.get("dependents")),
        )


@dataclasses.dataclass(frozen=True)
class DatasourceRule:
    """How the data source of a stream is made: the settings, changed by the rules whose pattern fits.

    Attributes:
        name: Its name.
        project: Its project.
        publish_mode: auto, overwrite or update.
        refresh: What is refreshed when it has changed.
        tags: Tags that it gets beside the loader's own.
        description: Its description when it is made; None for one that tells stream and source.
        freshness_minutes: How old its rows may be before that is an incident; 0 promises nothing.
    """

    name: str
    project: str
    publish_mode: str
    refresh: Refreshing
    tags: tuple[str, ...] = ()
    description: str | None = None
    freshness_minutes: int = 0


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings as typed values; see `setting_list.SCHEMA` for their meaning."""

    output_dir: Path
    source: str
    server_url: str | None
    site: str | None
    project: str | None
    token_name: str | None
    token_value: str | None = dataclasses.field(repr=False)
    connected_app_client_id: str | None
    connected_app_secret_id: str | None
    connected_app_secret_value: str | None = dataclasses.field(repr=False)
    connected_app_user: str | None
    username: str | None
    password: str | None = dataclasses.field(repr=False)
    datasource_name: str
    datasources: tuple[dict[str, Any], ...]
    create_project: bool
    publish_mode: str
    semantic_layer: bool
    base_currency: str
    refresh: Refreshing
    adopt: bool
    dry_run: bool
    job_timeout_seconds: int
    checkpoint_minutes: int
    load_method: str | None
    hard_delete: bool
    max_shrink_percent: int
    trust_end_of_input: bool
    delete_match: dict[str, str]
    replace_within: dict[str, Within]
    references: tuple[Reference, ...]
    models: tuple[Model, ...]
    snapshots: tuple[Snapshot, ...]
    timestamp_zone: str
    columns: dict[str, dict[str, str]]
    on_schema_change: str
    on_bad_record: str
    hyper_version: int
    hyper_memory_limit: str
    summary: bool
    journal_retention_days: int
    journal_only: bool
    ledger_url: str | None = dataclasses.field(repr=False)
    freshness_minutes: int
    expected_sources: tuple[str, ...]
    source_token_days: dict[str, int]
    alert_urls: tuple[str, ...] = dataclasses.field(repr=False)
    heartbeat_url: str | None = dataclasses.field(repr=False)
    webhook_url: str | None
    webhook_token: str | None = dataclasses.field(repr=False)
    webhook_events: tuple[str, ...]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a validated configuration.

        Raises:
            SettingError: Settings contradict each other, or one that is needed is missing.
        """
        source = str(config.get("source") or "")
        zone = zone_named(config.get("timestamp_zone") or UTC, "timestamp_zone")
        settings = cls(
            output_dir=Path(config.get("output_dir") or "output"),
            source=source,
            server_url=config.get("server_url") or None,
            site=config.get("site") or None,
            project=config.get("project") or None,
            token_name=config.get("token_name") or None,
            token_value=config.get("token_value") or None,
            connected_app_client_id=config.get("connected_app_client_id") or None,
            connected_app_secret_id=config.get("connected_app_secret_id") or None,
            connected_app_secret_value=config.get("connected_app_secret_value") or None,
            connected_app_user=config.get("connected_app_user") or None,
            username=config.get("username") or None,
            password=config.get("password") or None,
            datasource_name=config.get("datasource_name") or ("{source} {stream}" if source else "{stream}"),
            datasources=tuple(dict(rule) for rule in config.get("datasources") or ()),
            create_project=bool(config.get("create_project", False)),
            publish_mode=config.get("publish_mode") or "auto",
            semantic_layer=bool(config.get("semantic_layer", True)),
            base_currency=_currency(config.get("base_currencies") or {}, source),
            refresh=Refreshing.parse(config.get("refresh") or {}),
            adopt=bool(config.get("adopt", False)),
            dry_run=bool(config.get("dry_run", False)),
            job_timeout_seconds=int(config.get("job_timeout_seconds", 3600)),
            checkpoint_minutes=int(config.get("checkpoint_minutes", 15)),
            load_method=config.get("load_method") or None,
            hard_delete=bool(config.get("hard_delete", True)),
            max_shrink_percent=int(config.get("max_shrink_percent", 10)),
            trust_end_of_input=bool(config.get("trust_end_of_input", False)),
            delete_match=of_source(config.get("delete_match"), source),
            replace_within={
                stream: Within(rule["parent"], dict(rule["columns"]))
                for stream, rule in of_source(config.get("replace_within"), source).items()
            },
            references=tuple(
                Reference.parse({**rule, "from": name})
                for given in config.get("references") or ()
                for name, rule in of_source({given["from"]: given}, source).items()
            ),
            models=tuple(Model.parse(rule) for rule in _named(config.get("models"), source)),
            snapshots=tuple(Snapshot.parse(rule, zone) for rule in _named(config.get("snapshots"), source)),
            timestamp_zone=zone,
            columns={pattern: dict(names) for pattern, names in (config.get("columns") or {}).items()},
            on_schema_change=config.get("on_schema_change") or "evolve",
            on_bad_record=config.get("on_bad_record") or "fail",
            hyper_version=int(config.get("hyper_version", 2)),
            hyper_memory_limit=str(config.get("hyper_memory_limit") or "1g"),
            summary=bool(config.get("summary", True)),
            journal_retention_days=int(config.get("journal_retention_days", 30)),
            journal_only=bool(config.get("journal_only", False)),
            ledger_url=config.get("ledger_url") or None,
            freshness_minutes=int(config.get("freshness_minutes", 0)),
            expected_sources=tuple(config.get("expected_sources") or ()),
            source_token_days={
                pattern: int(days) for pattern, days in (config.get("source_token_days") or {}).items()
            },
            alert_urls=tuple(str(config.get("alert_urls") or "").split()),
            heartbeat_url=config.get("heartbeat_url") or None,
            webhook_url=config.get("webhook_url") or None,
            webhook_token=config.get("webhook_token") or None,
            webhook_events=tuple(config.get("webhook_events") or WEBHOOK_EVENTS),
        )
        settings._check()
        return settings

    def _check(self) -> None:
        if self.server_url is not None and self.project is None:
            raise SettingError(
                "server_url is set, so project must be set as well. Remove server_url to make extracts without "
                "publishing them."
            )
        if self.server_url is not None:
            parse_address(self.server_url, self.site)
            self.sign_in_names()
        if not _MEMORY.fullmatch(self.hyper_memory_limit):
            raise SettingError(
                f"hyper_memory_limit '{self.hyper_memory_limit}' is not an amount of memory. Write it like 400m or 2g."
            )
        names = [model.name for model in self.models] + [snapshot.name for snapshot in self.snapshots]
        for name in names:
            if names.count(name) > 1:
                raise SettingError(
                    f"A model and a snapshot have the name '{name}'; give one of them another."
                )
        for template in (self.datasource_name, *(rule.get("name") for rule in self.datasources)):
            self._filled(template or "", "stream")

    def sign_in_names(self) -> tuple[str, ...]:
        """The settings by which Tableau is signed in to.

        Raises:
            SettingError: They give no way, half of one, or several.
        """
        begun = [names for names in _WAYS_TO_SIGN_IN if any(getattr(self, name) for name in names)]
        if not begun:
            raise SettingError(
                "server_url is set, so a way to sign in must be set as well: token_name and token_value (a personal "
                "access token), or the four connected_app settings, or username and password."
            )
        if len(begun) > 1:
            together = " and ".join(names[0] for names in begun)
            raise SettingError(f"The settings give several ways to sign in ({together}); leave only one.")
        missing = [name for name in begun[0] if not getattr(self, name)]
        if missing:
            raise SettingError(f"To sign in, {', '.join(missing)} must be set as well.")
        return begun[0]

    @property
    def extract_dir(self) -> Path:
        """Folder of the extracts."""
        return self.output_dir / file_name(self.source) if self.source else self.output_dir

    def column_names_of(self, stream: str) -> dict[str, str]:
        """Property -> column name, where a rule renames it."""
        names: dict[str, str] = {}
        for pattern, rule in self.columns.items():
            if fnmatch.fnmatchcase(stream, pattern):
                names |= rule
        return names

    def datasource_of(self, stream: str) -> DatasourceRule:
        """How the data source of a stream is made; of several rules that fit, the last wins."""
        rule: dict[str, Any] = {}
        for each in self.datasources:
            if fnmatch.fnmatchcase(stream, each["stream"]):
                rule |= {name: value for name, value in each.items() if value is not None}
        return DatasourceRule(
            name=self._filled(rule.get("name") or self.datasource_name, stream),
            project=rule.get("project") or self.project or "",
            publish_mode=rule.get("publish_mode") or self.publish_mode,
            refresh=Refreshing.parse(rule["refresh"]) if "refresh" in rule else self.refresh,
            tags=tuple(rule.get("tags") or ()),
            description=rule.get("description"),
            freshness_minutes=int(rule.get("freshness_minutes", self.freshness_minutes)),
        )

    def _filled(self, template: str, stream: str) -> str:
        """A data source name.

        Raises:
            SettingError: The template uses a name that there is not.
        """
        try:
            return template.format(source=self.source, stream=stream).strip()
        except (KeyError, IndexError, ValueError) as odd:
            raise SettingError(
                f"The data source name '{template}' cannot be filled in: only {{source}} and {{stream}} may stand in "
                "braces."
            ) from odd

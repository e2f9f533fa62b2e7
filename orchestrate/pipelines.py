"""A company as a pipeline: its streams, its state, what it fills in Tableau, and the environment of its runs."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from typing import TYPE_CHECKING, Any

from orchestrate.catalogs import read_catalog
from orchestrate.companies import expanded, read_companies
from orchestrate.errors import ConfigError
from orchestrate.project import read_project
from orchestrate.tables import search_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from orchestrate.catalogs import Stream
    from orchestrate.companies import CompaniesFile, Company, Credential
    from orchestrate.places import Places
    from orchestrate.project import Plugin, Project

_STORE = "token_store_url"
_NO_VERSIONS = "emit_activate_version_messages"


@dataclasses.dataclass(frozen=True)
class Derived:
    """A model or a snapshot that the loader makes of streams of one source.

    Attributes:
        name: Its name without the source.
        streams: What it is made of, as far as it is read.
    """

    name: str
    streams: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """One company.

    Attributes:
        name: The company's name in the file.
        company: What the file says of it.
        credential: Its credential.
        extractor: Its extractor.
        project: The Meltano project.
        streams: What is read, by name.
        source: Its source in the loader.
        shares_source: Whether other companies fill the same source.
    """

    name: str
    company: Company
    credential: Credential
    extractor: Plugin
    project: Project
    streams: tuple[Stream, ...]
    source: str
    shares_source: bool

    @property
    def erp(self) -> str:
        """The ERP, as asset keys spell it."""
        return self.extractor.name.removeprefix("tap-").replace("-", "_")

    @property
    def pool(self) -> str:
        """The pool of its credential."""
        return f"erp_{self.company.credential}"

    @property
    def state_id(self) -> str:
        """Its Meltano state id."""
        return self.state_id_of(self.name)

    def state_id_of(self, suffix: str) -> str:
        """The Meltano state id under a suffix."""
        project = self.project
        return f"{project.environment}:{self.extractor.name}-to-{project.loader.name}:{suffix}"

    @property
    def backfilled(self) -> tuple[Stream, ...]:
        """The streams that a backfill reads month by month."""
        patterns = self.company.backfill_streams or ()
        if self.company.backfill_from is None:
            return ()
        return tuple(stream for stream in self.streams if stream.by_date and _fits(stream.name, patterns))

    @property
    def derived(self) -> list[Derived]:
        """The models and snapshots that are made of its streams."""
        own = {stream.name for stream in self.streams}
        rules = self.project.rules_for(self.extractor.name, self.source)
        found = []
        for rule in (*rules.get("models", ()), *rules.get("snapshots", ())):
            made_of = tuple(name for name in dict.fromkeys(_made_of(rule)) if name in own)
            if _first_of(rule) in own:
                found.append(Derived(rule["name"].rpartition("/")[2], made_of))
        return found

    def loader_config(self, places: Places) -> dict[str, Any]:
        """The loader's settings in the runs of this company, but for the token."""
        return {
            **self.project.rules_for(self.extractor.name, self.source),
            "freshness_minutes": self.company.freshness_minutes,
            **(self.company.loader_settings or {}),
            "source": self.source,
            "output_dir": str(places.output),
            **({"ledger_url": places.database_url} if places.database_url else {}),
        }

    def environment(
        self, places: Places, variables: Mapping[str, str], streams: Iterable[str] = ()
    ) -> dict[str, str]:
        """The environment variables of a run, but for the token.

        Args:
            places: Where things are kept.
            variables: Where `${NAME}` is looked up.
            streams: Read these only.

        Raises:
            ConfigError: A variable is not set.
        """
        place = f"companies.{self.name}"
        extractor = {**self.credential.settings, **self.company.settings}
        if places.database_url and _STORE in self.extractor.settings:
            extractor.setdefault(_STORE, places.database_url)
            self._check_key(extractor, variables, place)
        if self.shares_source:
            extractor[_NO_VERSIONS] = False  # of one company: it would say that the others' rows are gone
        names = sorted(streams) or [stream.name for stream in self.streams] or ["*"]
        return {
            **_variables(self.extractor, expanded(extractor, variables, place)),
            **_variables(self.project.loader, expanded(self.loader_config(places), variables, place)),
            self.extractor.variable("_select_filter"): json.dumps(names),
            "MELTANO_ENVIRONMENT": self.project.environment,
            "MELTANO_DATABASE_URI": places.meltano_database,
            "MELTANO_SYS_DIR_ROOT": str(places.meltano_dir(self.name)),
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            "PATH": search_path(),  # Meltano starts extractor and loader by their names
        }

    def _check_key(self, settings: Mapping[str, Any], variables: Mapping[str, str], place: str) -> None:
        key = self.extractor.variable("token_key")
        if not variables.get(key) and not settings.get("token_key_file"):
            raise ConfigError(
                f"{place}: set the environment variable {key}: tokens are kept in the database of all workers, and the "
                "key must not lie beside them."
            )


def _made_of(rule: Mapping[str, Any]) -> Iterable[str]:
    yield _first_of(rule)
    for join in rule.get("joins") or ():
        yield join["stream"]
        yield from join.get("also") or ()


def _first_of(rule: Mapping[str, Any]) -> str:
    return str(rule.get("fact") or rule["stream"])


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _variables(plugin: Plugin, settings: Mapping[str, Any]) -> dict[str, str]:
    unknown = sorted(settings.keys() - plugin.settings)
    if unknown:
        raise ConfigError(f"{plugin.name} has no setting {', '.join(unknown)}.")
    return {plugin.variable(name): _text(value) for name, value in settings.items() if value is not None}


def _text(value: Any) -> str:  # noqa: ANN401 - any YAML
    return value if isinstance(value, str) else json.dumps(value)


@dataclasses.dataclass(frozen=True)
class Plan:
    """All that is orchestrated.

    Attributes:
        file: What the companies file says.
        project: The Meltano project.
        pipelines: By company.
    """

    file: CompaniesFile
    project: Project
    pipelines: dict[str, Pipeline]

    def sources(self) -> dict[str, list[Pipeline]]:
        """The pipelines of every source."""
        found: dict[str, list[Pipeline]] = {}
        for pipeline in self.pipelines.values():
            found.setdefault(pipeline.source, []).append(pipeline)
        return found

    def pools(self) -> dict[str, int]:
        """Pool -> how many runs may be in it at once."""
        used = {pipeline.company.credential for pipeline in self.pipelines.values()}
        return {f"erp_{name}": self.file.credentials[name].max_concurrent_runs for name in sorted(used)}

    def token(self, name: str, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment variables that sign the loader in with a token.

        Raises:
            ConfigError: A variable is not set.
        """
        settings = expanded(self.file.tokens[name].settings, variables, f"tokens.{name}")
        return _variables(self.project.loader, settings)


def read_plan(root: Path, companies: Path, catalogs: Path | None) -> Plan:
    """Read everything that definitions are made of.

    Args:
        root: Folder of the Meltano project.
        companies: The companies file.
        catalogs: Folder of the catalogs; None leaves every pipeline without streams.

    Raises:
        ConfigError: Something is wrong; one line.
    """
    file = read_companies(companies)
    project = read_project(root, file.environment)
    sources = {name: _source_of(name, company, file) for name, company in file.companies.items()}
    pipelines = {}
    for name, company in file.companies.items():
        try:
            pipelines[name] = _pipeline(name, file, project, sources, catalogs)
        except ConfigError as error:
            raise ConfigError(f"{companies}: companies.{name}: {error}") from error
        if catalogs and company.backfill_from and not pipelines[name].backfilled:
            raise ConfigError(
                f"{companies}: companies.{name}: backfill_from is set, but none of its streams is keyed by a date."
            )
    return Plan(file, project, pipelines)


def _source_of(name: str, company: Company, file: CompaniesFile) -> str:
    return company.source or f"{file.credentials[company.credential].extractor}-{name}"


def _pipeline(
    name: str, file: CompaniesFile, project: Project, sources: Mapping[str, str], catalogs: Path | None
) -> Pipeline:
    company = file.companies[name]
    credential = file.credentials[company.credential]
    extractor = project.extractors.get(credential.extractor)
    if extractor is None:
        known = ", ".join(project.extractors)
        raise ConfigError(f"there is no extractor '{credential.extractor}' in meltano.yml; known: {known}.")
    source = sources[name]
    others = [other for other, theirs in sources.items() if theirs == source and other != name]
    for other in others:
        if file.credentials[file.companies[other].credential].extractor != extractor.name:
            raise ConfigError(f"'{other}' is of another ERP and cannot share the source '{source}'.")
    streams = tuple(
        stream
        for stream in (read_catalog(catalogs, name, extractor.name) if catalogs else ())
        if extractor.selects(stream.name) and _fits(stream.name, company.streams)
    )
    if catalogs and not streams:
        raise ConfigError(f"streams {', '.join(company.streams)} fits no stream of {extractor.name}.")
    _variables(extractor, {**credential.settings, **company.settings})
    _variables(project.loader, company.loader_settings or {})
    return Pipeline(name, company, credential, extractor, project, streams, source, bool(others))

"""What meltano.yml says: plugins, their selection rules, and the loader's rules for each source."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestrate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_ALL = ["*.*"]
_BY_NAME = ("delete_match", "replace_within")
_LISTED = {"references": "from", "models": "name", "snapshots": "name"}


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A plugin of the project, as an environment changes it.

    Attributes:
        name: Its name.
        settings: Names of its settings.
        config: Its configuration, that of the environment over its own.
        select: Its selection rules.
        commands: Names of its commands.
    """

    name: str
    settings: frozenset[str]
    config: dict[str, Any]
    select: tuple[str, ...]
    commands: frozenset[str]

    def variable(self, setting: str) -> str:
        """The environment variable that sets a setting or, behind two underscores, an extra."""
        return f"{self.name}_{setting}".replace("-", "_").replace(".", "_").upper()

    def selects(self, stream: str) -> bool:
        """Whether the rules select anything of a stream."""
        return bool(self._fitting(stream, excluded=False)) and not any(
            rule == "*" for rule in self._fitting(stream, excluded=True)
        )

    def _fitting(self, stream: str, *, excluded: bool) -> list[str]:
        """The property patterns of the rules whose stream pattern fits."""
        found = []
        for rule in self.select:
            name, _, prop = rule.removeprefix("!").partition(".")
            if rule.startswith("!") == excluded and fnmatch.fnmatchcase(stream, name):
                found.append(prop)
        return found


@dataclasses.dataclass(frozen=True)
class Project:
    """A Meltano project in one environment.

    Attributes:
        root: Its folder.
        environment: Name of the environment.
        extractors: By name.
        loader: The first loader.
    """

    root: Path
    environment: str
    extractors: dict[str, Plugin]
    loader: Plugin

    def rules_for(self, extractor: str, source: str) -> dict[str, Any]:
        """The loader's rules for an extractor, under the name of one of its sources.

        A rule for `tap-x/stream` is meant for what tap-x reads, whatever the source is called.
        """
        config = self.loader.config
        rules: dict[str, Any] = {
            setting: {
                _renamed(name, extractor, source): rule for name, rule in _ours(config, setting, extractor)
            }
            for setting in _BY_NAME
        }
        for setting, key in _LISTED.items():
            rules[setting] = [
                {**rule, key: _renamed(rule[key], extractor, source)}
                for rule in config.get(setting) or ()
                if _is_of(rule[key], extractor)
            ]
        return {setting: rule for setting, rule in rules.items() if rule}


def _ours(config: Mapping[str, Any], setting: str, extractor: str) -> Iterable[tuple[str, Any]]:
    return [(name, rule) for name, rule in (config.get(setting) or {}).items() if _is_of(name, extractor)]


def _is_of(name: str, extractor: str) -> bool:
    owner, slash, _ = name.rpartition("/")
    return not slash or owner == extractor


def _renamed(name: str, extractor: str, source: str) -> str:
    owner, slash, rest = name.rpartition("/")
    return f"{source}/{rest}" if slash and owner == extractor else name


def read_project(root: Path, environment: str) -> Project:
    """Read meltano.yml.

    Raises:
        ConfigError: It cannot be read, or lacks what is needed.
    """
    path = root / "meltano.yml"
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    except YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    environments = {each["name"]: each for each in content.get("environments") or ()}
    if environment not in environments:
        known = ", ".join(environments) or "none"
        raise ConfigError(f"{path}: there is no environment '{environment}'; known: {known}.")
    own = (environments[environment].get("config") or {}).get("plugins") or {}
    plugins = content.get("plugins") or {}
    extractors = _plugins(plugins.get("extractors"), own.get("extractors"))
    loaders = _plugins(plugins.get("loaders"), own.get("loaders"))
    if not extractors or not loaders:
        raise ConfigError(f"{path}: there must be an extractor and a loader under plugins.")
    return Project(root, environment, extractors, next(iter(loaders.values())))


def _plugins(common: Any, own: Any) -> dict[str, Plugin]:  # noqa: ANN401 - lists of YAML
    changes = {each["name"]: each for each in own or ()}
    found = {}
    for each in common or ():
        change = changes.get(each["name"], {})
        select = change.get("select") or each.get("select") or _ALL
        found[each["name"]] = Plugin(
            name=each["name"],
            settings=frozenset(setting["name"] for setting in each.get("settings") or ()),
            config={**(each.get("config") or {}), **(change.get("config") or {})},
            select=tuple(select),
            commands=frozenset(each.get("commands") or ()),
        )
    return found

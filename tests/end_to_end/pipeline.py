"""A tap and the loader in this process, as meltano.yml sets them up, and the sums of what they make."""

from __future__ import annotations

import dataclasses
import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from tests.end_to_end.support import ROOT
from tests.target_tableau.support import Extracts, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.sandbox.company.world import World


Sums = dict[Any, Any]


@functools.cache
def loader_config() -> Mapping[str, Any]:
    """What meltano.yml says about target-tableau."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = [each for each in project["plugins"]["loaders"] if each["name"] == "target-tableau"]
    return MappingProxyType(loader["config"])


@dataclasses.dataclass
class Pipeline:
    """One tap and the loader, in this process, with one company behind them.

    Attributes:
        source: Name of the tap, and of what it fills.
        site: The server of the ERP, where a test changes it.
        settings: Of the loader, besides those of meltano.yml.
    """

    source: str
    world: World
    run: Callable[..., Any]
    tap_config: dict[str, Any]
    folder: Path
    site: Any = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    state: dict[str, Any] = dataclasses.field(default_factory=dict)

    def go(self) -> list[str]:
        """Read and load, and tell for which models and snapshots anything was written."""
        config = {
            **loader_config(),
            "output_dir": str(self.folder),
            "source": self.source,
            "summary": False,
            **self.settings,
        }
        streams = {name for model in config["models"] for name in self._streams(model)}
        snapshots = {rule["stream"] for rule in config["snapshots"] if self._is_ours(rule)}
        wanted = sorted(streams | (snapshots - {*self.models()}))
        run = self.run(self.tap_config, *wanted, state=self.state)
        before = self._stamps()
        load(config, [line.decode().strip() for line in run.recorder.lines])
        self.state = run.state
        return sorted(name for name, stamp in self._stamps().items() if before.get(name) != stamp)

    def _is_ours(self, rule: dict[str, Any]) -> bool:
        return bool(rule["name"].startswith(f"{self.source}/"))

    def _streams(self, model: dict[str, Any]) -> Iterator[str]:
        if self._is_ours(model):
            yield model["fact"]
            for join in model.get("joins", ()):
                yield join["stream"]
                yield from join.get("also", ())

    def _stamps(self) -> dict[str, int]:
        folder = self.folder / self.source
        return {file.stem: file.stat().st_ino for file in folder.glob("*.hyper")}

    def models(self) -> list[str]:
        return [
            model["name"].partition("/")[2] for model in loader_config()["models"] if self._is_ours(model)
        ]

    def sums(self, model: str, keys: str, values: str) -> Sums:
        """Sums of a model by some of its columns; groups that come to nothing are left out."""
        count = len(keys.split(", "))
        groups = ", ".join(str(number) for number in range(1, count + 1))
        rows = Extracts(self.folder / self.source).rows(
            model, f"SELECT {keys}, {values} FROM {{t}} GROUP BY {groups}"
        )
        found = {
            tuple(row[:count]) if count > 1 else row[0]: tuple(row[count:])
            if len(row) > count + 1
            else row[count]
            for row in rows
        }
        return {key: value for key, value in found.items() if _is_something(value)}


def _is_something(value: Any) -> bool:
    return any(value) if isinstance(value, tuple) else bool(value)


def without_zeros(sums: Sums) -> Sums:
    return {key: value for key, value in sums.items() if _is_something(value)}

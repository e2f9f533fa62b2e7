"""Rows ready to be listed, prepared once for each state of the company."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.exact_online.endpoints import ENDPOINTS, ENTITY_TYPES
from tests.sandbox.exact_online.rows.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.world import World
    from tests.sandbox.exact_online.clock import Clock
    from tests.sandbox.exact_online.rows.row import Row, Source
    from tests.sandbox.exact_online.stamps import Stamps
    from tests.sandbox.exact_online.switches import Switches

_KEPT_ANSWERS = 16
_BRANCHES = {division: branch for branch, division in DIVISIONS.items()}
_ENTITY_OF_SOURCE = {ENDPOINTS[path].source: path for path in ENDPOINTS if path.startswith("sync/")}


@dataclasses.dataclass
class Table:
    """The rows of one entity of one division."""

    rows: list[Row]
    _answers: dict[str, list[Row]] = dataclasses.field(default_factory=dict)
    _groups: dict[str, dict[Any, list[Row]]] = dataclasses.field(default_factory=dict)

    def select(self, name: str, find: Callable[[list[Row]], list[Row]]) -> list[Row]:
        """An answer that is found once and kept under a name, so that paging through it costs little."""
        if name not in self._answers:
            if len(self._answers) >= _KEPT_ANSWERS:
                self._answers.clear()
            self._answers[name] = find(self.rows)
        return self._answers[name]

    def group(self, name: str, key: object) -> list[Row]:
        """The rows whose property `name` holds `key`."""
        if name not in self._groups:
            groups: dict[Any, list[Row]] = {}
            for row in self.rows:
                groups.setdefault(row.values.get(name), []).append(row)
            self._groups[name] = groups
        return self._groups[name].get(key, [])


class Tables:
    """All tables of all divisions. Whoever calls holds the lock of the company."""

    def __init__(self, world: World, clock: Clock, stamps: Stamps, switches: Switches) -> None:
        self._world = world
        self._clock = clock
        self._stamps = stamps
        self._switches = switches
        self._state: tuple[object, ...] = ()
        self._tables: dict[tuple[int, Source], Table] = {}
        self._views: dict[int, View] = {}

    def table(self, division: int, source: Source) -> Table:
        """The rows of an entity; none in divisions that show no branch of the company."""
        state = (
            self._world.version,
            self._stamps.edition,
            self._clock.company_now(),
            self._switches.padded,
        )
        if state != self._state:
            self._state = state
            self._tables.clear()
            self._views.clear()
        place = (division, source)
        if place not in self._tables:
            self._tables[place] = Table(self._rows(division, source))
        return self._tables[place]

    def refresh(self, division: int) -> None:
        """Look at all entities with row versions, so that what is gone is known."""
        for entity in ENTITY_TYPES:
            if entity in ENDPOINTS:
                self.table(division, ENDPOINTS[entity].source)

    def _rows(self, division: int, source: Source) -> list[Row]:
        if division not in _BRANCHES:
            return []
        rows = list(source(self._view(division)))
        entity = _ENTITY_OF_SOURCE.get(source)
        if entity is not None:
            now = self._clock.company_now()
            self._stamps.update(division, entity, ENTITY_TYPES.get(entity), rows, now)
        return rows

    def _view(self, division: int) -> View:
        if division not in self._views:
            branch = self._world.company.branches[_BRANCHES[division]]
            self._views[division] = View(
                self._world.company,
                division,
                branch,
                self._clock.company_now(),
                padded=self._switches.padded,
            )
        return self._views[division]

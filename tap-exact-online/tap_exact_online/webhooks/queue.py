"""Events that wait for a run, in an SQLite file: an event is on disk before it is answered.

What happens to the same thing again before the run is the same entry, so a storm is one line per thing. Nothing is
lost if the file is: the next polling run reads the changes anyway.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_exact_online.webhooks.signature import Event

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    division INTEGER NOT NULL,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    action TEXT NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    count INTEGER NOT NULL DEFAULT 1
)
"""
_INDEX: Final = "CREATE UNIQUE INDEX IF NOT EXISTS things ON events (division, topic, key)"
# A thing that comes again gets a new number: what comes while a run is under way is not done with that run.
_PUT: Final = """
INSERT INTO events (division, topic, key, action, first_at, last_at) VALUES (:division, :topic, :key, :action, :at, :at)
ON CONFLICT (division, topic, key) DO UPDATE SET
    number = (SELECT max(number) + 1 FROM events), action = :action, last_at = :at, count = count + 1
"""


@dataclasses.dataclass(frozen=True)
class Waiting:
    """What waits.

    Attributes:
        until: Number of the last event; `done` takes all up to it.
        events: How many events came, folded ones included.
        topics: What changed.
        divisions: Where.
        first_at: When the first of them came, in seconds since 1970.
        last_at: When the last of them came.
    """

    until: int
    events: int
    topics: tuple[str, ...]
    divisions: tuple[int, ...]
    first_at: float
    last_at: float


class Queue:
    """Events that wait for a run. May be used from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(_TABLE)
        self._db.execute(_INDEX)

    def put(self, event: Event, at: float) -> None:
        """Keep an event; it is on disk when this returns."""
        with self._turn():
            self._db.execute(
                _PUT,
                {
                    "division": event.division,
                    "topic": event.topic,
                    "key": event.key,
                    "action": event.action,
                    "at": at,
                },
            )

    def waiting(self) -> Waiting | None:
        """What waits now; None when nothing does."""
        with self._turn():
            until, events, first_at, last_at = self._db.execute(
                "SELECT max(number), sum(count), min(first_at), max(last_at) FROM events"
            ).fetchone()
            if until is None:
                return None
            topics = self._db.execute("SELECT DISTINCT topic FROM events ORDER BY 1").fetchall()
            divisions = self._db.execute("SELECT DISTINCT division FROM events ORDER BY 1").fetchall()
        return Waiting(
            until,
            events,
            tuple(topic for (topic,) in topics),
            tuple(division for (division,) in divisions),
            first_at,
            last_at,
        )

    def done(self, waiting: Waiting) -> None:
        """Take out what a run has dealt with; what came meanwhile stays."""
        with self._turn():
            self._db.execute("DELETE FROM events WHERE number <= ?", (waiting.until,))

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock, self._db:
            yield

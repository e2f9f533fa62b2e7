"""What all events of the company's life have in common: the lock, the clock, and the choice of a victim."""

from __future__ import annotations

import datetime as dt
import functools
import random
import threading
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.office import Office
from tests.sandbox.company.registry import NothingToDoError, month_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.company.model import Company

R = TypeVar("R")
P = ParamSpec("P")
E = TypeVar("E", bound="Events")


class Events:
    """Base of the groups of events. Every event holds the lock from its first look to its last change.

    Args:
        company: What is changed.
        seed: Decides the random choices, together with how far the company has come.
        lock: The lock that readers of the company hold; its own when there are none.

    Attributes:
        version: Grows with every event.
    """

    def __init__(self, company: Company, seed: int, *, lock: threading.RLock | None = None) -> None:
        self.lock = lock or threading.RLock()
        self.version = 0
        self._company = company
        self._rng = random.Random(_start(company, seed))
        self._office = Office(company, self._rng)
        self._draw = self._office.drafter

    def reseed(self, seed: int) -> None:
        """Let the random choices go another way from here on."""
        with self.lock:
            self._rng.seed(_start(self._company, seed))

    def advance(self, minutes: float = 15) -> dt.datetime:
        """Move the clock on; fiscal months open and close as it passes them.

        Returns:
            What time it is now.

        Raises:
            ValueError: Time does not run backwards.
        """
        if minutes < 0:
            raise ValueError(f"the clock cannot be advanced by {minutes} minutes")
        with self.lock:
            until = self._company.clock + dt.timedelta(milliseconds=round(minutes * 60_000))
            while month_end(self._company.clock.date()) < until.date():
                midnight = month_end(self._company.clock.date()) + dt.timedelta(days=1)
                self._company.clock = dt.datetime.combine(midnight, dt.time(), tzinfo=dt.UTC)
                self._office.registry.open_periods()
            self._company.clock = until
            self.version += 1
            return until

    def _choose(self, candidates: Iterable[R], what: str) -> R:
        """One of the candidates.

        Raises:
            NothingToDoError: There is none.
        """
        pool = list(candidates)
        if not pool:
            raise NothingToDoError(f"the company has no {what}")
        return self._rng.choice(pool)


class HasStatus(Protocol):
    """A document that can be on hold."""

    status: DocumentStatus


D = TypeVar("D", bound=HasStatus)


def on_hold(document: D, key: str) -> D:
    """The document itself.

    Raises:
        ValueError: It is not on hold.
    """
    if document.status is not DocumentStatus.HOLD:
        raise ValueError(f"document {key} is {document.status}, not on hold")
    return document


def event(method: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
    """Make a method an event: it holds the lock, and the version grows."""

    @functools.wraps(method)
    def locked(self: E, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            self.version += 1
            return method(self, *args, **kwargs)

    return locked


def _start(company: Company, seed: int) -> str:
    """Where chance starts: a company that was saved and loaded does not repeat what it did before."""
    return f"{seed}|{company.seed}|{company.clock.isoformat()}|{sum(company.counters.values())}"

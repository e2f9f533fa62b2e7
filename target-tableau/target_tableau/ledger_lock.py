"""One at a time, among all who share a load ledger."""

from __future__ import annotations

import contextlib
import hashlib
import time
import weakref
from typing import TYPE_CHECKING

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from target_tableau.errors import LockedError, TargetTableauError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE = 0.25

IF_DAMAGED = "If the file is damaged, move it away: a new one is begun and nothing but the history is lost."
"""What to do about a ledger that cannot be read."""


class LockLostError(TargetTableauError):
    """The database that holds the lock cannot be reached, or not any more."""


@contextlib.contextmanager
def exclusive(engine: sa.Engine, path: Path | None, what: str, seconds: float) -> Iterator[None]:
    """Hold the lock on something for the length of a block.

    On PostgreSQL an advisory lock holds between machines; beside an SQLite ledger it is a file, which holds on one
    machine. Other databases have no lock that all know, and give none.

    Args:
        engine: The ledger's database.
        path: The ledger's file, if it is one.
        what: What is locked, in words that the message can use.
        seconds: How long to wait for it.

    Raises:
        LockedError: Somebody else did not let go in time.
        LockLostError: The database cannot be reached.
    """
    busy = LockedError(
        f"Another run works on {what}. Wait for it to end, or give this run another source or datasource_name."
    )
    if engine.dialect.name == "postgresql":
        with _advisory(engine, what, seconds, busy):
            yield
    elif path is not None:
        folder = path.with_name(".locks")
        folder.mkdir(exist_ok=True)
        place = folder / hashlib.sha256(what.encode()).hexdigest()[:16]
        try:
            lock = FileLock(place, mode=0o600).acquire(timeout=seconds)
        except Timeout as timeout:
            raise busy from timeout
        with lock:
            yield
    else:
        yield


@contextlib.contextmanager
def _advisory(engine: sa.Engine, what: str, seconds: float, busy: LockedError) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
    deadline = time.monotonic() + seconds
    try:
        with _holder_of(engine) as holder:
            while not holder.take(number):
                if time.monotonic() > deadline:
                    raise busy
                time.sleep(_PAUSE)
            try:
                yield
            finally:
                holder.give(number)
    except SQLAlchemyError as failure:
        raise LockLostError(reason_of(failure)) from failure


class _Holder:
    """The connection that holds all locks of an engine: they end with it, also when this process is killed.

    One for all, because a load of forty data sources holds forty locks, and a database has a hundred connections.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.users = 0
        self.connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._held: set[int] = set()

    def take(self, number: int) -> bool:
        """Try to take a lock. One that is held here is not to be had either, though PostgreSQL would give it."""
        if number in self._held:
            return False
        if not self.connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))):
            return False
        self._held.add(number)
        return True

    def give(self, number: int) -> None:
        """Let go of a lock."""
        self._held.discard(number)
        self.connection.scalar(sa.select(sa.func.pg_advisory_unlock(number)))


_holders: weakref.WeakKeyDictionary[sa.Engine, _Holder] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def _holder_of(engine: sa.Engine) -> Iterator[_Holder]:
    """The holder of an engine's locks, which is there as long as somebody uses it."""
    holder = _holders.get(engine)
    if holder is None:
        holder = _holders[engine] = _Holder(engine)
    holder.users += 1
    try:
        yield holder
    finally:
        holder.users -= 1
        if not holder.users:
            del _holders[engine]
            holder.connection.close()


@contextlib.contextmanager
def told(step: str) -> Iterator[None]:
    """Tell what the database refuses in one line.

    Args:
        step: What was to be done with the ledger: "read" or "written".

    Raises:
        TargetTableauError: Instead of the database's own error.
    """
    try:
        yield
    except SQLAlchemyError as failure:
        raise TargetTableauError(
            f"The load ledger cannot be {step}: {reason_of(failure)}. Nothing was handed on; run again. {IF_DAMAGED}"
        ) from failure


def reason_of(failure: Exception) -> str:
    """The driver's words without the statement, its values and the address with its password."""
    if isinstance(failure, LockLostError | OSError):
        return str(failure)
    return str(getattr(failure, "orig", None) or type(failure).__name__).splitlines()[0]


def advice_on(failure: Exception, path: Path | None) -> str:
    """What to do about a ledger that cannot be opened.

    Args:
        failure: Why not.
        path: Its file; None for one that another database holds.
    """
    if path is None:
        return "Check ledger_url, and whether the database runs and lets this user in."
    if isinstance(failure, OSError):
        return "Check whether the folder may be written and the disk has room, or set output_dir to another folder."
    return IF_DAMAGED

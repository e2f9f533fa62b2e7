"""A background thread that takes work in order, and does not let much of it pile up; and one for copies beside it."""

from __future__ import annotations

import collections
import concurrent.futures
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_QUEUE = 2  # pieces of work that may wait: more would only take memory


class Worker:
    """Does work in another thread; its errors are raised by the next `submit` or `drain`."""

    def __init__(self) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._beside = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="copier")
        self._pending: collections.deque[concurrent.futures.Future[None]] = collections.deque()

    def submit(self, work: Callable[[], None]) -> None:
        """Queue a piece of work, waiting while too much is queued."""
        while len(self._pending) >= _QUEUE:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(work))

    def beside(self, work: Callable[[], None]) -> concurrent.futures.Future[None]:
        """Do a piece of work that waits for no other; its result tells of its end, and raises its error."""
        return self._beside.submit(work)

    def drain(self) -> None:
        """Wait until nothing is queued or being done."""
        while self._pending:
            self._pending.popleft().result()

    def close(self) -> None:
        """Finish what is being done, drop what is queued."""
        for pool in (self._pool, self._beside):
            pool.shutdown(cancel_futures=True)

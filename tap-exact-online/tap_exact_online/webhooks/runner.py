"""Runs the configured command when events have come and then been quiet for a while."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.webhooks.topics import streams_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_exact_online.webhooks.queue import Queue, Waiting

_LOOK_SECONDS: Final = 0.5
_STORM: Final = 10  # times the quiet time, a storm puts the run off at most
_LONGEST_PAUSE_SECONDS: Final = 3600

_LOG: Final = logging.getLogger("tap-exact-online")


class Runner:
    """Looks at the queue and starts runs, one at a time.

    Args:
        config: Settings of the tap.
        queue: Where events wait.
        now: What time it is.
        start: Runs a command with an environment and returns its exit code.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        queue: Queue,
        now: Callable[[], float] = time.time,
        start: Callable[[Sequence[str], Mapping[str, str]], int] | None = None,
    ) -> None:
        self._command = [str(word) for word in config["webhook_command"]]
        self._quiet = int(config["webhook_quiet_seconds"])
        self._queue = queue
        self._now = now
        self._start = start or _start
        self._failures = 0
        self._not_before = 0.0
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Look until `stop` is called."""
        while not self._stopped.wait(_LOOK_SECONDS):
            self.look()

    def stop(self) -> None:
        """Begin no further run."""
        self._stopped.set()

    def look(self) -> bool:
        """Run the command if it is time; whether it was."""
        waiting = self._queue.waiting()
        now = self._now()
        if waiting is None or now < self._not_before:
            return False
        is_quiet = now - waiting.last_at >= self._quiet
        if not is_quiet and now - waiting.first_at < self._quiet * _STORM:
            return False
        self._run(waiting)
        return True

    def _run(self, waiting: Waiting) -> None:
        streams = streams_of(waiting.topics)
        _LOG.info("%d events (%s): reading %s", waiting.events, ", ".join(waiting.topics), ", ".join(streams))
        code = self._start(self._command, environment(os.environ, streams, waiting.divisions))
        if code == 0:
            self._failures = 0
            self._queue.done(waiting)
            return
        self._failures += 1
        pause = min(self._quiet * 2.0**self._failures, _LONGEST_PAUSE_SECONDS)
        self._not_before = self._now() + pause
        _LOG.warning("The command ended with %d; the events wait %.0f s for another try", code, pause)


def environment(base: Mapping[str, str], streams: Sequence[str], divisions: Sequence[int]) -> dict[str, str]:
    """What the command is told. Meltano's own variable limits its run to the streams that were touched."""
    extractor = base.get("MELTANO_EXTRACTOR_NAME") or "tap-exact-online"
    variable = f"{extractor.upper().replace('-', '_')}__SELECT_FILTER"
    return {
        **base,
        "EXACT_ONLINE_STREAMS": ",".join(streams),
        "EXACT_ONLINE_DIVISIONS": ",".join(map(str, divisions)),
        variable: json.dumps(list(streams)),
    }


def _start(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        return subprocess.run(list(command), env=dict(environment), check=False).returncode  # noqa: S603 - the user's own command
    except OSError as error:
        _LOG.error("webhook_command: cannot start %s (%s)", command[0], error.strerror)
        return 127

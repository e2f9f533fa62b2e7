"""A worker: takes companies from a folder, one after another, and reads each as a run of Dagster.

What a cluster does otherwise: the folder stands for the queue, the process for the pod of a run. Its own folder is
empty when it begins, and nobody needs it when it has gone.

Called with the queue; everything else comes from the environment.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import dagster as dg

from orchestrate.assets import job_name
from orchestrate.definitions import definitions_of, plan_of

_LOOK_SECONDS = 0.1


def claim(queue: Path) -> Path | None:
    """Take the next company: of those who rename a file at once, one succeeds."""
    for waiting in sorted(queue.glob("*.waiting")):
        mine = waiting.with_suffix(f".{os.getpid()}")
        try:
            waiting.rename(mine)
        except FileNotFoundError:
            continue
        return mine
    return None


def main(queue: Path) -> None:
    """Work until a file `end` is in the queue."""
    plan, places = plan_of()
    definitions = definitions_of(plan, places)
    with dg.DagsterInstance.get() as instance:
        while not (queue / "end").exists():
            mine = claim(queue)
            if mine is None:
                time.sleep(_LOOK_SECONDS)
                continue
            job = definitions.resolve_job_def(job_name(plan.pipelines[mine.stem]))
            result = job.execute_in_process(instance=instance, raise_on_error=False)
            mine.rename(mine.with_suffix(".done" if result.success else ".failed"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

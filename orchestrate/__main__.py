"""The command `python -m orchestrate check|catalogs`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from orchestrate.catalogs import condensed, write_catalog
from orchestrate.definitions import catalogs_dir, definitions_of, plan_of
from orchestrate.errors import OrchestrateError
from orchestrate.runs import meltano

if TYPE_CHECKING:
    from collections.abc import Sequence

_DISCOVERY_SECONDS = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 1 when it could not be done; the reason is one line on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        for line in options.run(options):
            sys.stdout.write(f"{line}\n")
    except OrchestrateError as error:
        sys.stderr.write(f"orchestrate: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrate", description="Many companies, with Dagster."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check companies file, catalogs and variables")
    check.set_defaults(run=_check)
    catalogs = commands.add_parser("catalogs", help="ask an ERP which streams there are, and keep the answer")
    catalogs.add_argument("companies", nargs="+", metavar="COMPANY")
    catalogs.add_argument(
        "--for-extractor", action="store_true", help="keep it for all companies of the same extractor"
    )
    catalogs.set_defaults(run=_catalogs)
    return parser


def _check(_: argparse.Namespace) -> list[str]:
    plan, places = plan_of()
    lines = []
    for name, pipeline in plan.pipelines.items():
        pipeline.environment(places, os.environ)
        for token in pipeline.company.tokens or ():
            plan.token(token, os.environ)
        lines.append(
            f"{name}: {len(pipeline.streams)} streams of {pipeline.extractor.name}, source {pipeline.source}, "
            f"state {pipeline.state_id}"
        )
    definitions_of(plan, places)
    return [*lines, "All is well."]


def _catalogs(options: argparse.Namespace) -> list[str]:
    plan, places = plan_of(with_streams=False)
    lines = []
    for name in options.companies:
        pipeline = plan.pipelines.get(name)
        if pipeline is None:
            raise OrchestrateError(f"There is no company '{name}'; known: {', '.join(plan.pipelines)}.")
        environment = {**os.environ, **pipeline.environment(places, os.environ)}
        environment.pop(pipeline.extractor.variable("_select_filter"))
        places.meltano_dir(name).mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 - the project's own Meltano
            [*meltano("invoke", "--dump=catalog", pipeline.extractor.name)],
            cwd=places.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_DISCOVERY_SECONDS,
            check=False,
        )
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason was told"])[-1]
            raise OrchestrateError(f"The streams of '{name}' could not be discovered: {why}")
        path = catalogs_dir() / f"{pipeline.extractor.name if options.for_extractor else name}.json"
        streams = condensed(json.loads(done.stdout))
        write_catalog(path, streams)
        lines.append(f"{path}: {len(streams)} streams")
    return lines


if __name__ == "__main__":
    sys.exit(main())

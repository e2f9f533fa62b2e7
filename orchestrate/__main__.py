"""The command `python -m orchestrate dev|check|catalogs|changed`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import dagster as dg

from orchestrate.backfill import deliver_under_locks
from orchestrate.catalogs import condensed, write_catalog
from orchestrate.definitions import ROOT, catalogs_dir, definitions_of, plan_of
from orchestrate.errors import OrchestrateError
from orchestrate.health import sync_pools
from orchestrate.instance import instance_of, make_home
from orchestrate.states import ask_meltano
from orchestrate.timing import has_events, note_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrate.pipelines import Pipeline, Plan

_SANDBOX = "sandbox"


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
    changed = commands.add_parser(
        "changed", help="say that something has changed in a company, so that it is read"
    )
    changed.add_argument("company", metavar="COMPANY")
    changed.add_argument(
        "--streams",
        default=os.environ.get("EXACT_ONLINE_STREAMS", ""),
        help="what has changed, with commas between them (default: what tap-exact-online-webhooks says, else all)",
    )
    changed.set_defaults(run=_changed)
    deliver = commands.add_parser("deliver", help="the end of a backfill; Dagster calls it, under its locks")
    deliver.add_argument("company", metavar="COMPANY")
    deliver.set_defaults(run=_deliver)
    dev = commands.add_parser("dev", help="start everything on this machine, with the web page")
    dev.add_argument("--port", type=int, default=3000, help="port of the web page (default 3000)")
    dev.set_defaults(run=_dev)
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
    dg.Definitions.validate_loadable(definitions_of(plan, places))
    return [*lines, "All is well."]


def _catalogs(options: argparse.Namespace) -> list[str]:
    plan, places = plan_of(with_streams=False)
    lines = []
    for name in options.companies:
        pipeline = _pipeline(plan, name)
        done = ask_meltano(pipeline, places, "invoke", "--dump=catalog", pipeline.extractor.name)
        path = catalogs_dir() / f"{pipeline.extractor.name if options.for_extractor else name}.json"
        streams = condensed(json.loads(done.stdout))
        write_catalog(path, streams)
        lines.append(f"{path}: {len(streams)} streams")
    return lines


def _pipeline(plan: Plan, name: str) -> Pipeline:
    pipeline = plan.pipelines.get(name)
    if pipeline is None:
        raise OrchestrateError(f"There is no company '{name}'; known: {', '.join(plan.pipelines)}.")
    return pipeline


def _changed(options: argparse.Namespace) -> list[str]:
    plan, places = plan_of()
    pipeline = _pipeline(plan, options.company)
    if not has_events(pipeline):
        raise OrchestrateError(
            f"{pipeline.extractor.name} has no events; set watch_seconds or schedule instead."
        )
    streams = [name for name in options.streams.split(",") if name]
    with instance_of(places) as instance:
        note_change(instance, pipeline, streams)
    return [f"{pipeline.name}: noted ({', '.join(streams) or 'all streams'})"]


def _deliver(options: argparse.Namespace) -> list[str]:
    plan, places = plan_of()
    return deliver_under_locks(_pipeline(plan, options.company), places)


def _dev(options: argparse.Namespace) -> NoReturn:
    plan, places = plan_of()
    os.environ["DAGSTER_HOME"] = str(make_home(places))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    if plan.project.environment == _SANDBOX:
        start = [sys.executable, "-m", "tests.sandbox", "start", "--follow", str(os.getpid())]
        subprocess.run(start, cwd=places.root, check=True)  # noqa: S603 - the project's own sandbox
    with instance_of(places) as instance:
        sync_pools(plan, instance)
    dagster = [
        "-m",
        "dagster",
        "dev",
        "-m",
        "orchestrate.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(options.port),
    ]
    os.chdir(places.root)
    os.execv(sys.executable, [sys.executable, *dagster])  # noqa: S606 - signals are Dagster's from here on


if __name__ == "__main__":
    sys.exit(main())

"""The schedules as delivered: complete, apart from each other, and within what the APIs allow."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrate.schedules.cron import Cron, CronError
from orchestrate.schedules.plan import PlanError, read_plan
from tests.generated import PLUGINS, ROOT
from tests.schedules import costs
from tests.schedules.costs import INCLUDED, PROJECT, documented, read_by

MONDAY = dt.date(2026, 11, 30)
TAPS = [plugin.name for plugin in PLUGINS if plugin.name.startswith("tap-")]
EXTRACTORS: list[dict[str, Any]] = INCLUDED["plugins"]["extractors"]


def groups_of(tap: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in EXTRACTORS if one["inherit_from"] == tap}


def test_meltano_lists_the_same_schedules_and_all_their_jobs() -> None:
    result = subprocess.run(
        [
            Path(sys.executable).with_name("meltano"),
            "--environment",
            "prod",
            "schedule",
            "list",
            "--format=json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    listed = json.loads(result.stdout)["schedules"]
    assert listed["elt"] == []
    seen = {
        one["name"]: (one["cron_interval"], one["job"]["name"], one["job"]["tasks"]) for one in listed["job"]
    }
    assert len(seen) == len(listed["job"])
    plan = costs.plan()
    assert {one.name: (one.cron.text, one.job) for one in plan.schedules} == {
        name: entry[:2] for name, entry in seen.items()
    }
    plugins = {one["name"] for kind in INCLUDED["plugins"].values() for one in kind}
    for _, _, tasks in seen.values():
        assert {word for task in tasks for word in task.split()} <= plugins


@pytest.mark.parametrize("tap", TAPS)
def test_every_stream_is_in_exactly_one_group(tap: str) -> None:
    streams = list(documented(tap))
    groups = {name: one for name, one in groups_of(tap).items() if not name.endswith("--full")}
    read = Counter(stream for group in groups.values() for stream in read_by(group, streams))
    assert dict(read) == dict.fromkeys(streams, 1)
    named = [pattern.lstrip("!") for group in groups_of(tap).values() for pattern in group["select_filter"]]
    assert set(named) <= set(streams), "a group names a stream that there is not"
    # what users configure themselves (inquiries, BAQs, tables, objects) is read too, by one group
    assert sum(bool(read_by(group, ["one_of_the_users_own"])) for group in groups.values()) == 1


@pytest.mark.parametrize("tap", TAPS)
def test_lines_are_read_with_their_document_also_in_whole_reads(tap: str) -> None:
    (loader,) = PROJECT["plugins"]["loaders"]
    rules = loader["config"]["replace_within"]
    parents = {
        name.split("/")[1]: rule["parent"] for name, rule in rules.items() if name.startswith(f"{tap}/")
    }
    for name, group in groups_of(tap).items():
        read = read_by(group, list(documented(tap)))
        assert {line for line in parents if line in read} == {
            line for line, parent in parents.items() if parent in read
        }, name


@pytest.mark.parametrize("tap", TAPS)
def test_streams_whose_deletions_nothing_else_tells_are_read_whole(tap: str) -> None:
    told = documented(tap)
    needed = {stream for stream, how in told.items() if how.startswith(("full refresh", "by the periodic"))}
    (full,) = [one for name, one in groups_of(tap).items() if name.endswith("--full")]
    assert needed <= read_by(full, list(told))
    whole = full.get("metadata") == {"*": {"replication-method": "FULL_TABLE"}}
    # SYSPRO's ledgers and documents are purged by the ERP and must stay: the tap reads them again without dropping any
    assert whole == (tap != "tap-syspro")
    assert whole or full["config"] == {"full_refresh_every_days": 1}


def test_groups_write_the_data_sources_of_their_erp_and_keep_states_and_tokens_apart() -> None:
    jobs = {one["name"]: one["tasks"] for one in INCLUDED["jobs"]}
    pairs = [task.split() for job in jobs.values() for task in job]
    for tap, loader in pairs:
        erp = tap.partition("--")[0]
        (extractor,) = [one for one in EXTRACTORS if one["name"] == tap]
        assert extractor["inherit_from"] == extractor["load_schema"] == erp
        assert loader == f"target-tableau--{erp.removeprefix('tap-')}"
    # a tap has one loader, so its state has one id; each group and whole read is a job of its own
    assert len({tuple(pair) for pair in pairs}) == len(EXTRACTORS)
    single = [tuple(job) for name, job in jobs.items() if len(job) == 1]
    assert sorted(tap for (task,) in single for tap in task.split()[:1]) == sorted(
        one["name"] for one in EXTRACTORS
    )
    # one PAT, one session: the token comes from the loader, whose own variables no other loader reads
    assert all(one["inherit_from"] == "target-tableau" for one in INCLUDED["plugins"]["loaders"])
    for kind in ("extractors", "loaders"):
        names = [one["name"] for one in (*INCLUDED["plugins"][kind], *PROJECT["plugins"][kind])]
        assert len(set(names)) == len(names)
    variables = [re.sub(r"\W", "_", one["name"].upper()) for one in INCLUDED["plugins"]["loaders"]]
    assert not any(a != b and b.startswith(f"{a}_") for a in variables for b in variables)


def test_the_job_of_an_erp_reads_every_group_once() -> None:
    for tap in TAPS:
        (job,) = [one for one in INCLUDED["jobs"] if one["name"] == tap.removeprefix("tap-")]
        read = sorted(task.split()[0] for task in job["tasks"])
        assert read == sorted(name for name in groups_of(tap) if not name.endswith("--full"))


def test_no_two_schedules_start_together_and_those_of_one_erp_are_apart() -> None:
    plan = costs.plan()
    starts = sorted((start, one) for one in plan.schedules for start in one.cron.starts(MONDAY, 7))
    moments = [start for start, _ in starts]
    assert len(set(moments)) == len(moments), "two schedules start in one minute"
    for loader in {loader for one in plan.schedules for loader in one.loaders}:
        own = [start for start, one in starts if loader in one.loaders]
        assert min(after - before for before, after in pairwise(own)) >= dt.timedelta(minutes=7), loader


def test_the_night_belongs_to_masters_and_whole_reads() -> None:
    for schedule in costs.plan().schedules:
        at_night = {start.hour < 5 for start in schedule.cron.starts(MONDAY, 7)}
        assert at_night == {schedule.name.endswith(("-masters", "-full"))}


def test_the_schedules_are_within_what_the_apis_allow() -> None:
    plan = costs.plan()
    assert set(costs.QUIET_CALLS) == {one.name for one in plan.schedules}
    intacct = costs.calls_a_month("sage-intacct") + costs.INTACCT_SCHEMA_CALLS_A_MONTH
    assert intacct * 2 < costs.INTACCT_TIER_1_A_MONTH, "half of the smallest tier is left for what changes"
    assert costs.exact_online_a_day() * 3 < costs.EXACT_ONLINE_A_DAY
    publishes = costs.publishes_in_the_fullest_hour()
    assert publishes < costs.TABLEAU_CLOUD_PUBLISHES_AN_HOUR
    assert f"make at most {publishes}," in (ROOT / "README.md").read_text(encoding="utf-8")


def test_intacct_is_not_read_whole_during_its_maintenance() -> None:
    full = costs.plan().schedule("sage-intacct-full").cron
    assert {start.isoweekday() for start in full.starts(MONDAY, 7)} == {1, 2, 3, 4, 5, 7}


def test_an_environment_changes_schedules_and_their_zone(tmp_path: Path) -> None:
    project = {**PROJECT, "environments": [{"name": "prod", "env": {"SCHEDULES_TIMEZONE": "Europe/Berlin"}}]}
    project["environments"][0]["env"] |= {
        "SCHEDULE_SYSPRO_TRADE": "0 6 * * 1-5",
        "SCHEDULE_SYSPRO_FULL": "off",
    }
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (tmp_path / "orchestrate").mkdir()
    (tmp_path / "orchestrate" / "schedules.meltano.yml").write_text(
        yaml.safe_dump(INCLUDED), encoding="utf-8"
    )
    plan = read_plan(tmp_path, "prod", {"SCHEDULE_SYSPRO_LEDGER": "30 5 * * *"})
    assert plan.timezone == "Europe/Berlin"
    assert plan.schedule("syspro-trade").cron.text == "0 6 * * 1-5"
    assert plan.schedule("syspro-ledger").cron.text == "30 5 * * *"
    assert plan.schedule("syspro-payables").cron.text == costs.plan().schedule("syspro-payables").cron.text
    with pytest.raises(PlanError, match="no schedule 'syspro-full' in the environment 'prod'"):
        plan.schedule("syspro-full")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"SCHEDULES_TIMEZONE": "Mars/Olympus"}, "'Mars/Olympus' is no IANA name"),
        ({"SCHEDULE_SYSPRO_TRADE": "hourly"}, r"SCHEDULE_SYSPRO_TRADE.*five fields"),
        ({"SCHEDULE_SYSPRO_TRADE": "61 * * * *"}, "outside 0 to 59"),
        ({"SCHEDULE_SYSPRO_TRADE": "0 6 1 * 1"}, "use two schedules"),
    ],
)
def test_a_schedule_that_cannot_be_understood_is_named(given: dict[str, str], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        read_plan(ROOT, "prod", given)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("*/20 8-9 * * *", ["08:00", "08:20", "08:40", "09:00", "09:20", "09:40"]),
        ("5/25 8 * * *", ["08:05", "08:30", "08:55"]),
        ("0 8,20 * * 7", []),
        ("0 8,20 * * 1-5", ["08:00", "20:00"]),
        ("10 0-23/12 30 11 *", ["00:10", "12:10"]),
    ],
)
def test_cron_expressions_mean_what_cron_means(text: str, starts: list[str]) -> None:
    assert [f"{start:%H:%M}" for start in Cron.parse(text).starts(MONDAY, 1)] == starts


@pytest.mark.parametrize("text", ["", "* * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "* 24 * * *"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(CronError):
        Cron.parse(text)

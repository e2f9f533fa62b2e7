"""What the schedules cost: calls of a run in which nothing had changed, as the sandbox counts them, times starts."""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections import Counter
from typing import Any, Final

import yaml

from orchestrate.schedules.plan import Plan, read_plan
from tests.generated import ROOT

# Exact Online counts by division: the larger of the sandbox's two. SYSPRO and Epicor Kinetic: both companies together.
QUIET_CALLS: Final = {
    "acumatica-payables": 7,
    "acumatica-ledger": 10,
    "acumatica-trade": 14,
    "acumatica-masters": 12,
    "acumatica-full": 12,
    "sage-intacct-payables": 10,
    "sage-intacct-ledger": 8,
    "sage-intacct-trade": 10,
    "sage-intacct-masters": 26,
    "sage-intacct-full": 5,
    "syspro-payables": 7,
    "syspro-ledger": 13,
    "syspro-trade": 25,
    "syspro-masters": 19,
    "syspro-full": 15,
    "exact-online-payables": 7,
    "exact-online-ledger": 18,
    "exact-online-trade": 9,
    "exact-online-masters": 21,
    "exact-online-full": 32,
    "epicor-kinetic-payables": 15,
    "epicor-kinetic-ledger": 25,
    "epicor-kinetic-trade": 31,
    "epicor-kinetic-masters": 31,
    "epicor-kinetic-full": 174,
}
# Sage Intacct: one counted call per object and day for its description
INTACCT_SCHEMA_CALLS_A_MONTH: Final = 1600
INTACCT_TIER_1_A_MONTH: Final = 100_000
EXACT_ONLINE_A_DAY: Final = 5000
TABLEAU_CLOUD_PUBLISHES_AN_HOUR: Final = 600
INCLUDED: Final[dict[str, Any]] = yaml.safe_load((ROOT / "schedules.meltano.yml").read_text(encoding="utf-8"))
PROJECT: Final[dict[str, Any]] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))


def documented(tap: str) -> dict[str, str]:
    """Stream -> how deletions are told, from the tap's README, which a test of the tap keeps true."""
    part = (ROOT / tap / "README.md").read_text(encoding="utf-8").partition("## Streams")[2]
    rows = re.findall(r"^\| `([a-z_]+)` \|.*\| ([^|]*) \|$", part.partition("Every key")[0], re.MULTILINE)
    assert rows
    return dict(rows)


def read_by(extractor: dict[str, Any], streams: list[str]) -> set[str]:
    """What Meltano leaves selected of these streams."""
    patterns = extractor["select_filter"]
    kept = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    dropped = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return {
        stream
        for stream in streams
        if any(fnmatch.fnmatch(stream, pattern) for pattern in kept)
        and not any(fnmatch.fnmatch(stream, pattern) for pattern in dropped)
    }


def plan() -> Plan:
    """The schedules of prod as they are delivered."""
    return read_plan(ROOT, "prod", {})


def calls_a_month(erp: str) -> int:
    """Counted calls of an ERP in 30 days in which nothing changes."""
    own = [one for one in plan().schedules if one.name.startswith(f"{erp}-")]
    return round(sum(QUIET_CALLS[one.name] * one.cron.per_month() for one in own))


def publishes_in_the_fullest_hour() -> int:
    """Data sources that are written in one hour of a week if every stream of every run has changes, models too."""
    (loader,) = PROJECT["plugins"]["loaders"]
    derived = [*loader["config"]["models"], *loader["config"]["snapshots"]]
    hours: Counter[dt.datetime] = Counter()
    for one in plan().schedules:
        erp = one.loaders[0].removeprefix("target-tableau--")
        group = one.name.removeprefix(f"{erp}-")
        (tap,) = [each for each in INCLUDED["plugins"]["extractors"] if each["name"] == f"tap-{erp}--{group}"]
        written = len(read_by(tap, list(documented(f"tap-{erp}"))))
        written += sum(rule["name"].startswith(f"tap-{erp}/") for rule in derived)
        for start in one.cron.starts(dt.date(2026, 11, 30), 7):
            hours[start.replace(minute=0)] += written
    return max(hours.values())

"""What the schedules cost: calls of a run in which nothing had changed, as the sandbox counts them, times starts."""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from orchestrate.schedules.plan import Plan, read_plan

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]
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
    "syspro-trade": 31,
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
    "epicor-kinetic-full": 170,
}
# Sage Intacct: one counted call per object and day for its description
INTACCT_SCHEMA_CALLS_A_MONTH: Final = 1600
INTACCT_TIER_1_A_MONTH: Final = 100_000
EXACT_ONLINE_A_DAY: Final = 5000
TABLEAU_CLOUD_PUBLISHES_AN_HOUR: Final = 600
INCLUDED: Final[dict[str, Any]] = yaml.safe_load(
    (ROOT / "orchestrate" / "schedules.meltano.yml").read_text(encoding="utf-8")
)
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


@functools.cache
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


def table() -> str:
    """For the README: calls of a quiet run x starts a day, by ERP and group, and what that comes to."""
    lines = [
        "| ERP | payables | ledger | trade | masters | whole reads | comes to | allowed |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for erp, label in _LABELS.items():
        cells = []
        for group in ("payables", "ledger", "trade", "masters", "full"):
            one = plan().schedule(f"{erp}-{group}")
            starts = len(list(one.cron.starts(dt.date(2026, 11, 30), 7)))
            often = f"{starts // 7} a day" if starts % 7 == 0 else f"{starts} a week"
            cells.append(f"{QUIET_CALLS[one.name]} calls, {often}")
        lines.append(f"| {label} | {' | '.join(cells)} | {_SUMS[erp]()} |")
    return "\n".join(lines) + "\n"


def _a_month(erp: str) -> str:
    return f"{round(calls_a_month(erp), -2):,} calls a month"


def _intacct() -> str:
    calls = calls_a_month("sage-intacct") + INTACCT_SCHEMA_CALLS_A_MONTH
    return (
        f"{round(calls, -2):,} counted calls a month, the daily look at the schema included | "
        f"{INTACCT_TIER_1_A_MONTH:,} a month in tier 1"
    )


def exact_online_a_day() -> int:
    """Calls of a division on the fullest day of a week in which nothing changes."""
    days: Counter[dt.date] = Counter()
    for one in plan().schedules:
        if one.name.startswith("exact-online-"):
            for start in one.cron.starts(dt.date(2026, 11, 30), 7):
                days[start.date()] += QUIET_CALLS[one.name]
    return max(days.values())


def _exact_online() -> str:
    return f"{exact_online_a_day():,} calls a day and division | {EXACT_ONLINE_A_DAY:,} a day and division"


_LABELS: Final = {
    "acumatica": "Acumatica",
    "sage-intacct": "Sage Intacct",
    "syspro": "SYSPRO",
    "exact-online": "Exact Online",
    "epicor-kinetic": "Epicor Kinetic",
}
_SUMS: Final[dict[str, Callable[[], str]]] = {
    "acumatica": lambda: f"{_a_month('acumatica')} | requests a minute of the licence; one session at a time",
    "sage-intacct": _intacct,
    "syspro": lambda: f"{_a_month('syspro')} | no limit; one session per e.net operator",
    "exact-online": _exact_online,
    "epicor-kinetic": lambda: f"{_a_month('epicor-kinetic')} | no limit; a licence while a call runs",
}

"""The report as one self-contained HTML page, for whoever answers for the numbers and never opens a terminal."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_tableau.display import UTC
from target_tableau.ledger_tables import datasources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_tableau.ledger import Ledger

    Show = Callable[[dt.datetime | None], str]
    """Writes a moment for people."""

Row = dict[str, Any]

_BARS = 24  # loads that the small chart shows
_BAR, _GAP, _HEIGHT = 5, 2, 28
_GOOD = "done"

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1a2733;--soft:#5c6b78;--line:#dde4ea;--good:#1f7a4d;--bad:#b3261e;
--warn:#8a5a00;--bar:#7a98b5}
@media(prefers-color-scheme:dark){:root{--paper:#12181e;--ink:#e8eef3;--soft:#9fb0bd;--line:#2a3640;--good:#5fd19a;
--bad:#ff8a80;--warn:#f2c063;--bar:#56789a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 16px 48px;max-width:1080px;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 4px}h2{font-size:1.05rem;margin:32px 0 8px}
p{margin:0 0 8px}.soft{color:var(--soft);font-size:.875rem}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}
ul{margin:8px 0 0;padding-left:20px}li{margin:0 0 6px;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;table-layout:fixed}
td{overflow-wrap:anywhere}th:nth-child(1){width:26%}th:nth-child(2),th:nth-child(3){width:15%}
th:nth-child(4){width:8%}th:nth-child(5){width:9%}th:nth-child(6){width:11%}.time{white-space:nowrap}
th{font-weight:600;font-size:.8125rem;color:var(--soft);text-align:left;padding:6px 12px 6px 0;
border-bottom:1px solid var(--line)}
td{padding:8px 12px 8px 0;border-bottom:1px solid var(--line);vertical-align:middle}
td.name{font-weight:600;overflow-wrap:anywhere}.number{text-align:right}
svg{display:block}svg rect{fill:var(--bar)}svg rect.bad{fill:var(--bad)}
@media(max-width:720px){thead{display:none}table,tbody{display:block}
tr{display:grid;grid-template-columns:repeat(3,1fr);gap:2px 12px;padding:10px 0;border-bottom:1px solid var(--line)}
td{border:0;padding:0}td.name,td.time{grid-column:1/-1}.number{text-align:left}
td[data-label]:not(.name)::before{content:attr(data-label) " ";color:var(--soft);font-size:.8125rem}
td.chart{grid-column:1/-1;padding-top:4px}}
"""


def published_times(ledger: Ledger) -> dict[tuple[str, str], dt.datetime]:
    """Source and stream -> when Tableau last got rows of it, wherever that was."""
    columns = datasources.c
    query = sa.select(columns.source, columns.stream, sa.func.max(columns.published_at).label("at"))
    with ledger.transaction() as connection:
        rows = connection.execute(query.group_by(columns.source, columns.stream))
        return {(row.source, row.stream): row.at for row in rows}


def render_page(
    rows: Iterable[Row],
    published: Mapping[tuple[str, str], dt.datetime],
    now: dt.datetime,
    zone: str = UTC,
) -> str:
    """Lay out ledger rows as a page.

    Args:
        rows: Rows of the ledger, the newest load first.
        published: Source and stream -> when Tableau last got rows of it.
        now: The time of the report, aware.
        zone: The time zone that times are shown in, here and in the display columns of data sources.
    """
    show = _clock(zone)
    history: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        history[row["source"], row["stream"]].append(row)
    newest = {key: loads[0] for key, loads in history.items()}
    troubles = [sentence for key in sorted(newest) for sentence in _troubles(newest[key], show)]
    sources = sorted({source for source, _ in history})
    sections = "".join(
        _section(source, {key: loads for key, loads in history.items() if key[0] == source}, published, show)
        for source in sources
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Data in Tableau</title><style>{_STYLE}</style></head><body>"
        f"{_summary(len(newest), troubles)}"
        f'<p class="soft">Report of {show(now)}. {_about_times(zone)}</p>{sections}</body></html>\n'
    )


def _summary(count: int, troubles: Sequence[str]) -> str:
    if not count:
        return "<h1>Nothing was loaded yet</h1>"
    sources = _count(count, "data source")
    if not troubles:
        return f'<h1><span class="good">All is well</span> with {sources}</h1>'
    listed = "".join(f"<li>{sentence}</li>" for sentence in troubles)
    word = "matter needs" if len(troubles) == 1 else "matters need"
    return (
        f'<h1><span class="bad">{len(troubles)} {word} attention</span> among {sources}</h1><ul>{listed}</ul>'
    )


def _about_times(zone: str) -> str:
    if zone == UTC:
        return "All times are UTC."
    name = escape(zone)
    return (
        f"All times on this page are those of {name}. In the data sources times are in UTC, with the time in {name} "
        "beside each in a column that bears its name."
    )


def _troubles(row: Row, show: Show) -> list[str]:
    """What somebody should look at, in sentences."""
    name = f"<b>{escape(row['datasource'] or ' '.join(filter(None, (row['source'], row['stream']))))}</b>"
    found = []
    if row["status"] not in {_GOOD, "dry run"}:
        reason = escape(row["error"] or "it did not come to its end; the next run finishes it")
        found.append(f"{name}: the last load of {show(row['started_at'])} failed: {reason}")
    if row["rejected"]:
        found.append(f"{name}: {_count(row['rejected'], 'record')} did not fit and went into quarantine.")
    if row["unresolved"]:
        found.append(f"{name}: {_count(row['unresolved'], 'reference')} to something that is not there.")
    return found


def _section(
    source: str,
    history: Mapping[tuple[str, str], list[Row]],
    published: Mapping[tuple[str, str], dt.datetime],
    show: Show,
) -> str:
    body = "".join(
        _line(loads, published.get(key), show)
        for key, loads in sorted(history.items(), key=lambda item: _name(item[1][0]).casefold())
    )
    heads = ("Data source", "True in the source", "Reached Tableau", "Rows", "Set aside", "Unresolved")
    head = "".join(
        f"<th{' class=number' if title in {'Rows', 'Set aside', 'Unresolved'} else ''}>{title}</th>"
        for title in heads
    )
    title = f"<h2>{escape(source)}</h2>" if source else ""
    return (
        f"{title}<table><thead><tr>{head}<th>Changes in the last loads</th></tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _line(loads: Sequence[Row], published_at: dt.datetime | None, show: Show) -> str:
    row = loads[0]
    good = next((load for load in loads if load["status"] == _GOOD), None)
    true_at = (good["extracted_at"] or good["started_at"]) if good else None
    mark = "" if row["status"] in {_GOOD, "dry run"} else f' <span class="bad">{escape(row["status"])}</span>'
    cells = (
        f'<td class="name" data-label="">{escape(_name(row))}{mark}</td>'
        f'<td class="time" data-label="True in the source">{show(true_at)}</td>'
        f'<td class="time" data-label="Reached Tableau">{show(published_at)}</td>'
        f'<td class="number" data-label="Rows">{(good or row)["total"]:,}</td>'
        f'<td class="number{" warn" if row["rejected"] else ""}" data-label="Set aside">{row["rejected"]:,}</td>'
        f'<td class="number{" warn" if row["unresolved"] else ""}" data-label="Unresolved">{row["unresolved"]:,}</td>'
        f'<td class="chart">{_chart(loads, show)}</td>'
    )
    return f"<tr>{cells}</tr>"


def _chart(loads: Sequence[Row], show: Show) -> str:
    """Bars of what the last loads changed, the oldest first; a failed one is red and full."""
    shown = list(reversed(loads[:_BARS]))
    changes = [load["new"] + load["changed"] + load["deleted"] for load in shown]
    most = max([*changes, 1])
    bars = []
    for place, (load, changed) in enumerate(zip(shown, changes, strict=True)):
        failed = load["status"] not in {_GOOD, "dry run"}
        height = _HEIGHT if failed else max(round(changed / most * _HEIGHT), 1)
        told = load["status"] if failed else f"{changed:,} changes"
        bars.append(
            f'<rect{" class=bad" if failed else ""} x="{place * (_BAR + _GAP)}" y="{_HEIGHT - height}" width="{_BAR}" '
            f'height="{height}"><title>{show(load["started_at"])}: {escape(told)}</title></rect>'
        )
    width = _BARS * (_BAR + _GAP)
    label = f"Changes in the last {len(shown)} loads, up to {most:,}"
    return (
        f'<svg role="img" aria-label="{label}" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}">{"".join(bars)}</svg>'
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(row: Row) -> str:
    return str(row["datasource"] or row["stream"])


def _clock(zone: str) -> Show:
    clock = zoneinfo.ZoneInfo(zone)

    def show(moment: dt.datetime | None) -> str:
        if moment is None:
            return "never"
        aware = (
            moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        )  # the ledger's are UTC without saying so
        return f"{aware.astimezone(clock):%Y-%m-%d %H:%M}"

    return show

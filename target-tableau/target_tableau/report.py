"""The table that a person reads after a run: what landed, of what, and whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 75
"""The table fits terminals and logs of this many columns."""

_HEAD = ("data source", "rows", "changes", "seconds", "total")


def render(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lay out ledger rows as lines of at most `WIDTH` characters, numbers to the right.

    `rows` came from the source; `changes` are what they made of the extract (+ new, ~ changed, - deleted); `total`
    is what it holds now. A load that did not end well has its status and, below the table, its error in full.
    """
    rows = list(rows)
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(1, len(_HEAD))]
    room = WIDTH - sum(widths) - 2 * len(widths)
    name_width = min(room, max(len(line[0]) for line in cells))
    lines = [_line(line, name_width, widths) for line in cells]
    lines.insert(1, "-" * len(lines[0]))
    lines += [
        f"{row['stream']}: {row['unresolved']:,} references to rows that are not there; see the log."
        for row in rows
        if row["unresolved"]
    ]
    return lines + [f"{row['stream']}: {row['error']}" for row in rows if row["error"]]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    name = row["datasource"] or f"{row['source']} {row['stream']}".strip()
    if row["status"] != "done":
        name = f"{name} [{row['status']}]"
    signs: tuple[tuple[str, int], ...] = (("+", row["new"]), ("~", row["changed"]), ("-", row["deleted"]))
    if row["rejected"]:
        signs = (*signs, ("rejected ", row["rejected"]))
    changes = " ".join(f"{sign}{number:,}" for sign, number in signs if number) or "none"
    return (name, f"{row['read']:,}", changes, f"{row['seconds'] or 0:,}", f"{row['total']:,}")


def _line(cells: Sequence[str], name_width: int, widths: Sequence[int]) -> str:
    name = cells[0] if len(cells[0]) <= name_width else cells[0][: name_width - 1] + "~"
    numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells[1:], widths, strict=True))
    return f"{name.ljust(name_width)}  {numbers}"

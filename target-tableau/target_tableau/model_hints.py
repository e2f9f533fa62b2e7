"""What the columns of models and snapshots mean, told from the streams that they are made of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from target_tableau.captions import caption_of
from target_tableau.columns import Kind
from target_tableau.hints import BASE, NO_COLUMN_HINTS, ColumnHints, StreamHints
from target_tableau.meaning import NOT_ADDED_UP, NUMBERS, measure_of
from target_tableau.models import UNRESOLVED
from target_tableau.snapshots import SNAPSHOT_DATE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_tableau.columns import Type
    from target_tableau.conditions import Condition
    from target_tableau.known_hints import KnownHints
    from target_tableau.model_rules import Computed, Join, Model
    from target_tableau.snapshots import Snapshot

_CHECKS: Final = "Checks"


def of_model_columns(
    model: Model, columns: Mapping[str, Type], known: KnownHints, names: Callable[[str], Mapping[str, str]]
) -> dict[str, ColumnHints]:
    """The hints of a model's columns.

    Those of the fact keep theirs. What was joined is called as the rule calls it, stands in a folder of the join, and
    is never summed, for a row of a dimension is repeated on many rows of the fact.

    Args:
        model: The rule.
        columns: Its columns.
        known: What the streams have told.
        names: Stream -> property -> column, where they differ.
    """
    found = {name: hints for name, hints in known.columns(model.fact).items() if name in columns}
    taken = {hints.label.casefold() for hints in found.values()}
    for join in model.joins:
        told, named = known.columns(join.stream), names(join.stream)
        for source, name in join.columns.items():
            if name in columns:
                base = told.get(named.get(source, source), NO_COLUMN_HINTS)
                hints = _joined(join, source, name, base, columns[name])
                label = hints.label or caption_of(name)
                if label.casefold() in taken:  # the fact keeps a name of its own, as it was on the document
                    hints = dataclasses.replace(hints, label=f"{label} ({caption_of(join.stream).lower()})")
                found[name] = hints
    of_fact = names(model.fact)
    for name, how in model.computed.items():
        found[name] = _computed(how, found, of_fact)
    found[UNRESOLVED] = ColumnHints(
        label="Unresolved references",
        description="Names what the row refers to and was not found; empty if all was.",
        folder=_CHECKS,
    )
    return found


def _joined(join: Join, source: str, name: str, base: ColumnHints, kind: Type) -> ColumnHints:
    where = join.name[:1].upper() + join.name[1:]
    label = base.label or caption_of(source)
    hints = dataclasses.replace(
        base,
        label=base.label if source == name else caption_of(name),
        description=f"{label} of the {join.name}. {base.description}".strip(),
        folder=base.folder if base.hidden else where,
        source_name="",
        not_over=(),
    )
    if kind.kind not in NUMBERS or base.role == "dimension":
        return hints
    if kind.kind is Kind.BIGINT and not base.currency:
        return dataclasses.replace(hints, role="dimension", aggregation="", format="")
    if (base.format or measure_of(name, kind)) in NOT_ADDED_UP:
        return hints
    told = f"{hints.description} It is repeated on every row: do not add it up."
    return dataclasses.replace(hints, role="measure", aggregation="Max", description=told)


def _computed(how: Computed, found: Mapping[str, ColumnHints], of_fact: Mapping[str, str]) -> ColumnHints:
    used = {name: found.get(of_fact.get(name, name), NO_COLUMN_HINTS) for name in (*how.plus, *how.minus)}
    currencies = {hints.currency for hints in used.values()}

    def labels(names: tuple[str, ...]) -> str:
        return " and ".join(used[name].label or caption_of(name) for name in names)

    said = f"{labels(how.plus)} less {labels(how.minus)}." if how.plus and how.minus else ""
    if not said:
        said = f"{labels(how.plus)}." if how.plus else f"{labels(how.minus)}, with the sign turned."
    conditions = [_condition(condition) for condition in how.only_where]
    conditions += [
        f"{caption_of(column)} is {_listed(values)}: then the sign is turned"
        for column, values in how.negate_where.items()
    ]
    if how.only_where:
        said = f"{said} Zero unless {' and '.join(conditions[: len(how.only_where)])}."
    for turned in conditions[len(how.only_where) :]:
        said = f"{said} {turned}."
    not_over = tuple(dict.fromkeys(over for hints in used.values() for over in hints.not_over))
    currency = currencies.pop() if len(currencies) == 1 else ""
    return ColumnHints(
        description=said,
        role="measure",
        format="" if currency else "amount",
        currency=currency,
        not_over=not_over,
    )


def of_model(model: Model, known: KnownHints) -> StreamHints:
    """The hints of a model as a whole: those of its fact, and what was joined."""
    fact = known.stream(model.fact)
    joined = [join.name for join in model.joins]
    said = f"{fact.title or caption_of(model.fact)}{f' with {_listed(joined)}' if joined else ''}."
    notes = [f"Only rows where {_condition(condition)}." for condition in model.where]
    return dataclasses.replace(
        fact,
        title=caption_of(model.name),
        description=f"{said} {fact.description}".strip(),
        notes=(*notes, *fact.notes),
    )


def of_snapshot_columns(
    stream: str, columns: Mapping[str, Type], known: KnownHints
) -> dict[str, ColumnHints]:
    """The hints of a snapshot's columns: those of the stream, of which none is to be added up over days."""
    found = {
        name: dataclasses.replace(hints, not_over=(*hints.not_over, SNAPSHOT_DATE))
        if hints.currency == BASE
        else hints
        for name, hints in known.columns(stream).items()
        if name in columns
    }
    found[SNAPSHOT_DATE] = ColumnHints(label="Snapshot date", description="The day of the copy.")
    return found


def of_snapshot(snapshot: Snapshot, known: KnownHints) -> StreamHints:
    """The hints of a snapshot as a whole."""
    base = known.stream(snapshot.stream)
    which = "the last of each month" if snapshot.monthly else "one a day"
    said = f"Copies of {base.title or caption_of(snapshot.stream)}, {which}."
    only = [f"Only rows where {_condition(condition)}." for condition in snapshot.where]
    grain = f"For each day: {base.grain[:1].lower()}{base.grain[1:]}" if base.grain else ""
    notes = ("Choose one Snapshot date before adding up.", *only, *base.notes)
    return dataclasses.replace(
        base,
        title=caption_of(snapshot.name),
        description=f"{said} {base.description}".strip(),
        grain=grain,
        notes=notes,
    )


def _condition(condition: Condition) -> str:
    values = [str(value) for value in condition.values if value is not None]
    listed = " or ".join([*values, *(["empty"] if None in condition.values else [])])
    return f"{caption_of(condition.column)} is {'not ' if condition.is_not else ''}{listed}"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

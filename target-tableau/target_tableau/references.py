"""Whether what facts refer to is there: accounts, cost centres, vendors (setting `references`)."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from tableauhyperapi import escape_name
from typing_extensions import override

from target_tableau.errors import ExtractError, SettingError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from target_tableau.hyper import Engine

_LISTED = 5


@dataclasses.dataclass(frozen=True)
class Reference:
    """A property whose values must be found in a property of another stream.

    Attributes:
        stream: Where the reference is made.
        property: Which property makes it.
        target_stream: Where it must be found.
        target_property: In which property.
        must_resolve: An unresolved value stops the run; otherwise it is told.
    """

    stream: str
    property: str
    target_stream: str
    target_property: str
    must_resolve: bool = False

    @classmethod
    def parse(cls, rule: Mapping[str, str]) -> Reference:
        """Read a rule of the setting.

        Raises:
            SettingError: It is not written as `stream.property`.
        """
        stream, dot, name = rule["from"].rpartition(".")
        target, target_dot, target_name = rule["to"].rpartition(".")
        if not (dot and target_dot and stream and target):
            raise SettingError(
                f"references: '{rule['from']}' -> '{rule['to']}' must name streams and properties, like "
                "bill_lines.account -> gl_accounts.account_cd."
            )
        return cls(stream, name, target, target_name, rule.get("on_unresolved") == "fail")

    @override
    def __str__(self) -> str:
        return f"{self.stream}.{self.property} -> {self.target_stream}.{self.target_property}"


@dataclasses.dataclass(frozen=True)
class Unresolved:
    """What one reference does not find.

    Attributes:
        reference: The reference.
        rows: How many rows name a value that is not there.
        values: How many such values there are.
        examples: Some of them with their number of rows, the most frequent first.
    """

    reference: Reference
    rows: int
    values: int
    examples: tuple[tuple[object, int], ...]

    @override
    def __str__(self) -> str:
        named = ", ".join(f"{shorten(value)} ({rows:,} rows)" for value, rows in self.examples)
        more = f" and {self.values - len(self.examples):,} more" if self.values > len(self.examples) else ""
        return (
            f"{self.reference}: {self.rows:,} rows name {self.values:,} values that {self.reference.target_stream} "
            f"does not have: {named}{more}."
        )


def unresolved(
    engine: Engine, reference: Reference, extract: Callable[[str], Path], column: Callable[[str, str], str]
) -> Unresolved | None:
    """Look a reference up across two extracts; None when all is found, or one of the extracts is not there yet.

    Args:
        engine: The run's engine.
        reference: What to check.
        extract: Stream -> its newest extract.
        column: Stream and property -> name of the column.

    Raises:
        ExtractError: An extract lacks the column, or does not open.
    """
    fact, dimension = extract(reference.stream), extract(reference.target_stream)
    if not (fact.exists() and dimension.exists()):
        return None
    name = column(reference.stream, reference.property)
    target = column(reference.target_stream, reference.target_property)
    with contextlib.ExitStack() as stack:
        f = stack.enter_context(engine.attached(fact))
        d = f if dimension == fact else stack.enter_context(engine.attached(dimension))
        value, found = f"f.{escape_name(name)}", f"d.{escape_name(target)}"
        if engine.columns(f).get(name) != engine.columns(d).get(
            target
        ):  # Hyper compares no text with a number
            value, found = f"CAST({value} AS TEXT)", f"CAST({found} AS TEXT)"
        missing = (
            f"SELECT {value} AS value, COUNT(*) AS named FROM {f.sql} f WHERE {value} IS NOT NULL AND NOT EXISTS "
            f"(SELECT 1 FROM {d.sql} d WHERE {found} = {value}) GROUP BY {value}"
        )
        try:
            (totals,) = engine.rows(f"SELECT COUNT(*), COALESCE(SUM(m.named), 0) FROM ({missing}) m")
            examples = (
                engine.rows(f"{missing} ORDER BY named DESC, value LIMIT {_LISTED}") if totals[0] else []
            )
        except ExtractError as failure:
            raise ExtractError(f"The reference {reference} cannot be checked: {failure}") from failure
    if not totals[0]:
        return None
    return Unresolved(
        reference, int(totals[1]), int(totals[0]), tuple((value, int(rows)) for value, rows in examples)
    )

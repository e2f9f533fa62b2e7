"""What a tap's schema tells about the meaning of its columns, beside their types.

`title` and `description` are JSON Schema's own. The rest stands in `x-sql-datatype-properties`, of a property and of
the whole schema: a Singer catalog and the Singer SDK drop every other key that they do not know
(`singer_sdk.singerlib.Schema`). The README ("Hints for Tableau") is the reference.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from target_tableau.captions import is_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

logger = logging.getLogger(__name__)

ROLES: Final = ("dimension", "measure")
AGGREGATIONS: Final = {
    "sum": "Sum",
    "avg": "Avg",
    "min": "Min",
    "max": "Max",
    "median": "Median",
    "count": "Count",
    "countd": "CountD",
}
"""How a hint spells an aggregation -> how Tableau does."""

FORMATS: Final = (
    "amount",
    "quantity",
    "price",
    "rate",
    "percent",
    "fraction",
    "integer",
    "date",
    "date-time",
    "none",
)
BASE: Final = "base"
DOCUMENT: Final = "document"

_KEY: Final = "x-sql-datatype-properties"
_OWN_FORMAT: Final = re.compile(r"[ncp*][^\x00-\x1f]*[#0?%a-z][^\x00-\x1f]*")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclasses.dataclass(frozen=True)
class ColumnHints:
    """What a schema tells about one property; empty where it tells nothing.

    Attributes:
        label: What people call it.
        description: What it means.
        source_name: Its name in the source, where `title` holds that instead of a label.
        role: dimension or measure.
        aggregation: As Tableau spells it.
        format: One of `FORMATS`, or a default-format of Tableau's own.
        folder: The folder that it belongs in.
        currency: `base`, `document`, or the ISO code of the one currency that all its values are in.
        not_over: Properties over which it must not be summed.
        hidden: Authors do not see it; None leaves that to the loader.
    """

    label: str = ""
    description: str = ""
    source_name: str = ""
    role: str = ""
    aggregation: str = ""
    format: str = ""
    folder: str = ""
    currency: str = ""
    not_over: tuple[str, ...] = ()
    hidden: bool | None = None


@dataclasses.dataclass(frozen=True)
class StreamHints:
    """What a schema tells about its stream; empty where it tells nothing.

    Attributes:
        title: What people call it.
        description: What it holds.
        grain: What a row is.
        base_currency: ISO code of the books' own currency.
        notes: What must be known to count right.
    """

    title: str = ""
    description: str = ""
    grain: str = ""
    base_currency: str = ""
    notes: tuple[str, ...] = ()


NO_COLUMN_HINTS: Final = ColumnHints()
NO_STREAM_HINTS: Final = StreamHints()


def column_hints(stream: str, name: str, schema: Mapping[str, Any]) -> ColumnHints:
    """The hints of a property. One that is not understood is told in the log and left out."""
    told = _Told(f"Stream '{stream}': the hint {{}} of '{name}'", schema)
    title = told.standard("title")
    identifier = is_identifier(title)
    return ColumnHints(
        label=told.text("label") or ("" if identifier else title),
        description=told.standard("description"),
        source_name=title if identifier else "",
        role=told.one_of("role", dict(zip(ROLES, ROLES, strict=True))),
        aggregation=told.one_of("aggregation", AGGREGATIONS),
        format=told.matching("format", FORMATS, _OWN_FORMAT),
        folder=told.text("folder"),
        currency=told.matching("currency", (BASE, DOCUMENT), _CURRENCY),
        not_over=told.texts("not_over"),
        hidden=told.flag("hidden"),
    )


def stream_hints(stream: str, schema: Mapping[str, Any]) -> StreamHints:
    """The hints of a stream, from the root of its schema."""
    told = _Told(f"Stream '{stream}': the hint {{}}", schema)
    title = told.standard("title")
    return StreamHints(
        title="" if is_identifier(title) else title,
        description=told.standard("description"),
        grain=told.text("grain"),
        base_currency=told.matching("base_currency", (), _CURRENCY),
        notes=told.texts("notes"),
    )


class _Told:
    """Reads hints and warns of those that make no sense; a stranger's schema never stops a load.

    Args:
        where: The beginning of a warning, with a place for the hint's name.
        schema: Where they stand.
    """

    def __init__(self, where: str, schema: Mapping[str, Any]) -> None:
        self._where = where
        self._schema = schema
        own = schema.get(_KEY)
        self._own: Mapping[str, Any] = own if isinstance(own, dict) else {}

    def standard(self, name: str) -> str:
        """A key of JSON Schema's own, in one line; some schemas put other things there."""
        value = self._schema.get(name)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def text(self, name: str) -> str:
        value = self._own.get(name)
        if value is None or isinstance(value, str):
            return " ".join((value or "").split())
        self._warn(name, value, "text")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._own.get(name)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self._warn(name, value, "a list of texts")
        return ()

    def flag(self, name: str) -> bool | None:
        value = self._own.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._warn(name, value, "true or false")
        return None

    def one_of(self, name: str, known: Mapping[str, str]) -> str:
        value = self._own.get(name)
        found = known.get(value.lower()) if isinstance(value, str) else None
        if value is not None and found is None:
            self._warn(name, value, f"one of {', '.join(known)}")
        return found or ""

    def matching(self, name: str, known: Collection[str], pattern: re.Pattern[str]) -> str:
        value = self._own.get(name)
        if value is None:
            return ""
        if isinstance(value, str) and (value in known or pattern.fullmatch(value)):
            return value
        self._warn(name, value, f"one of {', '.join(known) or 'the ISO codes'}, or like {pattern.pattern}")
        return ""

    def _warn(self, name: str, value: object, rule: str) -> None:
        logger.warning("%s is %r instead of %s; it is ignored.", self._where.format(name), value, rule)

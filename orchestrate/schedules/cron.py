"""What a cron expression means: its fields as sets of numbers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))


class CronError(ValueError):
    """An expression that this module does not understand."""


@dataclasses.dataclass(frozen=True)
class Cron:
    """A cron expression of five fields: numbers, lists, ranges and steps.

    Attributes:
        text: The expression.
        minutes: 0 to 59.
        hours: 0 to 23.
        days: Days of the month.
        months: 1 to 12.
        weekdays: 0 (Sunday) to 6.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression.

        Raises:
            CronError: It has not five fields of numbers, or days of the month and of the week at once, which
                schedulers understand differently.
        """
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise CronError(f"'{text}' must have five fields: minute, hour, day, month, weekday.")
        minutes, hours, days, months, weekdays = (
            _numbers(text, field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
        )
        if fields[2] != "*" and fields[4] != "*":
            raise CronError(f"'{text}' names days of the month and of the week: use two schedules.")
        return cls(text, minutes, hours, days, months, frozenset(day % 7 for day in weekdays))

    @property
    def every_day(self) -> bool:
        """Whether it starts on all days."""
        return len(self.days) == 31 and len(self.months) == 12 and len(self.weekdays) == 7  # noqa: PLR2004 - a calendar

    @property
    def is_frequent(self) -> bool:
        """Whether it starts several times an hour, so that one start may be left out."""
        return len(self.minutes) > 1

    def starts(self, first: dt.date, days: int) -> Iterator[dt.datetime]:
        """Every start within so many days, on the schedule's own clock."""
        for number in range(days):
            day = first + dt.timedelta(days=number)
            if day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays:
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        yield dt.datetime.combine(day, dt.time(hour, minute))

    def per_month(self) -> float:
        """How often it starts in 30 days, on average."""
        year = sum(1 for _ in self.starts(dt.date(2027, 1, 1), 364))
        return year / 364 * 30


def _numbers(text: str, field: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            start = low if first == "*" else int(first)
            end = int(last) if dash else high if first == "*" or slash else start
            numbers = range(start, end + 1, int(step) if slash else 1)
        except ValueError as error:
            raise CronError(f"'{text}': the {name} '{field}' is not made of numbers.") from error
        if not numbers or min(numbers) < low or max(numbers) > high:
            raise CronError(f"'{text}': the {name} '{field}' is outside {low} to {high}.")
        found.update(numbers)
    return frozenset(found)

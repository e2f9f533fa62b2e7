"""Financial periods, and the balances of periods in which nothing was posted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_acumatica.errors import ForbiddenError, NotFoundError, NotSetUpError
from tap_acumatica.streams.columns import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_acumatica.paging import Row
    from tap_acumatica.tap import TapAcumatica

_ZERO: Final = Decimal(0)
_YEARS: Final = 1000
_RESULT: Final = frozenset({"Income", "Expense"})
_PLACE: Final = ("ledger", "branch", "account", "subaccount")


@dataclasses.dataclass(frozen=True)
class Period:
    """A financial period.

    Attributes:
        code: YYYYMM; 13 holds adjustments.
        starts_on: Its first day, in ISO form.
        ends_on: Its last day, in ISO form.
    """

    code: str
    starts_on: str
    ends_on: str


def calendar(tap: TapAcumatica) -> list[Period]:
    """All periods in their order, from the Master Financial Calendar; empty with a warning when it is closed."""
    try:
        years = tap.client.get(tap.site.entity("FinancialPeriod"), {"$expand": "Details", "$top": _YEARS})
    except (ForbiddenError, NotFoundError, NotSetUpError) as error:
        tap.logger.warning(
            "gl_balances: the financial periods (GL201000) cannot be read, so balances come without their dates "
            "and for periods with activity only. %s",
            error,
        )
        return []
    found = sorted(
        (
            f"{text(_value(year, 'FinancialYear'))}{text(_value(detail, 'PeriodNbr')):0>2}",
            (_value(detail, "StartDate") or "")[:10],
            (_value(detail, "EndDate") or "")[:10],
        )
        for year in years
        for detail in year.get("Details") or ()
    )
    starts = {start for _, start, _ in found}
    return [Period(code, start, _last_day(start, end, starts)) for code, start, end in found]


def _last_day(start: str, end: str, starts: set[str]) -> str:
    """The last day of a period: screens show it, the table behind them holds the day after."""
    if end > start and end in starts:
        return (dt.date.fromisoformat(end) - dt.timedelta(days=1)).isoformat()
    return end


def _value(record: Row, field: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    return (record.get(field) or {}).get("value")


def filled(rows: Iterable[Row], begun: Sequence[str]) -> Iterator[Row]:
    """Balances with those of quiet periods.

    From its first posting on, an account has a balance in every period that has begun. In a quiet one it is what
    the period before left; income and expense accounts begin each year at zero.

    Args:
        rows: Balances of periods with activity.
        begun: Codes of the periods that have begun, in their order.
    """
    ordered = sorted(rows, key=lambda row: (*(row[name] for name in _PLACE), row["period"]))
    place = {code: index for index, code in enumerate(begun)}
    for _, group in itertools.groupby(ordered, key=lambda row: tuple(row[name] for name in _PLACE)):
        active = list(group)
        for row, following in itertools.zip_longest(active, active[1:]):
            yield row
            if row["period"] in place:
                until = place.get(following["period"], len(begun)) if following else len(begun)
                yield from (_quiet(row, code) for code in begun[place[row["period"]] + 1 : until])


def _quiet(last: Row, code: str) -> Row:
    resets = last["account_type"] in _RESULT and last["period"][:4] != code[:4]
    balance = _ZERO if resets else last["fin_ytd_balance"]
    return {
        **last,
        "period": code,
        "fin_ptd_debit": _ZERO,
        "fin_ptd_credit": _ZERO,
        "fin_beg_balance": balance,
        "fin_ytd_balance": balance,
    }

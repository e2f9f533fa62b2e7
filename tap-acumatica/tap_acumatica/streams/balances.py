"""GL balances by ledger, branch, account, subaccount and period.

The contract API has no list of them. The table GLHistory does (by OData), with rows for periods with activity
only, between which the tap fills in the quiet ones; where OData is closed, the Account Summary inquiry gives them
per ledger, branch and period.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_acumatica.errors import ForbiddenError, RefusedError
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import CURSOR, TENANT, Column, amount, label, number, period, text
from tap_acumatica.streams.dac import quoted, within
from tap_acumatica.streams.feed import Doc, Feed
from tap_acumatica.streams.periods import Period, calendar, filled
from tap_acumatica.streams.stream import AcumaticaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_acumatica.decoding import Json
    from tap_acumatica.paging import Row
    from tap_acumatica.tap import TapAcumatica

NAME: Final = "gl_balances"
_FILLED_UNTIL: Final = "filled_until"
_KEYS: Final = ("ledger", "branch", "account", "subaccount", "period")
_COLUMNS: Final = (
    Column("ledger", "string", title="LedgerCD"),
    Column("branch", "string", title="BranchCD"),
    Column("account", "string", title="AccountCD"),
    Column(
        "subaccount", "string", title="SubCD", description="Empty where balances are not kept by subaccount."
    ),
    Column(
        "period", "period", title="FinPeriodID", description="Financial period, YYYYMM; 13 holds adjustments."
    ),
    Column("period_start_date", "date", title="StartDate", description="First day of the period."),
    Column("period_end_date", "date", title="EndDate", description="Last day of the period."),
    Column("account_description", "string", title="Account.Description"),
    Column(
        "account_type", "string", title="Account.Type", description="Asset, Liability, Income or Expense."
    ),
    amount("fin_ptd_debit", "FinPtdDebit", "Debits of the period in base currency.", label="Debit"),
    amount("fin_ptd_credit", "FinPtdCredit", "Credits of the period in base currency.", label="Credit"),
    amount(
        "fin_beg_balance",
        "FinBegBalance",
        "Balance before the period, in the natural sign of the account type.",
        label="Opening balance",
        not_over=["period"],
    ),
    amount(
        "fin_ytd_balance",
        "FinYtdBalance",
        "Balance after the period, in the natural sign of the account type.",
        label="Closing balance",
        not_over=["period"],
    ),
)
_STAMP: Final = Column(CURSOR, "time", (), "LastModifiedDateTime", "When the balance last changed.")
_HISTORY_KEYS: Final = ("LedgerID", "BranchID", "AccountID", "SubID", "FinPeriodID")
_AMOUNTS: Final = ("FinPtdDebit", "FinPtdCredit", "FinBegBalance", "FinYtdBalance")
_TYPES: Final = {"A": "Asset", "L": "Liability", "I": "Income", "E": "Expense"}
# The tables that turn GLHistory's numbers into codes: their number, their code, and what else is of use.
_CODES: Final = {
    "Ledger": ("LedgerID", "LedgerCD"),
    "Branch": ("BranchID", "BranchCD"),
    "Account": ("AccountID", "AccountCD", "Description", "Type"),
    "Sub": ("SubID", "SubCD"),
}
_INQUIRY_AMOUNTS: Final = {
    "fin_ptd_debit": "DebitTotal",
    "fin_ptd_credit": "CreditTotal",
    "fin_beg_balance": "BeginningBalance",
    "fin_ytd_balance": "EndingBalance",
}


def feed_of(tap: TapAcumatica) -> Feed:
    """The configured source of balances."""
    return InquiryFeed(tap) if tap.config["gl_balances_source"] == "inquiry" else HistoryFeed(tap)


class BalanceFeed(Feed):
    """What both sources share: the stream, and which balances are asked for."""

    stamped = False

    def __init__(self, tap: TapAcumatica) -> None:
        super().__init__(tap)
        columns = [*_COLUMNS, _STAMP] if self.stamped else list(_COLUMNS)
        self.streams = [AcumaticaStream(tap, NAME, columns, _KEYS, self)]
        self._names: list[str] = []
        self._periods: list[Period] = []
        self._dates: dict[str, Period] = {}

    @override
    def prepare(self, streams: Sequence[AcumaticaStream]) -> None:
        self._periods = calendar(self.tap)
        self._dates = {each.code: each for each in self._periods}
        self._names = [column.name for column in self.streams[0].wanted]

    def row(self, row: Row) -> Row:
        """The selected properties of a balance."""
        row[TENANT] = self.tap.site.tenant
        dates = self._dates.get(row["period"])
        row["period_start_date"] = dates.starts_on if dates else None
        row["period_end_date"] = dates.ends_on if dates else None
        return {name: row[name] for name in self._names}

    def is_wanted(self, row: Row) -> bool:
        """Whether the settings ask for this balance."""
        config = self.tap.config
        return (
            (not config["gl_ledgers"] or row["ledger"] in config["gl_ledgers"])
            and (not config["gl_branches"] or row["branch"] in config["gl_branches"])
            and row["period"] >= self.start_period()
        )

    def begun(self) -> list[str]:
        """The periods that have begun, in their order."""
        today = self.tap.today
        return [each.code for each in self._periods if each.starts_on <= today]

    def start_period(self) -> str:
        """The first period to read; empty for all."""
        return period(self.tap.config.get("gl_balance_start_period") or "")


class HistoryFeed(BalanceFeed):
    """Balances from GLHistory, incrementally.

    A posting into an earlier period changes the balances of all later ones, whose stamps need not move. So from
    the earliest period that has changed on, all balances are read again, and the bookmark moves only behind them.
    With quiet periods filled in, a period that begins concerns every account, and all is read once.
    """

    stamped = True

    def __init__(self, tap: TapAcumatica) -> None:
        super().__init__(tap)
        self._codes: dict[str, dict[int, Row]] = {}
        self._changed: set[str] = set()
        self._has_stamp = True

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        def where(window: Window | None) -> str:
            return within(window) if window and not keep else ""

        def take(raw: Row) -> Doc | None:
            stamp = self.tap.utc(raw["LastModifiedDateTime"]) if self._has_stamp else ""
            if keep is not None and not keep.holds(stamp):
                return None
            self._changed.add(text(raw["FinPeriodID"]))
            row = self._balance(raw)
            return Doc(stamp, self.row(row)) if self.is_wanted(row) else None

        return self._history(where).taking(take)

    @override
    def slices(self, streams: Sequence[AcumaticaStream]) -> Iterator[tuple[Window, list[Doc]]]:
        hi = self.tap.bound()
        state = self.streams[0].stream_state
        begun = self.begun() if self.tap.config["gl_balances_dense"] else []
        until = begun[-1] if begun else ""
        is_whole = self.streams[0].bookmark() is None or state.get(_FILLED_UNTIL, "") != until
        if not is_whole:
            is_whole = not self._look_for_changes(streams)
        if is_whole:
            self.is_proven = True
            yield Window(None, hi), self._from("", begun)
        else:
            yield Window(hi, hi), self._from(min(self._changed), begun) if self._changed else []
        state[_FILLED_UNTIL] = until

    def _look_for_changes(self, streams: Sequence[AcumaticaStream]) -> bool:
        """Note the periods whose balances have changed; false when balances bear no time of change here."""
        try:
            for _ in super().slices(streams):
                pass
        except RefusedError as error:
            if not self._has_stamp:
                raise
            self._has_stamp = False
            self.tap.logger.warning("%s: balances bear no time of change here; reading all. %s", NAME, error)
        return self._has_stamp

    def _from(self, first: str, begun: Sequence[str]) -> list[Doc]:
        """All balances from a period on.

        Args:
            first: The period as the table writes it; empty for all.
            begun: The periods to fill; empty for none but those with activity.
        """
        # Should the instance write periods as MMYYYY, they cannot be compared, and all are read.
        condition = f"FinPeriodID ge {quoted(first)}" if first and period(first) == first else ""
        try:
            rows = self._history(lambda _: condition).taking(self._balance).read(None)
        except RefusedError:
            if not self._has_stamp:
                raise
            self._has_stamp = False
            rows = self._history(lambda _: condition).taking(self._balance).read(None)
        dense = filled(rows, begun) if begun else rows
        return [Doc(row[CURSOR] or "", self.row(row)) for row in dense if self.is_wanted(row)]

    def _history(self, where: Callable[[Window | None], str]) -> Pages[Row]:
        columns = (*_HISTORY_KEYS, *_AMOUNTS, *(("LastModifiedDateTime",) if self._has_stamp else ()))
        return self.tap.dac.pages("GLHistory", columns, _HISTORY_KEYS, where)

    def _balance(self, raw: Row) -> Row:
        account = self._code("Account", raw["AccountID"])
        return {
            "ledger": text(self._code("Ledger", raw["LedgerID"])["LedgerCD"]),
            "branch": text(self._code("Branch", raw["BranchID"])["BranchCD"]),
            "account": text(account["AccountCD"]),
            "subaccount": text(self._code("Sub", raw["SubID"])["SubCD"]),
            "period": period(text(raw["FinPeriodID"])),
            "account_description": account["Description"],
            "account_type": _TYPES.get(account["Type"], account["Type"]),
            "fin_ptd_debit": number(raw["FinPtdDebit"]),
            "fin_ptd_credit": number(raw["FinPtdCredit"]),
            "fin_beg_balance": number(raw["FinBegBalance"]),
            "fin_ytd_balance": number(raw["FinYtdBalance"]),
            CURSOR: self.tap.utc(raw["LastModifiedDateTime"]) if self._has_stamp else None,
        }

    def _code(self, dac: str, number_: int) -> Row:
        """The row of a code table; the table is read when first needed, and again when a number is new to it."""
        if number_ not in self._codes.get(dac, {}):
            key, *others = _CODES[dac]
            rows = self.tap.dac.read(dac, (key, *others), (key,), "")
            if rows is None:
                raise ForbiddenError(f"{dac} cannot be read by OData, so balances would have no codes.")
            self._codes[dac] = {row[key]: row for row in rows}
        try:
            return self._codes[dac][number_]
        except KeyError:
            raise ForbiddenError(
                f"{dac} {number_} has balances, but the API user may not see its code."
            ) from None


class InquiryFeed(BalanceFeed):
    """Balances from the Account Summary inquiry: one call per ledger, branch and period, all of them every run.

    The inquiry's own branch would be the user's default branch, so every call names one, and the answer's rows
    are given the ledger, branch and period that were asked for.
    """

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        def fetch(_window: Window | None, _skip: int, top: int) -> Sequence[Row]:
            rows: list[Row] = []
            for ledger, branch, month in self._combinations():
                rows += self._ask(ledger, branch, month)
                if len(rows) >= top:
                    break
            return rows

        def take(row: Row) -> Doc | None:
            return Doc("", self.row(row)) if self.is_wanted(row) else None

        # The inquiry knows no pages: what comes is one page, however long.
        return Pages(fetch, lambda row: tuple(row[key] for key in _KEYS), take, sys.maxsize)

    def _ask(self, ledger: str, branch: str, month: str) -> list[Row]:
        body = {
            "Ledger": {"value": ledger},
            "Branch": {"value": branch},
            "Period": {"value": f"{month[4:]}{month[:4]}"},
        }
        answer = self.tap.client.put(
            self.tap.site.entity("AccountSummaryInquiry"), {"$expand": "Results"}, body
        )
        return [
            {
                "ledger": ledger,
                "branch": branch,
                "account": text(_value(result, "Account")),
                "subaccount": text(_value(result, "Subaccount") or ""),
                "period": month,
                "account_description": _value(result, "Description"),
                "account_type": label(_value(result, "Type")),
                **{name: number(_value(result, theirs) or 0) for name, theirs in _INQUIRY_AMOUNTS.items()},
            }
            for result in answer["Results"]
        ]

    def _combinations(self) -> Iterator[tuple[str, str, str]]:
        config = self.tap.config
        months = [month for month in self.begun() if month >= self.start_period()]
        for ledger in config["gl_ledgers"] or self._ledgers():
            for branch in config["gl_branches"] or self._branches():
                for month in months:
                    yield ledger, branch, month

    def _ledgers(self) -> list[str]:
        rows = self.tap.client.get(self.tap.site.entity("Ledger"), {"$top": 1000})
        return [text(_value(row, "LedgerID")) for row in rows]

    def _branches(self) -> list[str]:
        answer = self.tap.client.put(self.tap.site.entity("CompaniesStructure"), {"$expand": "Results"}, {})
        return list(dict.fromkeys(text(_value(row, "BranchID")) for row in answer["Results"]))


def _value(record: Row, field: str) -> Json:
    return (record.get(field) or {}).get("value")

"""Small master records: terms, currencies and rates, classes, sites, periods, banks, a user table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.company import chart
from tests.sandbox.company.money import rate_on
from tests.sandbox.epicor_kinetic import FISCAL_CALENDAR, SITE
from tests.sandbox.epicor_kinetic.schema import made, table
from tests.sandbox.epicor_kinetic.tables.ledger import bank_account
from tests.sandbox.epicor_kinetic.view import fiscal, gl_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.epicor_kinetic.schema import Made
    from tests.sandbox.epicor_kinetic.view import View

_GROUPS = (("LOCAL", "Local suppliers"), ("FOREIGN", "Foreign suppliers"), ("SERVICE", "Service suppliers"))
_CLASSES = (("STK", "Stock"), ("NON", "Services and others"))
_DEFAULT_COST_CODE = "00-000"


def _terms(view: View) -> Iterator[Made]:
    for terms in view.company.terms.values():
        yield made(
            terms,
            {"TermsCode": terms.code, "Description": terms.description, "NumberOfDays": terms.days},
        )


def _currencies(view: View) -> Iterator[Made]:
    for currency in view.company.currencies.values():
        yield made(
            currency,
            {
                "CurrencyCode": currency.code,
                "CurrDesc": currency.name,
                "CurrSymbol": currency.symbol,
                "CurrencyID": currency.code,
                "BaseCurr": currency.code == view.company.base_currency,
                "DecimalsGeneral": currency.precision,
            },
        )


def _rates(view: View) -> Iterator[Made]:
    """One rate per currency and month, as somebody types them in."""
    for period in view.company.periods.values():
        for code in ("EUR", "GBP"):
            yield made(
                period,
                {
                    "RateGrpCode": "MAIN",
                    "SourceCurrCode": code,
                    "TargetCurrCode": view.company.base_currency,
                    "EffectiveDate": period.starts_on,
                    "CurrentRate": rate_on(view.company.seed, code, period.starts_on),
                    "SysDate": period.created_at.date(),
                    "SysTime": period.created_at.hour * 3600 + period.created_at.minute * 60,
                },
                code,
            )


def _vendor_groups(view: View) -> Iterator[Made]:
    for code, name in _GROUPS:
        yield made(
            view.company.branches[view.branch], {"GroupCode": code, "GroupDesc": name}, f"group|{code}"
        )


def _part_classes(view: View) -> Iterator[Made]:
    for code, name in _CLASSES:
        yield made(
            view.company.branches[view.branch], {"ClassID": code, "Description": name}, f"class|{code}"
        )


def _sites(view: View) -> Iterator[Made]:
    branch = view.company.branches[view.branch]
    yield made(branch, {"Plant1": SITE, "Name": branch.name, "Country": branch.country}, "site")


def _periods(view: View) -> Iterator[Made]:
    for period in view.company.periods.values():
        year, month = fiscal(period.code)
        yield made(
            period,
            {
                "FiscalCalendarID": FISCAL_CALENDAR,
                "FiscalYear": year,
                "FiscalYearSuffix": "",
                "FiscalPeriod": month,
                "StartDate": period.starts_on,
                "EndDate": period.ends_on,
                "ClosedPeriod": period.closed,
            },
        )


def _banks(view: View) -> Iterator[Made]:
    for currency, code in chart.CASH.items():
        account = view.company.accounts[code]
        yield made(
            account,
            {
                "BankAcctID": bank_account(code),
                "Description": account.name,
                "CurrencyCode": currency,
                "CheckingAccount": f"00{code}",
                "GLAccount": gl_account(code, chart.NO_COST_CENTER),
            },
            "bank",
        )


def _user_table(view: View) -> Iterator[Made]:
    """What this customer keeps in UD01: cost codes of projects."""
    for code in view.company.cost_codes.values():
        yield made(
            code,
            {
                "Key1": code.code,
                "Key2": "",
                "Key3": "",
                "Key4": "",
                "Key5": "",
                "Character01": code.name,
                "Number01": code.cost_code_id,
                "Date01": code.created_at.date(),
                "CheckBox01": code.code == _DEFAULT_COST_CODE,
                "ShortChar01": code.code[:2],
            },
        )


def _repeated(name: str, count: int, kind: str) -> str:
    return " ".join(f"{name}{index:02d}:{kind}" for index in range(1, count + 1))


TABLES = (
    table("PurTerms", "TermsCode", _terms, "TermsCode Description NumberOfDays:int"),
    table("Terms", "TermsCode", _terms, "TermsCode Description NumberOfDays:int"),
    table(
        "Currency",
        "CurrencyCode",
        _currencies,
        "CurrencyCode CurrDesc CurrSymbol CurrencyID BaseCurr:bool DecimalsGeneral:int",
    ),
    table(
        "CurrExRate",
        "RateGrpCode SourceCurrCode TargetCurrCode EffectiveDate",
        _rates,
        "RateGrpCode SourceCurrCode TargetCurrCode EffectiveDate:date CurrentRate:dec SysDate:date SysTime:int",
    ),
    table("VendGrup", "GroupCode", _vendor_groups, "GroupCode GroupDesc"),
    table("PartClass", "ClassID", _part_classes, "ClassID Description"),
    table("Plant", "Plant1", _sites, "Plant1 Name Country US1099Name US1099State"),
    table(
        "FiscalPer",
        "FiscalCalendarID FiscalYear FiscalYearSuffix FiscalPeriod",
        _periods,
        "FiscalCalendarID FiscalYear:int FiscalYearSuffix FiscalPeriod:int StartDate:date EndDate:date"
        " ClosedPeriod:bool",
    ),
    table(
        "BankAcct",
        "BankAcctID",
        _banks,
        "BankAcctID Description CurrencyCode CheckingAccount IBANCode GLAccount",
    ),
    table(
        "UD01",
        "Key1 Key2 Key3 Key4 Key5",
        _user_table,
        "Key1 Key2 Key3 Key4 Key5 "
        + " ".join(
            (
                _repeated("Character", 10, "text"),
                _repeated("Number", 20, "dec"),
                _repeated("Date", 20, "date"),
                _repeated("CheckBox", 20, "bool"),
                _repeated("ShortChar", 20, "text"),
            )
        ),
    ),
)

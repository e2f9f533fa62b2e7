"""The chart of accounts and the small tables around it."""

from __future__ import annotations

import datetime as dt
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import AccountType
from tests.sandbox.company.money import rate_on
from tests.sandbox.exact_online.clock import midnight
from tests.sandbox.exact_online.rows import journals
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import VAT_CODES, day, period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Account
    from tests.sandbox.exact_online.rows.view import View

_RESULT = frozenset({AccountType.INCOME, AccountType.EXPENSE})
_DEBIT = frozenset({AccountType.ASSET, AccountType.EXPENSE})
# Types of GL accounts as the reference numbers them: bank 12, receivable 20, payable 22, VAT 24, current assets 32,
# current liabilities 55, equity 52, revenue 110, cost of goods 111, other costs 121.
_TYPES = {
    AccountType.ASSET: (32, "Current portion of assets"),
    AccountType.LIABILITY: (55, "Current liabilities"),
    AccountType.EQUITY: (52, "Capital stock"),
    AccountType.INCOME: (110, "Revenue"),
    AccountType.EXPENSE: (121, "Sales, general and administrative expenses"),
}
SCHEME_CODE = "RGS"
SCHEME_NAME = "Reference ledger scheme"


def balance_type(type_: AccountType) -> str:
    """B for the balance sheet, W for profit and loss."""
    return "W" if type_ in _RESULT else "B"


def gl_accounts(view: View) -> Iterator[Row]:
    """`GLAccounts`."""
    for account in view.company.accounts.values():
        kind, name = (12, "Bank") if account.is_cash else _TYPES[account.type]
        values = {
            "ID": view.master_id(account),
            "Code": account.code,
            "Description": account.name,
            "SearchCode": account.name[:10].upper(),
            "BalanceSide": "D" if account.type in _DEBIT else "C",
            "BalanceType": balance_type(account.type),
            "Type": kind,
            "TypeDescription": name,
            "IsBlocked": not account.active,
            "Compress": False,
            "Matching": False,
            "RevalueCurrency": False,
            "UseCostcenter": 1,
            "UseCostunit": 0,
            "AllowCostsInSales": 0,
            "ExcludeVATListing": 0,
        }
        yield view.row(account, values["ID"], values)


def _scheme_id(view: View) -> str:
    return view.master_id(view.branch, "scheme")


def _class_id(view: View, type_: AccountType) -> str:
    return view.master_id(view.branch, "classification", type_)


def gl_schemes(view: View) -> Iterator[Row]:
    """`GLSchemes`: there is one."""
    values = {"ID": _scheme_id(view), "Code": SCHEME_CODE, "Description": SCHEME_NAME, "Main": 1}
    yield view.row(view.branch, values["ID"], values)


def gl_classifications(view: View) -> Iterator[Row]:
    """`GLClassifications`: one for each kind of account."""
    for type_ in AccountType:
        values = {
            "ID": _class_id(view, type_),
            "Code": type_[:3].upper(),
            "Name": type_.title(),
            "Description": f"{type_.title()} accounts",
            "Balance": "D" if type_ in _DEBIT else "C",
            "PeriodType": "duration" if type_ in _RESULT else "instant",
            "Abstract": False,
            "Nillable": True,
            "IsTupleSubElement": False,
            "TaxonomyNamespace": _scheme_id(view),
            "TaxonomyNamespaceDescription": SCHEME_NAME,
        }
        yield view.row(view.branch, values["ID"], values)


def gl_account_classification_mappings(view: View) -> Iterator[Row]:
    """`GLAccountClassificationMappings`: it has no stamps."""
    for account in view.company.accounts.values():
        yield Row(view.master_id(account, "mapping"), _mapping(view, account))


def _mapping(view: View, account: Account) -> dict[str, object]:
    return {
        "ID": view.master_id(account, "mapping"),
        "Division": view.division,
        "Classification": _class_id(view, account.type),
        "ClassificationCode": account.type[:3].upper(),
        "ClassificationDescription": f"{account.type.title()} accounts",
        "GLSchemeID": _scheme_id(view),
        "GLSchemeCode": SCHEME_CODE,
        "GLSchemeDescription": SCHEME_NAME,
        **view.gl_columns(account.code),
    }


def journal_books(view: View) -> Iterator[Row]:
    """`Journals`."""
    for book in journals.BOOKS.values():
        values = {
            "ID": view.master_id(view.branch, "journal", book.code),
            "Code": book.code,
            "Description": book.name,
            "Type": book.type,
            "Currency": book.currency,
            "CurrencyDescription": view.company.currencies[book.currency].name,
            "IsBlocked": False,
            "AllowVariableCurrency": True,
            "AllowVariableExchangeRate": True,
            "AllowVAT": True,
            "AutoSave": False,
            **(view.gl_columns(book.gl_account) if book.gl_account else {}),
        }
        yield view.row(view.branch, values["ID"], values)


def financial_periods(view: View) -> Iterator[Row]:
    """`FinancialPeriods`."""
    for each in view.company.periods.values():
        year, month = period(each.code)
        values = {
            "ID": view.master_id(each),
            "FinYear": year,
            "FinPeriod": month,
            "StartDate": day(each.starts_on),
            "EndDate": day(each.ends_on),
        }
        yield view.row(each, values["ID"], values)


def cost_centers(view: View) -> Iterator[Row]:
    """`Costcenters`."""
    for each in view.company.cost_centers.values():
        values = {
            "ID": view.master_id(each),
            "Code": each.code,
            "Description": each.name,
            "Active": each.active,
        }
        yield view.row(each, values["ID"], values)


def cost_units(view: View) -> Iterator[Row]:
    """`Costunits`: the company's cost codes."""
    for each in view.company.cost_codes.values():
        values = {"ID": view.master_id(each), "Code": each.code, "Description": each.name}
        yield view.row(each, values["ID"], values)


def departments(view: View) -> Iterator[Row]:
    """`Departments`: one behind each cost centre."""
    for each in view.company.cost_centers.values():
        values = {
            "ID": view.master_id(each, "department"),
            "Code": f"D{each.code}",
            "Description": each.name,
            "Costcenter": each.code,
            "CostcenterDescription": each.name,
        }
        yield view.row(each, values["ID"], values)


def vat_codes(view: View) -> Iterator[Row]:
    """`VATCodes`: percentages are fractions."""
    for code, name, percentage in VAT_CODES:
        values = {
            "ID": view.master_id(view.branch, "vat", code),
            "Code": code.ljust(3) if view.padded else code,
            "Description": name,
            "Percentage": percentage,
            "Type": "I",
            "Country": "NL " if view.padded else "NL",
            "Charged": False,
            "IsBlocked": False,
            "IntraStat": False,
            "CalculationBasis": 0,
            "ExcludeVATListing": 0,
            "VatMargin": 0,
        }
        yield view.row(view.branch, values["ID"], values)


def vat_percentages(view: View) -> Iterator[Row]:
    """`VatPercentages`: one for each code."""
    for code, _, percentage in VAT_CODES:
        values = {
            "ID": view.master_id(view.branch, "percentage", code),
            "VATCodeID": view.master_id(view.branch, "vat", code),
            "LineNumber": 1,
            "Percentage": percentage,
            "StartDate": midnight(dt.date(2012, 10, 1)),
            "Type": 0,
        }
        yield view.row(view.branch, values["ID"], values)


def exchange_rates(view: View) -> Iterator[Row]:
    """`ExchangeRates`: those of the first day of every period."""
    company = view.company
    for each in company.periods.values():
        for currency in ("EUR", "GBP"):
            values = {
                "ID": view.master_id(each, currency),
                "SourceCurrency": currency,
                "SourceCurrencyDescription": company.currencies[currency].name,
                "TargetCurrency": company.base_currency,
                "TargetCurrencyDescription": company.currencies[company.base_currency].name,
                "Rate": rate_on(company.seed, currency, each.starts_on),
                "StartDate": day(each.starts_on),
            }
            yield view.row(each, values["ID"], values)


def budgets(view: View) -> Iterator[Row]:
    """`Budgets`: what was planned for every expense account when its period began, in whole hundreds."""
    expenses = [each for each in view.company.accounts.values() if each.type is AccountType.EXPENSE]
    scenario = view.master_id(view.branch, "scenario")
    for each in view.company.periods.values():
        year, month = period(each.code)
        for account in expenses:
            plan = zlib.crc32(f"{account.note_id}|{view.branch.code}".encode()) % 400 + 10
            values = {
                "ID": guid(each.note_id, view.division, account.code),
                "HID": year * 10_000_000 + month * 100_000 + account.account_id,
                "AmountDC": Decimal(plan * 100),
                "BudgetScenario": scenario,
                "BudgetScenarioCode": "BASE",
                "BudgetScenarioDescription": "Base plan",
                "ReportingYear": year,
                "ReportingPeriod": month,
                **view.gl_columns(account.code),
            }
            yield view.row(each, values["ID"], values)


def currencies(view: View) -> Iterator[Row]:
    """`Currencies`: keyed by code."""
    for each in view.company.currencies.values():
        step = Decimal(1).scaleb(-each.precision)
        values = {
            "Code": each.code,
            "Description": each.name,
            "AmountPrecision": step,
            "PricePrecision": step,
        }
        yield view.row(each, each.code, values)


def nothing(_: View) -> Iterator[Row]:
    """An entity that this company does not use."""
    yield from ()

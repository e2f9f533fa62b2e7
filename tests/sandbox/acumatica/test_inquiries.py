from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.acumatica.visitor import plain, values
from tests.sandbox.company.books import books_of

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor

SUMMARY, DETAILS, COMPANIES = "AccountSummaryInquiry", "AccountDetailsForPeriodInquiry", "CompaniesStructure"


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def wrapped(**parameters: object) -> dict[str, Any]:
    return {name: {"value": value} for name, value in parameters.items()}


def exact(row: dict[str, Any], name: str) -> Decimal:
    return Decimal(str(plain(row, name)))


def test_inquiry_cannot_be_read_by_get(user: Visitor) -> None:
    for name in (SUMMARY, DETAILS, COMPANIES):
        assert user.ask(name).status_code == 500


def test_without_expand_there_are_no_results(user: Visitor) -> None:
    answer = user.inquire(SUMMARY, wrapped(Ledger="ACTUAL", Period="062026"))
    assert answer.status_code == 200
    assert "Results" not in answer.json()
    assert answer.json()["Period"] == {"value": "062026"}


@pytest.mark.parametrize("branch", ["HQ", "EAST"])
@pytest.mark.parametrize("period", ["012025", "122025", "012026", "062026"])
def test_summary_agrees_with_the_books(user: Visitor, branch: str, period: str) -> None:
    company = user.world.company
    body = wrapped(Ledger="ACTUAL", Period=period, Branch=branch)
    rows = user.inquire(SUMMARY, body, expand="Results").json()["Results"]
    ending: dict[str, Decimal] = defaultdict(Decimal)
    debit: dict[str, Decimal] = defaultdict(Decimal)
    last: dict[tuple[str, str], tuple[str, Decimal]] = {}
    code = period[2:] + period[:2]
    for place, balance in books_of(company).balances.items():
        if place.branch == branch and place.period <= code:
            last[place.account, place.cost_center] = (place.period, balance.ending)
            debit[place.account] += balance.debit if place.period == code else 0
    for (account, _), (at, balance_then) in last.items():
        if company.accounts[account].type in {"income", "expense"} and at[:4] != code[:4]:
            continue
        ending[account] += balance_then
    shown = {plain(row, "Account"): row for row in rows}
    for account, expected in ending.items():
        sign = 1 if company.accounts[account].type in {"asset", "expense"} else -1
        assert exact(shown[account], "EndingBalance") == expected * sign, account
        assert exact(shown[account], "DebitTotal") == debit[account], account
    assert set(shown) == set(ending)
    total = sum(
        exact(row, "EndingBalance") * (1 if plain(row, "Type") in {"Asset", "Expense"} else -1)
        for row in rows
    )
    assert total == 0 or code < max(place.period for place in books_of(company).balances)


def test_missing_branch_means_the_default_one_only(user: Visitor) -> None:
    body = wrapped(Ledger="ACTUAL", Period="062026")
    answer = user.inquire(SUMMARY, body, expand="Results").json()
    assert answer["Branch"] == {"value": "HQ"}
    assert set(values(answer["Results"], "Branch")) == {"HQ"}
    here = user.call(
        "PUT",
        f"/entity/Default/24.200.001/{SUMMARY}?$expand=Results",
        json=body,
        headers={"PX-CbApiBranch": "EAST"},
    ).json()
    assert set(values(here["Results"], "Branch")) == {"EAST"}


def test_summary_of_one_subaccount(user: Visitor) -> None:
    whole = user.inquire(SUMMARY, wrapped(Ledger="ACTUAL", Period="062026"), expand="Results").json()[
        "Results"
    ]
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for code in user.world.company.cost_centers:
        body = wrapped(Ledger="ACTUAL", Period="062026", Subaccount=code)
        for row in user.inquire(SUMMARY, body, expand="Results").json()["Results"]:
            parts[plain(row, "Account")] += exact(row, "EndingBalance")
    assert parts == {plain(row, "Account"): exact(row, "EndingBalance") for row in whole}


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"Ledger": "ACTUAL", "Period": "132026"}, "Period"),
        ({"Ledger": "ACTUAL", "Period": "202606"}, "Period"),
        ({"Ledger": "ACTUAL"}, "Period"),
        ({"Ledger": "BUDGET", "Period": "062026"}, "Ledger"),
        ({"Period": "062026"}, "Ledger"),
        ({"Ledger": "ACTUAL", "Period": "062026", "Branch": "MOON"}, "Branch"),
        ({"Ledger": "ACTUAL", "Period": "062026", "Subaccount": "MOON"}, "Subaccount"),
    ],
)
def test_bad_parameter_is_a_422_that_points_at_it(
    user: Visitor, parameters: dict[str, str], wrong: str
) -> None:
    answer = user.inquire(SUMMARY, wrapped(**parameters), expand="Results")
    assert answer.status_code == 422
    body = answer.json()
    assert body[wrong]["error"]
    assert [name for name, field in body.items() if isinstance(field, dict) and "error" in field] == [wrong]


@pytest.mark.parametrize("body", [{"Ledger": "ACTUAL"}, {"Ledger": {"value": 5}}, []])
def test_parameters_have_to_be_wrapped(user: Visitor, body: object) -> None:
    assert user.inquire(SUMMARY, body).status_code == 400


def test_details_carry_base_currency_amounts_of_the_range(user: Visitor) -> None:
    body = wrapped(Ledger="ACTUAL", FromPeriod="052026", ToPeriod="062026")
    rows = user.inquire(DETAILS, body, expand="Results").json()["Results"]
    expected = sum(
        line.base_debit
        for journal in user.world.company.journals.values()
        if journal.status == "posted" and "202605" <= journal.period <= "202606"
        for line in journal.lines
    )
    assert sum(exact(row, "DebitAmountInBaseCurrency") for row in rows) == expected
    assert all(plain(row, "Posted") for row in rows)
    assert "LineNbr" not in rows[0]


def test_details_of_unreleased_batches_come_on_request(user: Visitor) -> None:
    waiting = user.world.life.hold_journal()
    body = wrapped(Ledger="ACTUAL", FromPeriod="062026", ToPeriod="062026")

    def batches(parameters: dict[str, Any]) -> set[tuple[str, str]]:
        rows = user.inquire(DETAILS, parameters, expand="Results").json()["Results"]
        return {(plain(row, "Module"), plain(row, "BatchNumber")) for row in rows}

    assert (waiting.module, waiting.batch_nbr) not in batches(body)
    assert (waiting.module, waiting.batch_nbr) in batches(body | wrapped(IncludeUnreleased=True))


def test_companies_structure_lists_the_branches(user: Visitor) -> None:
    rows = user.inquire(COMPANIES, {}, expand="Results").json()["Results"]
    assert values(rows, "BranchID") == ["EAST", "HQ"]
    assert set(values(rows, "BaseCurrencyID")) == {"USD"}


def test_contract_5_answers_inquiries_in_its_dialect(user: Visitor) -> None:
    user.app.switches.offer_contract_5 = True
    user.version = "26.200.001"
    rows = user.inquire(SUMMARY, wrapped(Ledger="ACTUAL", Period="062026"), expand="Results").json()[
        "Results"
    ]
    assert rows[0]["Type"] == {"value": {"id": "A", "description": "Asset"}}

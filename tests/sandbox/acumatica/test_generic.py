from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.acumatica import TENANT
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import DocumentStatus

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor

NEW = f"/t/{TENANT}/api/odata/gi"
LEGACY = f"/odata/{TENANT}"


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def rows(user: Visitor, path: str, root: str = NEW, **options: Any) -> list[dict[str, Any]]:
    answer = user.dac(path, root=root, **options)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


@pytest.mark.parametrize(("root", "context"), [(NEW, "@odata.context"), (LEGACY, "odata.metadata")])
def test_both_addresses_serve_the_same_rows(user: Visitor, root: str, context: str) -> None:
    answer = user.dac("GL Trial Balance", root=root)
    assert answer.json()[context].endswith("$metadata#GL Trial Balance")
    assert answer.json()["value"] == rows(user, "GL%20Trial%20Balance")
    assert 'Name="EndingBalance"' in user.dac("$metadata", root=root).text


def test_trial_balance_agrees_with_the_books(user: Visitor) -> None:
    debits = sum((Decimal(str(row["DebitTotal"])) for row in rows(user, "GL Trial Balance")), Decimal(0))
    assert debits == books_of(user.world.company).debits


def test_values_are_what_users_see(user: Visitor) -> None:
    row = rows(user, "GL Trial Balance", top=1)[0]
    assert row["Type"] in {"Asset", "Liability", "Income", "Expense"}
    assert len(row["FinancialPeriod"]) == 6
    assert row["FinancialPeriod"][2:].startswith("20")
    assert "+" not in row["LastModifiedOn"]
    assert not row["LastModifiedOn"].endswith("Z")


def test_moments_are_in_the_users_own_time(user: Visitor) -> None:
    bill = user.world.life.post_bill()
    user.app.switches.user_zone_minutes = -300
    row = next(each for each in rows(user, "AP Open Documents") if each["ReferenceNbr"] == bill.reference_nbr)
    assert row["LastModifiedOn"].startswith("2026-06-30T04:00:00")
    assert row["Date"] == f"{bill.date}T00:00:00"


def test_a_parameter_narrows_the_answer(user: Visitor) -> None:
    bill = user.world.life.post_bill()
    found = rows(user, f"AP Open Documents_WithParameters(Vendor='{bill.vendor}')")
    assert {row["Vendor"] for row in found} == {bill.vendor}
    is_open = [
        each
        for each in user.world.company.bills.values()
        if each.status is DocumentStatus.OPEN and each.vendor == bill.vendor
    ]
    assert len(found) == len(is_open)
    assert len(rows(user, "AP Open Documents")) > len(found)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("AP Open Documents_WithParameters(Nothing='1')", 400),
        ("AP Open Documents_WithParameters()", 400),
        ("AP Open Documents_WithParameters(Vendor=1)", 400),
        ("GL Trial Balance_WithParameters(Vendor='1')", 404),
        ("Salaries", 404),
        ("Nothing", 404),
    ],
)
def test_what_does_not_fit_is_refused(user: Visitor, path: str, status: int) -> None:
    assert user.dac(path, root=NEW).status_code == status


@pytest.mark.parametrize("options", [{"orderby": "SignedBalance"}, {"filter": "SignedBalance gt 0"}])
def test_formula_columns_give_an_empty_body_when_sorted_or_filtered(
    user: Visitor, options: dict[str, str]
) -> None:
    answer = user.dac("AR Aging", root=NEW, **options)
    assert (answer.status_code, answer.content) == (200, b"")
    total = sum((Decimal(str(row["SignedBalance"])) for row in rows(user, "AR Aging")), Decimal(0))
    assert total == books_of(user.world.company).open_receivables


def test_pages_fit_together_in_a_given_order_only(user: Visitor) -> None:
    whole = rows(user, "AP Open Documents", orderby="Type,ReferenceNbr")
    half = len(whole) // 2
    first = rows(user, "AP Open Documents", orderby="Type,ReferenceNbr", top=half)
    assert first + rows(user, "AP Open Documents", orderby="Type,ReferenceNbr", skip=half) == whole
    loose = rows(user, "AP Open Documents", top=half) + rows(user, "AP Open Documents", skip=half)
    assert len({(row["Type"], row["ReferenceNbr"]) for row in loose}) < len(whole)


def test_each_address_reads_its_own_filter_language(user: Visitor) -> None:
    new, old = "LastModifiedOn ge 2026-01-01", "LastModifiedOn ge datetime'2026-01-01T00:00:00'"
    assert rows(user, "AP Open Documents", filter=new)
    assert rows(user, "AP Open Documents", root=LEGACY, filter=old)
    assert user.dac("AP Open Documents", root=NEW, filter=old).status_code == 400
    assert user.dac("AP Open Documents", root=LEGACY, filter=new).status_code == 400
    assert rows(user, "AP Open Documents", filter="contains(Vendor,'V')")
    assert rows(user, "AP Open Documents", root=LEGACY, filter="substringof('V',Vendor)")


def test_labels_are_what_is_filtered_by(user: Visitor) -> None:
    assert rows(user, "AP Open Documents", filter="Status eq 'Open'")
    assert rows(user, "AP Open Documents", filter="Status eq 'N'") == []


@pytest.mark.parametrize("option", ["expand", "count", "apply"])
def test_what_inquiries_cannot_do_is_refused(user: Visitor, option: str) -> None:
    assert user.dac("AR Aging", root=NEW, **{option: "true"}).status_code == 400


def test_decimals_may_be_text(user: Visitor) -> None:
    user.app.switches.inquiry_decimals_as_text = True
    row = rows(user, "GL Trial Balance", top=1, select="DebitTotal")[0]
    assert list(row) == ["DebitTotal"]
    assert isinstance(row["DebitTotal"], str)


def test_rights_and_addresses_are_checked(user: Visitor) -> None:
    user.app.switches.forbidden_forms = frozenset({"GI000103"})
    assert user.dac("AR Aging", root=NEW).status_code == 403
    user.app.switches.new_odata_url = False
    assert user.dac("GL Trial Balance", root=NEW).status_code == 404
    assert user.dac("GL Trial Balance", root=LEGACY).status_code == 200
    user.app.switches.legacy_odata_url = False
    assert user.dac("GL Trial Balance", root=LEGACY).status_code == 404


def test_nobody_reads_without_signing_in(visitor: Visitor) -> None:
    assert visitor.dac("GL Trial Balance", root=NEW).status_code == 401

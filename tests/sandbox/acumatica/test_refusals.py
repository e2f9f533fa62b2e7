from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.acumatica import LIMITED_PASSWORD, LIMITED_USER_NAME, troubles
from tests.sandbox.acumatica.visitor import plain

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor

ALL = "LastModifiedDateTime ge datetimeoffset'1900-01-01T00:00:00Z'"


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def test_forbidden_form_is_named_in_the_403(user: Visitor) -> None:
    user.app.switches.forbidden_forms = frozenset({"AP303000", "GL203000"})
    answer = user.ask("Vendor")
    assert answer.status_code == 403
    text = "You have insufficient rights to access the Vendor (AP303000) form."
    assert answer.json() == {"message": text}
    assert "(GL203000)" in user.ask("Subaccount").text
    assert user.ask("Bill", top=1).status_code == 200


def test_second_user_lacks_rights_to_some_forms(visitor: Visitor) -> None:
    clerk = visitor.sign_in(username=LIMITED_USER_NAME, password=LIMITED_PASSWORD)
    assert clerk.ask("JournalTransaction").status_code == 403
    assert clerk.ask("Account").status_code == 403
    assert clerk.inquire("AccountSummaryInquiry", {}).status_code == 403
    assert clerk.ask("Bill", top=1).status_code == 200


def test_module_that_was_never_set_up(user: Visitor) -> None:
    user.app.switches.missing_setup = frozenset({"PurchaseOrder"})
    answer = user.ask("PurchaseOrder")
    assert answer.status_code == 500
    assert answer.json()["exceptionType"] == "PX.Data.PXSetupNotEnteredException"


def test_list_that_cannot_be_compiled_fails_until_the_culprit_is_left_out(user: Visitor) -> None:
    user.app.switches.cannot_optimize = {"Bill": frozenset({"Details", "TaxTotal", "$custom"})}
    for options in (
        {},
        {"select": "Type,TaxTotal"},
        {"select": "Type,Details", "expand": "Details"},
        {"select": "Type", "filter": "TaxTotal gt 0"},
        {"select": "Type", "custom": "Document.BatchNbr"},
    ):
        answer = user.ask("Bill", **options)
        assert answer.status_code == 500, options
        assert "Optimization cannot be performed" in answer.text
    row = user.rows("Bill", select="Type,ReferenceNbr", top=1)[0]
    key = f"Bill/{plain(row, 'Type')}/{plain(row, 'ReferenceNbr')}"
    assert user.ask(key, expand="Details", custom="Details/Transactions.LineNbr").json()["Details"]


def test_dead_filter_silently_finds_nothing_unless_it_names_keys(user: Visitor) -> None:
    user.app.switches.dead_filters = frozenset({"PurchaseOrder"})
    assert user.rows("PurchaseOrder", filter=ALL) == []
    assert user.rows("PurchaseOrder", top=1)
    assert user.rows("PurchaseOrder", filter="OrderNbr gt '0'", top=1)
    assert user.rows("Bill", filter=ALL, top=1)


def test_select_may_be_broken(user: Visitor) -> None:
    user.app.switches.select_broken = frozenset({"Check"})
    assert user.ask("Check", select="Type").status_code == 500
    assert user.ask("Check", top=1).status_code == 200


def test_burst_of_calls_is_declined(user: Visitor) -> None:
    now = [1000.0]
    user.app.switches.time = lambda: now[0]
    user = user.sign_in()
    user.app.switches.calls_per_second = 3
    assert [user.ask("Account", top=1).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    now[0] += 1
    assert user.ask("Account", top=1).status_code == 200


def test_error_tells_type_and_message_and_has_a_stack_trace(user: Visitor) -> None:
    body = user.ask("Bill", filter="Nothing eq 1").json()
    assert set(body) == {"message", "exceptionMessage", "exceptionType", "stackTrace"}


def test_scripted_troubles_speak_as_the_site_does(user: Visitor) -> None:
    script = user.app.script
    script.add(troubles.html_instead("/Account"))
    page = user.ask("Account", top=1)
    assert (page.status_code, page.text[:9]) == (200, "<!DOCTYPE")
    script.add(troubles.redirected("/Account"))
    moved = user.ask("Account", top=1)
    assert (moved.status_code, moved.headers["location"]) == (302, "/acme/Frames/Error.aspx")
    script.add(troubles.declined("/Account", retry_after=2))
    declined = user.ask("Account", top=1)
    assert (declined.status_code, declined.headers["retry-after"]) == (429, "2")
    script.add(troubles.killed("/Account"))
    assert user.ask("Account", top=1).json()["message"] == "An error has occurred."
    assert user.ask("Account", top=1).status_code == 200
    assert script.count(r"GET /acme/entity/Default/24\.200\.001/Account") == 5

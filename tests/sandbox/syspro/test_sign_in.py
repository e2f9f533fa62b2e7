from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.syspro import ODATA_USER_NAME, OPERATOR, OPERATOR_PASSWORD

if TYPE_CHECKING:
    from tests.sandbox.syspro.visitor import Visitor

EXPIRED = "ERROR: The supplied UserID is invalid."
TERMS = "<Query><TableName>TblApTerms</TableName><Columns><Column>TermsCode</Column></Columns></Query>"


# -------------------------------------------------------------------- OData


def test_odata_wants_the_odata_password_and_says_so(visitor: Visitor) -> None:
    for auth in (None, (ODATA_USER_NAME, "wrong"), (OPERATOR, OPERATOR_PASSWORD)):
        answer = visitor.ask("ApSupplier", auth=auth)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "<html>" in answer.text
    assert visitor.app.odata.refused == 3
    assert visitor.ask("ApSupplier").status_code == 200


def test_operator_that_the_service_has_not_loaded_is_refused_with_the_right_password(
    visitor: Visitor,
) -> None:
    visitor.switches.operator_loaded = False
    assert visitor.ask("ApSupplier").status_code == 401


@pytest.mark.parametrize("place", ["header", "query"])
def test_odata_with_a_session(visitor: Visitor, place: str) -> None:
    visitor.switches.odata_auth = "session"
    visitor.switches.session_in = "header" if place == "header" else "query"
    visitor.switches.session_name = "X-Session"
    assert visitor.ask("ApSupplier").status_code == 401
    session = visitor.session()
    if place == "header":
        answer = visitor.ask("ApSupplier", auth=None, headers={"X-Session": session})
    else:
        answer = visitor.raw(f"EDU1/ApSupplier?X-Session={session}", auth=None)
    assert answer.status_code == 200
    visitor.enet("Logoff", UserId=session)
    assert visitor.ask("ApSupplier", headers={"X-Session": session}).status_code == 401


def test_basic_and_session_needs_both(visitor: Visitor) -> None:
    visitor.switches.odata_auth = "basic+session"
    header = {"UserId": visitor.session()}
    assert visitor.ask("ApSupplier", headers=header, auth=None).status_code == 401
    assert visitor.ask("ApSupplier").status_code == 401
    assert visitor.ask("ApSupplier", headers=header).status_code == 200


def test_a_session_is_good_for_its_own_company(visitor: Visitor) -> None:
    visitor.switches.odata_auth = "session"
    header = {"UserId": visitor.session()}
    assert visitor.ask("ApSupplier", headers=header, company="EDU2").status_code == 401
    visitor.switches.session_opens_all_companies = True
    assert visitor.ask("ApSupplier", headers=header, company="EDU2").status_code == 200


def test_a_dead_session_can_be_told_in_plain_text_with_200(visitor: Visitor) -> None:
    visitor.switches.odata_auth = "session"
    visitor.switches.session_refusal = "text"
    answer = visitor.ask("ApSupplier", headers={"UserId": "0" * 34})
    assert answer.status_code == 200
    assert answer.text.startswith(EXPIRED)


# -------------------------------------------------------------------- e.net


def test_logon_answers_34_digits_and_two_blanks(visitor: Visitor) -> None:
    answer = visitor.log_on()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Server"] == "Microsoft-HTTPAPI/2.0"
    assert re.fullmatch(rb"[0-9A-F]{34}  ", answer.content)
    assert visitor.app.open_sessions == 1


@pytest.mark.parametrize(
    ("form", "pattern"),
    [("json", r'"[0-9A-F]{34}  "'), ("string", r"<string xmlns=[^>]+>[0-9A-F]{34}  </string>")],
)
def test_logon_in_other_wrappings(visitor: Visitor, form: str, pattern: str) -> None:
    visitor.switches.enet_wrapping = "json" if form == "json" else "string"
    assert re.fullmatch(pattern, visitor.log_on().text)


def test_wrong_logons_are_200_with_an_error_text(visitor: Visitor) -> None:
    visitor.switches.company_passwords["EDU2"] = "secret of EDU2"
    for change, text in (
        ({"OperatorPassword": "no"}, "ERROR: Invalid operator password"),
        ({"Operator": "NOBODY"}, "ERROR: Invalid operator"),
        ({"CompanyId": "edu1"}, "ERROR: Invalid company"),
        ({"CompanyId": "EDU2"}, "ERROR: Invalid company password"),
    ):
        answer = visitor.log_on(**change)
        assert (answer.status_code, answer.text) == (200, text)
    assert visitor.app.open_sessions == 0
    assert visitor.app.sessions.failed == 4
    assert len(visitor.log_on(CompanyId="EDU2", CompanyPassword="secret of EDU2").content) == 36


def test_logon_without_the_company_password_is_no_logon(visitor: Visitor) -> None:
    answer = visitor.enet("Logon", Operator=OPERATOR, OperatorPassword=OPERATOR_PASSWORD, CompanyId="EDU1")
    assert answer.status_code == 400


def test_paths_and_parameter_names_may_be_in_any_case(visitor: Visitor) -> None:
    session = visitor.session()
    assert visitor.enet("logoff", userid=session).text == "0"
    assert visitor.app.open_sessions == 0


def test_logoff_with_a_made_up_id(visitor: Visitor) -> None:
    answer = visitor.enet("Logoff", UserId="3" * 32 + "80")
    assert answer.text == "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


def test_a_second_logon_ends_the_first_session(visitor: Visitor) -> None:
    first = visitor.session()
    second = visitor.session()
    assert visitor.find(first, TERMS).text.startswith(EXPIRED)
    assert visitor.find(second, TERMS).text.startswith("<?xml")
    assert (visitor.app.open_sessions, visitor.app.sessions.evicted) == (1, 1)


def test_a_session_dies_after_calls_or_of_idleness(visitor: Visitor) -> None:
    now = 1000.0
    visitor.switches.time = lambda: now
    session = visitor.session()
    now += visitor.switches.session_idle_seconds - 1
    assert visitor.find(session, TERMS).text.startswith("<?xml")
    now += visitor.switches.session_idle_seconds
    answer = visitor.find(session, TERMS)
    assert (answer.status_code, answer.text[:38]) == (200, EXPIRED)
    visitor.switches.session_dies_after_calls = 1
    session = visitor.session()
    assert visitor.find(session, TERMS).text.startswith("<?xml")
    assert visitor.find(session, TERMS).text.startswith(EXPIRED)
    assert visitor.app.open_sessions == 0


def test_version_needs_no_session_and_the_profile_does(visitor: Visitor) -> None:
    assert visitor.enet("GetVersion").text == visitor.switches.enet_version
    assert visitor.enet("GetLogonProfile", UserId="").text.startswith(EXPIRED)
    profile = visitor.enet("GetLogonProfile", UserId=visitor.session()).text
    assert "<LocalCurrencyCode>USD</LocalCurrencyCode>" in profile


def test_utilities_paths_of_a_proxy(visitor: Visitor) -> None:
    visitor.switches.utilities_paths = True
    assert visitor.log_on().status_code == 404
    answer = visitor.enet(
        "Utilities/Logon",
        Operator=OPERATOR,
        OperatorPassword=OPERATOR_PASSWORD,
        CompanyId="EDU1",
        CompanyPassword="",
    )
    assert visitor.enet("Utilities/Logoff", UserId=answer.text).text == "0"


def test_what_is_not_licensed_answers_exception_100000(visitor: Visitor) -> None:
    session = visitor.session()
    answer = visitor.enet("Query/Query", UserId=session, BusinessObject="ARSQRY", XmlIn="<Query/>")
    assert "e.net exception 100000" in answer.text
    visitor.switches.licensed_objects = frozenset()
    assert "e.net exception 100000" in visitor.find(session, TERMS).text

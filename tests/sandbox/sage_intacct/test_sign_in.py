from __future__ import annotations

import concurrent.futures
import datetime as dt
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import COMPANY_ID, PATH, SENDER_ID, SESSION_PATH, USER_ID, errors, troubles
from tests.sandbox.sage_intacct.troubles import Trouble
from tests.sandbox.sage_intacct.visitor import Refused, element, parsed, query, result_of

if TYPE_CHECKING:
    from tests.sandbox.sage_intacct.visitor import Visitor

SESSION = element("getAPISession")
ONE = query("GLACCOUNT", "RECORDNO", pagesize=1)


def test_session_names_its_endpoint_and_the_answer_echoes_the_request(visitor: Visitor) -> None:
    root = parsed(visitor.post(visitor.envelope(SESSION), path=PATH))
    control = root.find("control")
    assert control is not None
    assert {each.tag: each.text for each in control} == {
        "status": "success",
        "senderid": SENDER_ID,
        "controlid": "test",
        "uniqueid": "false",
        "dtdversion": "3.0",
    }
    authentication = root.find("operation/authentication")
    assert authentication is not None
    assert authentication.findtext("userid") == USER_ID
    assert authentication.findtext("companyid") == COMPANY_ID
    begin, end = (
        dt.datetime.fromisoformat(authentication.findtext(name) or "")
        for name in ("sessiontimestamp", "sessiontimeout")
    )
    assert begin == visitor.world.company.clock
    assert end - begin == dt.timedelta(hours=6)
    assert root.findtext("operation/result/data/api/endpoint") == f"{visitor.url}{SESSION_PATH}"
    assert visitor.app.sessions.opened == 1


def test_data_calls_to_the_first_address_are_rejected(user: Visitor) -> None:
    with pytest.raises(Refused) as refused:
        user.call(ONE, path=PATH)
    assert refused.value.place == "authentication"
    assert "endpoint" in refused.value.text
    assert user.call(ONE).findtext("data/GLACCOUNT/RECORDNO")


def test_clock_of_answers_is_the_company_s(user: Visitor) -> None:
    assert user.post(user.envelope(ONE)).headers["Date"] == "Tue, 30 Jun 2026 09:00:00 GMT"


@pytest.mark.parametrize("changed", ["senderid", "password"])
def test_wrong_sender_fails_the_control_block(visitor: Visitor, changed: str) -> None:
    answer = visitor.post(visitor.envelope(SESSION, control={changed: "x"}), path=PATH)
    assert answer.status_code == 200
    with pytest.raises(Refused) as refused:
        result_of(answer)
    assert (refused.value.place, refused.value.number) == ("control", "XL03000006")
    assert "Partner ID" in refused.value.text
    assert b"<operation>" not in answer.content


@pytest.mark.parametrize("changed", ["userid", "companyid", "password"])
def test_wrong_login_fails_the_authentication_and_is_echoed(visitor: Visitor, changed: str) -> None:
    answer = visitor.post(visitor.envelope(SESSION, login={changed: "x"}), path=PATH)
    with pytest.raises(Refused) as refused:
        result_of(answer)
    assert (refused.value.place, refused.value.number) == ("authentication", "XL03000006")
    assert refused.value.text.startswith("Sign-in information is incorrect")
    user_id = parsed(answer).findtext("operation/authentication/userid")
    assert user_id == ("x" if changed == "userid" else USER_ID)


def test_user_is_locked_after_too_many_wrong_passwords(visitor: Visitor) -> None:
    visitor.app.switches.lock_after_failures = 2
    for _ in range(2):
        with pytest.raises(Refused):
            visitor.call(SESSION, path=PATH, login={"password": "x"})
    with pytest.raises(Refused):
        visitor.call(SESSION, path=PATH)
    assert visitor.app.sessions.refused == 3


def test_sender_has_to_be_on_the_company_s_list(visitor: Visitor) -> None:
    visitor.app.switches.sender_authorized = False
    with pytest.raises(Refused) as refused:
        visitor.call(SESSION, path=PATH)
    assert refused.value.place == "authentication"
    assert refused.value.errors[0]["description"] == "Invalid Web Services Authorization"
    assert refused.value.errors[0]["correction"]


def test_authorization_that_needs_a_login_refuses_every_call_by_session(user: Visitor) -> None:
    user.app.switches.needs_login = True
    with pytest.raises(Refused):
        user.call(ONE)


@pytest.mark.parametrize(
    ("state", "text"), [("expired", "expired"), ("unauthorized", "not authorized for XML")]
)
def test_company_without_the_subscription(visitor: Visitor, state: str, text: str) -> None:
    setattr(visitor.app.switches, "company_state", state)  # noqa: B010 - a parameter, not a literal
    with pytest.raises(Refused, match=text) as refused:
        visitor.call(SESSION, path=PATH)
    assert refused.value.place == "control"


def test_session_slides_and_dies_by_time(user: Visitor) -> None:
    now = [0.0]
    user.app.switches.time = lambda: now[0]
    user.app.switches.session_life_seconds = 600
    user = user.sign_in()
    for now[0] in (599.0, 1198.0):
        user.call(ONE)
    now[0] += 600
    answer = user.post(user.envelope(ONE))
    with pytest.raises(Refused) as refused:
        result_of(answer)
    assert (refused.value.place, refused.value.number) == ("authentication", "XL03000006")
    assert refused.value.text.startswith("Invalid session")
    assert b"<userid></userid><companyid></companyid>" in answer.content


def test_session_may_die_after_some_calls(user: Visitor) -> None:
    user.app.switches.session_dies_after_calls = 2
    user.call(ONE)
    user.call(ONE)
    with pytest.raises(Refused, match="Invalid session"):
        user.call(ONE)
    assert user.sign_in().call(ONE) is not None


def test_session_of_an_entity_and_back_to_the_top(user: Visitor) -> None:
    inside = user.call(element("getAPISession", element("locationid", "HQ")))
    assert inside.findtext("data/api/locationid") == "HQ"
    session = inside.findtext("data/api/sessionid")
    outside = user.sign_in()
    outside.session = session
    assert {row["MEGAENTITYID"] for row in outside.rows("APBILL", "MEGAENTITYID")} == {"HQ"}
    back = outside.call(element("getAPISession", element("locationid")))
    assert not back.findtext("data/api/locationid")
    assert {row["MEGAENTITYID"] for row in user.rows("APBILL", "MEGAENTITYID")} == {"EAST", "HQ"}
    with pytest.raises(Refused) as refused:
        user.call(element("getAPISession", element("locationid", "NOWHERE")))
    assert refused.value.number == "Get API Session Failed"


def test_session_can_name_any_endpoint_and_print_its_times_in_any_zone(visitor: Visitor) -> None:
    visitor.app.switches.session_endpoint = "https://intacct.example.com/ia/xml/xmlgw.phtml"
    visitor.app.switches.session_zone_minutes = -480
    root = parsed(visitor.post(visitor.envelope(SESSION, login={"companyid": f"{COMPANY_ID}||EAST"})))
    assert root.findtext("operation/result/data/api/endpoint") == visitor.app.switches.session_endpoint
    assert root.findtext("operation/authentication/sessiontimestamp") == "2026-06-30T01:00:00-08:00"
    assert root.findtext("operation/authentication/locationid") == "EAST"


def test_session_is_asked_for_alone(visitor: Visitor) -> None:
    answer = visitor.post(visitor.envelope(SESSION, SESSION))
    assert answer.text.count("<status>failure</status>") == 2


# --------------------------------------------------------------- envelope


def test_only_posted_xml_is_read(user: Visitor) -> None:
    assert requests.get(f"{user.url}{SESSION_PATH}", timeout=30).status_code == 405
    assert user.post(user.envelope(ONE), path="/elsewhere").status_code == 404
    with pytest.raises(Refused) as refused:
        result_of(user.post(user.envelope(ONE), content_type="application/json"))
    assert refused.value.number == "XL03000003"


def test_broken_xml_is_told_with_its_place(user: Visitor) -> None:
    body = ET.tostring(user.envelope(ONE)).replace(b"&amp;", b"&")
    with pytest.raises(Refused, match=r"line 1, column \d+") as refused:
        result_of(user.post(body))
    assert (refused.value.place, refused.value.number) == ("control", "XL03000003")


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("dtdversion", "9.9"),
        ("controlid", ""),
        ("controlid", "x" * 257),
        ("uniqueid", "no"),
        ("nonsense", "1"),
    ],
)
def test_control_block_is_checked(user: Visitor, changed: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        user.call(ONE, control={changed: value})
    assert refused.value.number == "XL03000003"


def test_document_type_is_refused(user: Visitor) -> None:
    body = b'<!DOCTYPE request [<!ENTITY a "b">]>' + ET.tostring(user.envelope(ONE))
    with pytest.raises(Refused, match="document type"):
        result_of(user.post(body))


def test_unique_control_id_is_taken_once(user: Visitor) -> None:
    unique = {"uniqueid": "true"}
    assert user.call(ONE, control=unique, control_id="once") is not None
    with pytest.raises(Refused, match="already completed"):
        user.call(ONE, control=unique, control_id="once")
    assert user.call(ONE, control_id="once") is not None


def test_whitespace_stands_between_elements_unless_it_is_not_wanted(user: Visitor) -> None:
    spaced = user.post(user.envelope(ONE, control={"includewhitespace": "true"}))
    tight = user.post(user.envelope(ONE))
    assert len(spaced.content.splitlines()) > 10
    assert len(tight.content.splitlines()) == 2
    names = [each.tag for each in parsed(spaced).iter()]
    assert names == [each.tag for each in parsed(tight).iter()]
    assert result_of(spaced).findtext("data/GLACCOUNT/RECORDNO") == "1"


def test_functions_answer_in_order_and_one_failure_aborts_a_transaction(user: Visitor) -> None:
    functions = (ONE, query("NOTHING", "RECORDNO"), ONE)
    for transaction, expected in (
        (False, ["success", "failure", "success"]),
        (True, ["aborted", "failure", "aborted"]),
    ):
        root = parsed(user.post(user.envelope(*functions, transaction=transaction)))
        results = root.findall("operation/result")
        assert [each.findtext("status") for each in results] == expected
        assert [each.findtext("controlid") for each in results] == ["f1", "f2", "f3"]


# ---------------------------------------------------------------- troubles


def test_error_details_come_when_they_are_asked_for(user: Visitor) -> None:
    wrong = query("APBILL", "NOPE")
    plain = user.post(user.envelope(wrong))
    detailed = user.post(user.envelope(wrong, control={"showadditionalerrorinfo": "true"}))
    assert b"additionalinfo" not in plain.content
    assert b"<errorid>PL-0010</errorid>" in detailed.content


@pytest.mark.parametrize("place", ["control", "authentication", "result"])
def test_refusals_on_request_stand_where_they_belong(user: Visitor, place: errors.Place) -> None:
    refusal = errors.Refusal(place, [errors.Error(description2="Please Try Again Later")])
    user.app.troubles.add(Trouble("object=GLACCOUNT", refusal, skip=1))
    user.call(ONE)
    with pytest.raises(Refused) as refused:
        user.call(ONE)
    assert refused.value.place == place
    assert refused.value.number is None
    user.call(ONE)


def test_failure_may_hold_data_or_no_message_or_two_errors(user: Visitor) -> None:
    user.app.troubles.add(Trouble("query", errors.failed(), with_data=True))
    user.app.troubles.add(Trouble("query", errors.failed(), bare=True))
    user.app.troubles.add(Trouble("query", troubles.two_errors()))
    answers = [user.post(user.envelope(ONE)).text for _ in range(3)]
    assert all("<status>failure</status>" in answer for answer in answers)
    assert ["<GLACCOUNT>" in answer for answer in answers] == [True, False, False]
    assert [answer.count("<error>") for answer in answers] == [1, 0, 2]


def test_failures_and_details_can_be_silent(user: Visitor) -> None:
    wrong = user.envelope(query("APBILL", "NOPE"), control={"showadditionalerrorinfo": "true"})
    user.app.switches.error_details = False
    assert "additionalinfo" not in user.post(wrong).text
    user.app.switches.failure_has_message = False
    assert "errormessage" not in user.post(wrong).text
    assert "<status>failure</status>" in user.post(wrong).text


def test_gateway_errors_have_a_status_and_a_bare_control_block(user: Visitor) -> None:
    for refusal, status in ((errors.unknown_tenant(), 400), (troubles.gateway_error(), 503)):
        user.app.troubles.add(Trouble("query", refusal))
        answer = user.post(user.envelope(ONE))
        assert answer.status_code == status
        assert "<control><status>failure</status></control>" in answer.text


def test_pages_of_proxies_and_cut_answers(user: Visitor) -> None:
    user.app.script.add(troubles.html("object=GLACCOUNT", 524))
    user.app.script.add(troubles.cdn_block("object=GLACCOUNT"))
    user.app.script.add(troubles.truncated("object=GLACCOUNT"))
    answers = [user.post(user.envelope(ONE)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [524, 403, 200, 200]
    assert "cf-error-details" in answers[1].text
    with pytest.raises(ET.ParseError):
        result_of(answers[2])
    assert result_of(answers[3]) is not None
    assert user.app.script.count("object=GLACCOUNT&pagesize=1$") == 4


def test_third_request_in_flight_waits_and_is_refused(user: Visitor) -> None:
    user.app.switches.concurrency_wait_seconds = 0.1
    user.app.script.add(Fault("query", delay=0.6, times=2))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: user.post(user.envelope(ONE)), range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "<errorno>GW-0010</errorno>" in refused.text
    assert user.app.throttled == 1
    assert user.app.peak_in_flight == 3

"""Answers that are none, and what is done about each: repeat, ask for less, leave out, or stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from tap_sage_intacct import envelope
from tap_sage_intacct.client import Client
from tap_sage_intacct.envelope import NotXmlError, read_reply, without_forbidden
from tap_sage_intacct.errors import (
    ApiError,
    Complaint,
    FieldsRefusedError,
    ForbiddenError,
    RefusedError,
    SessionEndedError,
    TooMuchError,
    TransientError,
    UserError,
    judge,
)
from tap_sage_intacct.records import NOTHING, text_of
from tap_sage_intacct.streams.stream import Outcome
from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import errors as refusals
from tests.sandbox.sage_intacct.troubles import (
    Trouble,
    cdn_block,
    gateway_error,
    html,
    truncated,
    two_errors,
)
from tests.tap_sage_intacct.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_sage_intacct.records import Run
    from tests.tap_sage_intacct.conftest import Instance

VENDORS = "object=VENDOR&"
HEADERS = {"content-type": "text/xml", "retry-after": "7"}


def outcome(run: Any, stream: str) -> Outcome:
    found: Outcome = run.tap.chosen[stream].feed.outcome
    return found


PASSING: dict[str, Callable[[Instance], None]] = {
    "502": lambda i: i.script.add(html(VENDORS, 502)),
    "HTML with 200": lambda i: i.script.add(html(VENDORS, 200)),
    "CDN": lambda i: i.script.add(cdn_block(VENDORS)),
    "524 of the CDN": lambda i: i.script.add(html(VENDORS, 524)),
    "504": lambda i: i.script.add(html(VENDORS, 504)),
    "half an answer": lambda i: i.script.add(truncated(VENDORS)),
    "nothing": lambda i: i.script.add(Fault(VENDORS, status=200, body=b"")),
    "cut": lambda i: i.script.add(Fault(VENDORS, cut=True)),
    "cut amid the answer": lambda i: i.script.add(Fault(VENDORS, cut=True, after=True)),
    "GW-0010 with 429": lambda i: i.troubles.add(Trouble(VENDORS, refusals.too_many_requests())),
    "GW-0001": lambda i: i.troubles.add(Trouble(VENDORS, gateway_error())),
    "off-line": lambda i: i.troubles.add(Trouble(VENDORS, refusals.offline())),
    "DL02000001": lambda i: i.troubles.add(Trouble(VENDORS, refusals.failed())),
    "off-line, with data": lambda i: i.troubles.add(Trouble(VENDORS, refusals.offline(), with_data=True)),
}


@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_costs_no_row_and_doubles_none(instance: Instance, trouble: str) -> None:
    PASSING[trouble](instance)
    run = run_tap(instance.config, "vendors")
    rows = run.live("vendors")
    assert len(rows) == len({row["recordno"] for row in rows}) == len(instance.company.vendors)
    assert run.tap.exit_code == 0
    assert instance.count(VENDORS) == 2
    if trouble == "CDN":
        assert run.waits == [90.0]


def test_what_the_gateway_gives_up_on_is_asked_for_in_smaller_pages(instance: Instance) -> None:
    instance.script.add(html(VENDORS, 524, times=2))
    run_tap(instance.config, "vendors")
    sizes = [call.query.rpartition("pagesize=")[2] for call in instance.script.calls if VENDORS in call.query]
    assert sizes == ["2000", "1000", "500"]


def test_a_span_that_is_too_long_is_halved_before_pages_shrink(instance: Instance) -> None:
    config = instance.with_(lookback_seconds=0)
    first = run_tap(config, "bills")
    instance.world.life.advance(60 * 8)
    instance.world.life.post_bill()
    instance.world.life.advance(30)
    instance.script.clear()
    instance.script.add(html("object=APBILL&", 524, times=2))
    run = run_tap(config, "bills", state=first.state)
    assert {
        call.query.rpartition("pagesize=")[2] for call in instance.script.calls if "APBILL&" in call.query
    } == {"2000"}
    assert len(run.live("bills")) == 1
    assert run.bookmark("bills").get("pending") is None


def test_trouble_that_stays_fails_the_stream_and_no_other(instance: Instance) -> None:
    instance.script.add(html(VENDORS, 503, times=50))
    run = run_tap(instance.config, "vendors", "classes")
    assert outcome(run, "vendors") is Outcome.FAILED
    assert outcome(run, "classes") is Outcome.DONE
    assert run.tap.exit_code == 1
    assert "vendors" not in run.state["bookmarks"] or "replication_key_value" not in run.bookmark("vendors")
    assert len(run.waits) == 4
    assert run.waits == sorted(run.waits)


def test_a_date_or_a_number_in_retry_after_is_honoured(instance: Instance) -> None:
    error = b"<errormessage><error><errorno>GW-0010</errorno></error></errormessage>"
    body = b"<response><control><status>failure</status></control>" + error + b"</response>"
    instance.script.add(Fault(VENDORS, status=429, body=body, headers=HEADERS))
    assert run_tap(instance.config, "vendors").waits == [7.0]


def test_a_hanging_answer_is_given_up(instance: Instance) -> None:
    instance.script.add(Fault(VENDORS, delay=3))
    begun = time.monotonic()
    run = run_tap(instance.with_(request_timeout_seconds=1), "vendors")
    assert len(run.live("vendors")) == len(instance.company.vendors)
    assert time.monotonic() - begun < 30


def test_a_failure_that_says_nothing_is_a_failure(instance: Instance) -> None:
    instance.troubles.add(Trouble(VENDORS, refusals.failed(), bare=True, times=9))
    run = run_tap(instance.config, "vendors")
    assert outcome(run, "vendors") is Outcome.FAILED
    assert "failure without an error message" in run.tap.chosen["vendors"].feed.reason


def test_of_several_errors_the_one_that_matters_decides(instance: Instance) -> None:
    instance.troubles.add(Trouble(VENDORS, two_errors()))
    assert outcome(run_tap(instance.config, "vendors"), "vendors") is Outcome.SKIPPED


def test_a_support_id_can_be_read(instance: Instance) -> None:
    instance.troubles.add(Trouble(VENDORS, refusals.bad_query("No way."), times=9))
    reason = run_tap(instance.config, "vendors").tap.chosen["vendors"].feed.reason
    assert "query VENDOR: result: Query Failed / No way. [Support ID: " in reason
    assert "%7E" not in reason
    assert "~Xw" in reason


@pytest.mark.parametrize("how", ["raw", "reference"])
def test_characters_that_xml_forbids_are_taken_out_and_told(
    instance: Instance, caplog: pytest.LogCaptureFixture, how: Any
) -> None:
    instance.switches.control_characters = how
    run = run_tap(instance.config, "vendors")
    assert len(run.live("vendors")) == len(instance.company.vendors)
    assert "characters that XML forbids" in caplog.text


def test_only_what_xml_forbids_is_taken_out() -> None:
    body = "<a>tab\tline\n&#x1F;&#10;&#9;&#xFFFE;&#x20AC;&#233;\x01\ufffeü</a>".encode()
    cleaned, count = without_forbidden(body)
    assert count == 4
    assert etree.fromstring(cleaned).text == "tab\tline\n\n\t€éü"


def test_entities_of_a_document_type_are_not_expanded() -> None:
    body = (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><response><control><status>success</status></control>'
        b"<operation><result><status>success</status><data><A><N>&x;</N></A></data></result></operation></response>"
    )
    rows = read_reply(body, "A", Texts()).rows
    assert rows in ([(("N",), [""])], [(("N",), [None])])


class Texts:
    """Keeps the names and texts of all elements."""

    def read(self, runs: Iterable[Run]) -> list[tuple[tuple[str, ...], list[str | None]]]:
        rows: list[tuple[tuple[str, ...], list[str | None]]] = []
        for run in runs:
            rows += [(run.tags, [text_of(raw) or None for raw in texts]) for texts in run.plain]
            rows += [(run.tags, texts) for texts in run.parsed]
        return rows


_PLAIN = "<A><N>{}</N><M>x</M></A>"


@pytest.mark.parametrize(
    "inside",
    [
        "<A><N>a &amp; b</N><M></M></A><A><N/><M>2</M></A>",
        "<A><N>&lt;&#60;&#x3C;a&gt;&quot;&apos;&#39;</N><M>/></M></A>" * 2,
        "<A><N>&amp;lt; &amp;amp;</N><M>1</M></A>" * 2,
        _PLAIN.format("<![CDATA[a &amp; </A><A> b]]>") * 2,
        _PLAIN.format("a<!-- </A><A> & -->b") * 2,
        _PLAIN.format("line\nline\ttab") + _PLAIN.format("line\r\nline"),
        _PLAIN.format("deep<P>1</P>") + _PLAIN.format("flat"),
        _PLAIN.format("1") + "\n " + _PLAIN.format("2") + "<A><M>other order</M><N>3</N></A>",
        _PLAIN.format("\x01&#1;\ufffe€") + _PLAIN.format("🚂 &#x1F682;"),
        '<A x="1"><N y="2">1</N><M>2</M></A>' + _PLAIN.format("3") + "<A></A><A/>",
    ],
)
def test_records_hold_what_a_parser_of_xml_finds_in_them(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "<response><control><status>success</status></control><operation><result><status>success</status>"
        f'<data totalcount="2" numremaining="0">{inside}</data></result></operation></response>'
    ).encode()

    found = read_reply(body, "A", Texts())
    monkeypatch.setattr(envelope, "cut", lambda *_: None)
    assert found == read_reply(body, "A", Texts())
    assert len(found.rows) > 1
    assert found.total == 2


def test_a_reference_that_names_nothing_makes_an_answer_no_answer() -> None:
    for inside in ("&nothing;", "a & b", "&#0;x&"):
        body = f"<response><control><status>success</status></control><A><N>{inside}</N></A></response>"
        with pytest.raises(NotXmlError):
            read_reply(body.encode(), "A", Texts())


def test_a_page_that_is_no_answer_is_never_no_rows() -> None:
    for body in (b"", b"<html><body>Sign in</body></html>", b"<response></response>", b"{}"):
        with pytest.raises(NotXmlError):
            read_reply(body, "A", NOTHING)


def test_a_call_budget_ends_the_run_cleanly_and_the_next_goes_on(instance: Instance) -> None:
    config = instance.with_(page_size=5)
    first = run_tap({**config, "max_calls_per_run": 5}, "vendors", "classes")
    assert first.tap.has_stopped
    assert first.tap.exit_code == 0
    assert first.tap.client.calls == 5
    done = len(first.live("vendors"))
    assert 0 < done < len(instance.company.vendors)
    second = run_tap(config, "vendors", "classes", state=first.state)
    keys = [row["recordno"] for row in [*first.live("vendors"), *second.live("vendors")]]
    assert len(keys) == len(set(keys)) == len(instance.company.vendors)
    assert second.tap.exit_code == 0


@pytest.mark.parametrize(("setting", "peak"), [(1, 1), (2, 2)])
def test_no_more_requests_are_under_way_than_the_setting_allows(
    make_instance: Callable[..., Instance], setting: int, peak: int
) -> None:
    instance = make_instance(known=setting == 1)
    run = run_tap(instance.with_(max_concurrent_requests=setting), "bills", "bill_lines")
    assert run.tap.exit_code == 0
    assert instance.app.peak_in_flight == peak
    assert instance.app.throttled == 0


def config_of_client(**more: Any) -> Mapping[str, Any]:
    return {
        "sender_id": "sender-1", "sender_password": "sender-password-1", "user_password": "user-password-1",
        "user_agent": "x", "request_timeout_seconds": 1, "max_concurrent_requests": 1, **more,
    }  # fmt: skip


def test_messages_hold_no_secret() -> None:
    client = Client(config_of_client())
    client.secrets.add("session-1")
    told = client.redact("sender-1 sender-password-1 user-password-1 session-1 stays")
    assert told == "(secret) (secret) (secret) (secret) stays"


REFUSED_FIELDS = "The following fields cannot be queried: [ apbill"
JUDGED: tuple[tuple[str, Complaint, type[Exception]], ...] = (
    ("control", Complaint("XL03000003", "", "XML Parse schema error: line 3"), RefusedError),
    ("control", Complaint("XL03000006", "", "Incorrect Intacct XML Partner ID or password."), UserError),
    ("control", Complaint("XMLGW_JPP0002", "", "Sign-in information is incorrect"), UserError),
    ("control", Complaint("PL04000055", "", "demo company expired"), UserError),
    ("control", Complaint("GW-0010", "API rate limit exceeded"), TransientError),
    ("control", Complaint("GW-0011", "Invalid Request [Request ID: x]"), UserError),
    ("control", Complaint("GW-0009", "gateway"), TransientError),
    ("authentication", Complaint("XL03000006", "Invalid Web Services Authorization"), UserError),
    ("authentication", Complaint("XL03000006", "", "Sign-in information is incorrect"), UserError),
    ("authentication", Complaint("XL03000006", "", "Invalid session. x"), SessionEndedError),
    ("result", Complaint("XL03000006", "", f"{REFUSED_FIELDS}: [A, B] ]"), FieldsRefusedError),
    ("result", Complaint("XL03000010", "", "Field requested is not valid: gldetail.STATUS"), FieldsRefusedError),
    ("result", Complaint("Query Failed", "", "Object definition X not found"), ForbiddenError),
    ("result", Complaint("PL04000005", "", "no"), ForbiddenError),
    ("result", Complaint("", "", "You do not have permission to view audit history"), ForbiddenError),
    ("result", Complaint("DL02000001", "", ""), TooMuchError),
    ("result", Complaint("", "", "There was an error processing the request"), TooMuchError),
    ("result", Complaint("", "", "The Service is Temporarily Off-line", "Please Try Again Later"), TransientError),
    ("result", Complaint("", "API rate limit exceeded"), TransientError),
    ("result", Complaint("BL01001973", "", "whatever"), RefusedError),
)  # fmt: skip


@pytest.mark.parametrize(("position", "complaint", "kind"), JUDGED)
def test_one_number_means_many_things_so_position_and_words_decide(
    position: str, complaint: Complaint, kind: type[Exception]
) -> None:
    judged = judge(position, [complaint], "text")
    assert type(judged) is kind


def test_refused_fields_are_named_one_by_one() -> None:
    text = "The following fields cannot be queried: [ apbill: [CFDA, agency] ]"
    judged = judge("result", [Complaint("XL03000006", "", text)], "text")
    assert isinstance(judged, FieldsRefusedError)
    assert judged.fields == {"CFDA", "AGENCY"}
    assert isinstance(judged, ApiError)

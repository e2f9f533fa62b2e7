"""What one request does about the answers that instances really give; a canned server plays them in turn."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from tap_acumatica.client import Client, Site, Unsigned, query
from tap_acumatica.errors import (
    ApiError,
    CallBudgetSpentError,
    ForbiddenError,
    NotFoundError,
    NotOptimizableError,
    NotSetUpError,
    RefusedError,
    ServerTroubleError,
    UserError,
)
from tests.sandbox.faults import Fault
from tests.sandbox.serving import serve
from tests.tap_acumatica.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests.auth import AuthBase
    from starlette.types import Receive, Scope, Send

    from tests.tap_acumatica.conftest import Instance

SETTINGS: dict[str, Any] = {
    "user_agent": "test",
    "include_archived": True,
    "request_timeout_seconds": 5,
    "max_seat_wait_seconds": 120,
    "password": "hunter2-secret",
}


class Canned:
    """Gives its answers in turn, and the last one for ever."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.headers: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await answer(scope, receive, send)


class Anybody:
    """A sign-in that asks for nothing."""

    def __init__(self) -> None:
        self.renewals = 0

    def credentials(self) -> AuthBase:
        return Unsigned()

    def renew(self) -> None:
        self.renewals += 1


class Case:
    def __init__(self, client: Client, server: Canned, sign_in: Anybody, waits: list[float]) -> None:
        self.client = client
        self.server = server
        self.sign_in = sign_in
        self.waits = waits

    def get(self) -> Any:
        return self.client.get(self.client.site.entity("Bill"))


@contextlib.contextmanager
def instance(*answers: Response, **settings: Any) -> Iterator[Case]:
    """A client of a server that has answered once already."""
    server = Canned(data([]), *answers)
    with serve(server) as url:
        client = Client(Site(f"{url}/erp", "Main", "Default", "24.200.001"), {**SETTINGS, **settings})
        waits: list[float] = []
        client.sleep = waits.append
        sign_in = Anybody()
        client.sign_in = sign_in
        client.get(client.site.base_url)
        yield Case(client, server, sign_in, waits)
        client.session.close()


def data(content: Any, **headers: str) -> Response:
    return Response(json.dumps(content), media_type="application/json", headers=headers)


def failure(status: int, message: str = "An error has occurred.", kind: str = "", **headers: str) -> Response:
    body = {
        "message": "An error has occurred.",
        "exceptionMessage": message,
        "exceptionType": kind,
        "stackTrace": "at X",
    }
    return Response(json.dumps(body), status, media_type="application/json", headers=headers)


PAGE = "<html><body>Down for maintenance</body></html>"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure(403, "You have insufficient rights to access the Vendor (AP303000) form."), ForbiddenError),
        (failure(404), NotFoundError),
        (failure(400), RefusedError),
        (failure(500, "x", "PX.Data.PXSetupNotEnteredException"), NotSetUpError),
        (
            failure(500, "Optimization cannot be performed.", "PX.CannotOptimizeException"),
            NotOptimizableError,
        ),
        (failure(500, "There is a BqlDelegate in view Document"), NotOptimizableError),
        (failure(500, "x", "PX.Data.PXUndefinedCompanyException"), UserError),
    ],
)
def test_answers_that_will_not_change_are_not_repeated(answer: Response, error: type[Exception]) -> None:
    with instance(answer) as case, pytest.raises(error):
        case.get()
    assert case.client.calls == 2
    assert case.waits == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_throttling_and_a_restarting_site_are_waited_out_with_growing_pauses(status: int) -> None:
    with instance(failure(status), failure(status), data([1])) as case:
        assert case.get() == [1]
    assert 2 <= case.waits[0] < case.waits[1]


def test_a_random_500_is_tried_three_times() -> None:
    with instance(failure(500, "deadlock")) as case, pytest.raises(ServerTroubleError, match="deadlock"):
        case.get()
    assert case.client.calls == 4


@pytest.mark.parametrize(
    "answer",
    [
        Response(PAGE, media_type="text/html"),
        Response(status_code=302, headers={"Location": "/erp/Frames/Error.aspx"}),
        Response("[{", media_type="application/json"),
        Response(b'[{"id": "M\xfcller"}]', media_type="application/json"),  # not UTF-8
    ],
)
def test_a_web_page_or_half_an_answer_is_never_taken_for_no_rows(answer: Response) -> None:
    with instance(answer, data([1])) as case:
        assert case.get() == [1]
    with instance(answer) as case, pytest.raises(ServerTroubleError, match="web page"):
        case.get()


def test_a_redirect_is_not_followed() -> None:
    with instance(Response(status_code=302, headers={"Location": "/elsewhere"}), data([1])) as case:
        case.get()
    assert case.client.calls == 3


@pytest.mark.parametrize(("given", "seconds"), [("7", 7), ("86400", 600)])
def test_retry_after_is_honoured_up_to_ten_minutes(given: str, seconds: int) -> None:
    with instance(failure(429, **{"Retry-After": given}), data([])) as case:
        case.get()
    assert case.waits == [seconds]


@pytest.mark.parametrize(
    "answer",
    [
        failure(500, "API Login Limit"),
        failure(500, "x: CheckApiUsersLimits"),
        failure(429, "API Login Limit"),
        Response("The custom error module does not recognize this error.", 429, media_type="text/plain"),
    ],
)
def test_a_full_seat_table_is_waited_out(answer: Response) -> None:
    with instance(answer, answer, data([1])) as case:
        assert case.get() == [1]
    assert all(30 <= wait <= 60 for wait in case.waits)
    assert len(case.waits) == 2


def test_waiting_for_a_seat_ends_with_advice() -> None:
    with instance(failure(500, "API Login Limit")) as case, pytest.raises(UserError, match="SM604000"):
        case.get()
    assert sum(case.waits) == pytest.approx(120)


def test_an_ended_session_is_renewed_once_and_no_more() -> None:
    with instance(failure(401), data([1])) as case:
        assert case.get() == [1]
    assert case.sign_in.renewals == 1
    with instance(failure(401)) as case, pytest.raises(UserError, match="rights of the API user"):
        case.get()
    assert case.client.calls == 3


def test_the_call_budget_stops_before_the_call() -> None:
    with instance(data([]), max_calls_per_run=2) as case:
        case.get()
        with pytest.raises(CallBudgetSpentError, match="max_calls_per_run"):
            case.get()
    assert len(case.server.headers) == 2


def test_messages_tell_what_the_server_said_with_its_request_id_but_no_stack_and_no_secret() -> None:
    answer = failure(400, "Login hunter2-secret failed", **{"X-Request-ID": "req-77"})
    with instance(answer) as case, pytest.raises(ApiError) as caught:
        case.get()
    said = str(caught.value)
    assert "GET /erp/entity/Default/24.200.001/Bill" in said
    assert "req-77" in said
    assert "Login (secret) failed" in said
    assert "at X" not in said


def test_a_wrong_inquiry_parameter_is_named() -> None:
    body = {"Period": {"value": "992026", "error": "Period cannot be found"}, "Ledger": {"value": "ACTUAL"}}
    answer = Response(json.dumps(body), 422, media_type="application/json")
    with instance(answer) as case, pytest.raises(RefusedError, match="Period: Period cannot be found"):
        case.get()


def test_the_servers_clock_is_taken_from_its_date_header() -> None:
    with instance(data([], Date="Tue, 30 Jun 2026 09:00:00 GMT")) as case:
        case.get()
    assert case.client.server_time is not None
    assert case.client.server_time.isoformat() == "2026-06-30T09:00:00+00:00"


def test_archived_records_are_asked_for_unless_switched_off() -> None:
    with instance(data([])) as case:
        case.get()
    assert case.server.headers[-1]["px-apiarchive"] == "SHOW"
    with instance(data([]), include_archived=False) as case:
        case.get()
    assert "px-apiarchive" not in case.server.headers[-1]


def test_a_logout_carries_a_content_length_and_never_raises() -> None:
    with instance(failure(500)) as case:
        case.client.logout(Unsigned())
    assert case.server.headers[-1]["content-length"] == "0"


def test_time_literals_keep_their_zone_on_the_wire() -> None:
    written = query(
        {"$filter": "A ge datetimeoffset'2026-01-01T00:00:00+00:00'", "$custom": "Details/T.LineNbr"}
    )
    assert written == (
        "$filter=A%20ge%20datetimeoffset'2026-01-01T00%3A00%3A00%2B00%3A00'&$custom=Details%2FT.LineNbr"
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("books.example.com", "not a web address"),
        ("http://books.example.com/erp", "https"),
        ("https://user:pass@books.example.com", "leave user name"),
        ("ftp://books.example.com", "not a web address"),
    ],
)
def test_credentials_are_not_sent_to_doubtful_addresses(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        Site.of({"base_url": url, "endpoint_name": "Default", "endpoint_version": "24.200.001"})
    assert "pass" not in str(caught.value).replace("password", "")


def test_the_tenant_is_taken_from_the_client_id_when_it_is_not_set() -> None:
    config = {
        "base_url": "https://x.example/erp/",
        "endpoint_name": "Default",
        "endpoint_version": "24.200.001",
    }
    site = Site.of({**config, "client_id": "GUID@My Company"})
    assert site.dac("GLHistory") == "https://x.example/erp/t/My%20Company/api/odata/dac/GLHistory"
    assert (
        Site.of({**config, "tenant": "A", "odata_style": "legacy"}).dac("Sub")
        == "https://x.example/erp/odatav4/A/Sub"
    )


def test_a_value_that_fits_no_column_fails_its_stream_alone_and_is_named(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    row = {
        name: {"value": value}
        for name, value in (("Type", "Bill"), ("ReferenceNbr", "000042"), ("Amount", "much"))
    }
    headers = {"content-type": "application/json"}
    body = json.dumps([row]).encode()
    instance.script.add(Fault(r"/Bill\?", status=200, body=body, headers=headers))
    run = run_tap(instance.config, "bills", "vendors")
    assert run.tap.exit_code == 1
    assert run.rows("vendors")
    assert run.rows("bills") == []
    assert "Bill Bill, 000042: Amount is 'much', which is no decimal" in caplog.text

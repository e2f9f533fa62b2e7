"""Webhooks: the test call, signed events, retries."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox.exact_online import CLIENT_ID, DIVISIONS, WEBHOOK_SECRET, webhooks
from tests.sandbox.exact_online.app import create_app
from tests.sandbox.exact_online.visitor import message
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests
    from starlette.requests import Request

    from tests.sandbox.exact_online.conftest import Stage
    from tests.sandbox.exact_online.visitor import Visitor

_PATH = "webhooks/WebhookSubscriptions"
_LEDGER = "FinancialTransactions"


class Receiver:
    """Somebody who listens; `status` is what they answer."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[bytes] = []
        self.app = Starlette(routes=[Route("/hook", self._take, methods=["POST"])])
        self.url = ""

    async def _take(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return Response(status_code=self.status)


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    receiver = Receiver()
    with serve(receiver.app) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    listening.status = 200
    listening.bodies.clear()
    return listening


def _subscribe(visitor: Visitor, url: str, topic: str = _LEDGER) -> requests.Response:
    address = f"/api/v1/{visitor.division}/{_PATH}"
    return visitor.call("POST", address, json={"Topic": topic, "CallbackURL": url})


def _content(body: bytes) -> bytes:
    assert body.startswith(b'{"Content":')
    content, _, rest = body.removeprefix(b'{"Content":').rpartition(b',"HashCode":"')
    expected = hmac.new(WEBHOOK_SECRET.encode(), content, hashlib.sha256).hexdigest().upper()
    assert rest == f'{expected}"}}'.encode()
    return content


def test_a_subscription_is_tried_with_an_empty_call(visitor: Visitor, receiver: Receiver) -> None:
    answer = _subscribe(visitor, receiver.url)
    assert answer.status_code == 201
    assert receiver.bodies == [b""]
    row = answer.json()["d"]
    assert (row["Topic"], row["ClientID"], row["CallbackURL"]) == (_LEDGER, CLIENT_ID, receiver.url)
    assert [each["ID"] for each in visitor.rows(_PATH, select="ID")] == [row["ID"]]


def test_a_callback_that_does_not_answer_is_refused(visitor: Visitor, receiver: Receiver) -> None:
    receiver.status = 404
    answer = _subscribe(visitor, receiver.url)
    assert answer.status_code == 500
    assert "callback" in message(answer)
    assert visitor.rows(_PATH, select="ID") == []
    assert _subscribe(visitor, "http://127.0.0.1:9/hook").status_code == 500


def test_a_topic_is_had_once_per_division(visitor: Visitor, receiver: Receiver) -> None:
    assert _subscribe(visitor, receiver.url).status_code == 201
    again = _subscribe(visitor, receiver.url)
    assert (again.status_code, message(again)) == (500, "Data already exists.")
    assert _subscribe(visitor, receiver.url, "Accounts").status_code == 201
    assert _subscribe(visitor, receiver.url, "CostCenters").status_code == 400
    visitor.division = DIVISIONS["EAST"]
    assert _subscribe(visitor, receiver.url).status_code == 201


def test_a_callback_elsewhere_must_be_https_on_the_app_s_domain(visitor: Visitor, receiver: Receiver) -> None:
    for url in ("http://bi.meridian.example/hook", "https://elsewhere.example/hook"):
        assert _subscribe(visitor, url).status_code == 400
    visitor.site.switches.loopback_callbacks = False
    assert _subscribe(visitor, receiver.url).status_code == 400


def test_a_subscription_is_deleted_and_never_updated(visitor: Visitor, receiver: Receiver) -> None:
    id_ = _subscribe(visitor, receiver.url).json()["d"]["ID"]
    address = f"/api/v1/{visitor.division}/{_PATH}(guid'{id_}')"
    assert visitor.call("PUT", address, json={"CallbackURL": receiver.url}).status_code == 400
    assert visitor.call("DELETE", address).status_code == 204
    assert visitor.call("DELETE", address).status_code == 404
    assert visitor.rows(_PATH, select="ID") == []


def test_what_happens_in_the_company_is_told_and_signed(visitor: Visitor, receiver: Receiver) -> None:
    _subscribe(visitor, receiver.url)
    assert visitor.site.notify() == 0
    bill = visitor.world.life.post_bill(branch="HQ")
    visitor.world.life.post_bill(branch="EAST")  # another division: nobody asked for it
    assert visitor.site.notify() == 1
    content = msgspec.json.decode(_content(receiver.bodies[-1]))
    assert content["Topic"] == _LEDGER
    assert content["Division"] == visitor.division
    assert (content["Action"], content["Key"]) == ("Create", bill.note_id)
    assert content["ExactOnlineEndpoint"].endswith(f"financialtransaction/Transactions(guid'{bill.note_id}')")
    assert "EventCreatedOn" in content
    assert visitor.call("GET", content["ExactOnlineEndpoint"]).json()["d"]["EntryID"] == bill.note_id
    assert visitor.site.notify() == 0


def test_updates_and_deletes_are_told_too(visitor: Visitor, receiver: Receiver) -> None:
    held = visitor.world.life.hold_journal()
    visitor.division = DIVISIONS[held.branch]
    _subscribe(visitor, receiver.url, "GeneralJournalEntries")
    key = f"{held.module}|{held.batch_nbr}"
    visitor.world.life.change_journal(key)
    visitor.site.notify()
    visitor.world.life.delete_journal(key)
    visitor.site.notify()
    contents = [msgspec.json.decode(_content(body)) for body in receiver.bodies[1:]]
    assert [(each["Action"], each["Key"]) for each in contents] == [
        ("Update", held.note_id),
        ("Delete", held.note_id),
    ]


def test_an_event_that_is_not_taken_comes_again_later_and_later(visitor: Visitor, receiver: Receiver) -> None:
    _subscribe(visitor, receiver.url)
    visitor.world.life.post_bill(branch="HQ")
    receiver.status = 500
    visitor.site.notify()
    assert (visitor.site.webhooks.pending, len(receiver.bodies)) == (1, 2)
    visitor.site.notify()
    assert len(receiver.bodies) == 2  # not yet
    waits = 0
    for attempt in range(9):
        visitor.site.clock.advance(120 * 2**attempt)
        waits += 120 * 2**attempt
        visitor.site.notify()
        assert len(receiver.bodies) == 3 + attempt
    assert visitor.site.webhooks.pending == 1
    visitor.site.clock.advance(120 * 2**9)
    visitor.site.notify()
    assert visitor.site.webhooks.pending == 0  # given up after about 34 hours
    assert 33 * 3600 < waits + 120 * 2**9 < 35 * 3600
    assert len(visitor.site.webhooks.failures) == 11


def test_a_retry_that_is_taken_ends_it(visitor: Visitor, receiver: Receiver) -> None:
    _subscribe(visitor, receiver.url)
    visitor.world.life.post_bill(branch="HQ")
    receiver.status = 503
    visitor.site.notify()
    receiver.status = 201
    visitor.site.clock.advance(120)
    assert visitor.site.notify() == 1
    assert receiver.bodies[1] == receiver.bodies[2]
    assert visitor.site.webhooks.pending == 0


def test_subscriptions_survive_a_restart(
    stage: tuple[str, Stage], stranger: Visitor, receiver: Receiver, tmp_path: Path
) -> None:
    _, current = stage
    current.app = stranger.site = create_app(stranger.world, tmp_path)
    _subscribe(stranger.sign_in(), receiver.url)
    stranger.world.life.post_bill(branch="HQ")
    current.app = stranger.site = create_app(stranger.world, tmp_path)
    assert stranger.site.notify() == 1


def test_the_signature_is_that_of_the_known_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "WEBHOOK_SECRET", "test-secret")
    key = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    content = (
        '{"Topic":"FinancialTransactions","ClientId":"11111111-2222-3333-4444-555555555555","Division":123456,'
        f'"Action":"Update","Key":"{key}","ExactOnlineEndpoint":"https://start.exactonline.nl/api/v1/123456/'
        f"financialtransaction/Transactions(guid'{key}')\","
        '"EventCreatedOn":"2026-01-15T10:20:30.123"}'
    )
    assert webhooks.sign(content) == "7040A976A38963C2511EE2F78B12D0FAB82E31FCD0CAB1FA5AAACF60BA9FED11"

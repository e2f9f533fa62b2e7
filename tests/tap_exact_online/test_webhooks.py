"""Events: only genuine ones are kept, each is on disk before it is answered, and storms become one run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import zoneinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from tap_exact_online.errors import UserError
from tap_exact_online.settings import with_defaults
from tap_exact_online.webhooks.queue import Queue
from tap_exact_online.webhooks.server import Receiver, create_app
from tap_exact_online.webhooks.signature import BadEventError, Event, content_of, hash_code, read_event
from tap_exact_online.webhooks.subscriptions import Subscriptions
from tap_exact_online.webhooks.topics import streams_of
from tests.sandbox.exact_online import CLIENT_ID, DIVISIONS, FORBIDDEN_DIVISION, WEBHOOK_SECRET
from tests.sandbox.exact_online.switches import Switches
from tests.sandbox.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.tap_exact_online.conftest import Instance

EAST, HQ = sorted(DIVISIONS.values())
# Composed and checked in two ways by the facts of this project.
CONTENT = (
    '{"Topic":"FinancialTransactions","ClientId":"11111111-2222-3333-4444-555555555555","Division":123456,'
    '"Action":"Update","Key":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","ExactOnlineEndpoint":'
    '"https://start.exactonline.nl/api/v1/123456/financialtransaction/Transactions'
    '(guid\'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\')","EventCreatedOn":"2026-01-15T10:20:30.123"}'
)
HASH = "7040A976A38963C2511EE2F78B12D0FAB82E31FCD0CAB1FA5AAACF60BA9FED11"


def event(
    topic: str = "FinancialTransactions",
    division: int = HQ,
    key: str = "k1",
    action: str = "Update",
    **more: Any,
) -> bytes:
    content = {
        "Topic": topic,
        "ClientId": CLIENT_ID,
        "Division": division,
        "Action": action,
        "Key": key,
        "ExactOnlineEndpoint": "https://x/{y}",
        "EventCreatedOn": "2026-01-15T10:20:30.123",
        **more,
    }
    text = json.dumps(content)
    return signed(text)


def signed(content: str, secret: str = WEBHOOK_SECRET) -> bytes:
    return f'{{"Content":{content},"HashCode":"{hash_code(content.encode(), secret)}"}}'.encode()


# signatures -------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_exact_bytes() -> None:
    assert hash_code(CONTENT.encode(), "test-secret") == HASH
    body = f'{{"Content":{CONTENT},"HashCode":"{HASH}"}}'.encode()
    assert content_of(body) == CONTENT.encode()
    found = read_event(body, "test-secret")
    assert found == Event(
        "FinancialTransactions",
        123456,
        "11111111-2222-3333-4444-555555555555",
        "update",
        "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    )


def test_blanks_and_order_do_not_matter_but_every_byte_of_the_content_does() -> None:
    body = f'{{ "HashCode" : "{HASH.lower()}" , "Content" :  {CONTENT} }}'.encode()
    assert read_event(body, "test-secret").division == 123456
    with pytest.raises(BadEventError, match="HashCode"):
        read_event(body.replace(b'"Division":123456', b'"Division": 123456'), "test-secret")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"nonsense",
        b'{"Content":{"a":1}',
        b'{"Content":"text","HashCode":"x"}',
        b'{"Content":{},"HashCode":null}',
        b"\xff\xfe",
        signed(CONTENT, "another-secret"),
        signed('{"Topic":"Accounts"}'),
        signed(CONTENT).replace(b"Update", b"Delete"),
        signed(CONTENT)[:-1] + b',"Content":{"Topic":"Accounts","Division":1}}',
        b'{"x":' + signed(CONTENT) + b"}",
    ],
)
def test_what_is_not_genuine_is_refused(body: bytes) -> None:
    with pytest.raises(BadEventError):
        read_event(body, WEBHOOK_SECRET)


# the receiver -----------------------------------------------------------------------------------------------


class Site:
    """A running receiver."""

    def __init__(self, url: str, queue: Queue) -> None:
        self.url = url
        self.queue = queue

    def post(self, body: bytes) -> int:
        return requests.post(self.url, data=body, timeout=10).status_code

    @property
    def kept(self) -> int:
        waiting = self.queue.waiting()
        return 0 if waiting is None else waiting.events


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    queue = Queue(tmp_path / "q.db")
    config = {
        "webhook_secret": WEBHOOK_SECRET,
        "client_id": f"{{{CLIENT_ID.upper()}}}",
        "divisions": [HQ, EAST],
    }
    with serve(create_app(Receiver(config, queue, patience=0.3), "/hook")) as url:
        yield Site(f"{url}/hook", queue)
    queue.close()


def test_a_genuine_event_is_on_disk_when_it_is_answered(site: Site) -> None:
    assert site.post(event()) == 200
    assert site.kept == 1
    assert site.post(event(key="k2", action="DELETE")) == 200
    assert site.kept == 2


def test_the_empty_call_that_tests_a_subscription_is_answered(site: Site) -> None:
    assert site.post(b"") == 200
    assert site.kept == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 401),
        (event()[:-2], 401),
        (event().replace(b"Update", b"Create"), 401),
        (event(division=FORBIDDEN_DIVISION), 403),
        (event(ClientId="11111111-2222-3333-4444-555555555555"), 403),
        (b'{"Content":{"a":"' + b"x" * 70_000 + b'"}}', 413),
        (event("Quotations"), 200),
    ],
)
def test_other_events_are_turned_away_and_not_kept(site: Site, body: bytes, status: int) -> None:
    assert site.post(body) == status
    assert site.kept == 0


def test_other_methods_and_paths_are_not_answered(site: Site) -> None:
    assert requests.get(site.url, timeout=10).status_code == 405
    assert requests.post(f"{site.url}/other", data=event(), timeout=10).status_code == 404


def raw(site: Site, head: bytes, *parts: bytes, pause: float = 0.0) -> bytes:
    parsed = urlsplit(site.url)
    with socket.create_connection((parsed.hostname or "", parsed.port or 0), timeout=10) as connection:
        connection.sendall(head)
        for part in parts:
            time.sleep(pause)
            try:
                connection.sendall(part)
            except OSError:
                break
        return connection.recv(2000)


def test_a_slow_body_is_refused(site: Site) -> None:
    body = event()
    head = f"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert raw(site, head, body[:20], pause=0.0).startswith(b"HTTP/1.1 408")
    assert site.kept == 0


def test_a_long_body_without_a_length_is_refused_as_soon_as_it_is_too_long(site: Site) -> None:
    head = b"POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    assert raw(site, head, chunk, chunk, chunk).startswith(b"HTTP/1.1 413")
    assert site.kept == 0


def test_a_storm_of_events_is_taken_whole(site: Site) -> None:
    def storm(start: int) -> None:
        with requests.Session() as session:
            for number in range(start, start + 25):
                assert session.post(site.url, data=event(key=str(number % 10)), timeout=10).status_code == 200

    threads = [threading.Thread(target=storm, args=(start,)) for start in range(0, 100, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.kept == 100


# subscriptions ----------------------------------------------------------------------------------------------


@pytest.fixture
def wired(
    make_instance: Callable[..., Instance], tmp_path: Path
) -> Iterator[tuple[Instance, Site, dict[str, Any]]]:
    """A site, and a receiver that it can call."""
    instance = make_instance(switches=Switches(clock="real"))
    queue = Queue(tmp_path / "q.db")
    config = with_defaults(
        instance.with_(webhook_secret=WEBHOOK_SECRET, webhook_topics=["FinancialTransactions", "Accounts"])
    )
    with serve(create_app(Receiver(config, queue))) as url:
        config["webhook_callback_url"] = f"{url}/"
        yield instance, Site(f"{url}/", queue), config
    queue.close()


def test_subscribing_listing_and_unsubscribing(wired: tuple[Instance, Site, dict[str, Any]]) -> None:
    _, _, config = wired
    subscriptions = Subscriptions(config, zoneinfo.ZoneInfo("Europe/Amsterdam"))
    assert subscriptions.add(HQ, "Accounts")
    assert not subscriptions.add(HQ, "Accounts")
    assert subscriptions.add(EAST, "FinancialTransactions")
    found = list(subscriptions.all())
    assert {(each.division, each.topic) for each in found} == {
        (HQ, "Accounts"),
        (EAST, "FinancialTransactions"),
    }
    for each in found:
        subscriptions.remove(each)
    assert list(subscriptions.all()) == []
    with pytest.raises(UserError, match="webhook_callback_url"):
        Subscriptions({**config, "webhook_callback_url": None}, zoneinfo.ZoneInfo("UTC")).add(HQ, "Accounts")
    with pytest.raises(UserError, match="must run under"):
        Subscriptions(
            {**config, "webhook_callback_url": "http://127.0.0.1:9/"}, zoneinfo.ZoneInfo("UTC")
        ).add(HQ, "Accounts")


def test_a_posted_bill_is_told_and_waits_for_a_run(wired: tuple[Instance, Site, dict[str, Any]]) -> None:
    instance, site, config = wired
    subscriptions = Subscriptions(config, zoneinfo.ZoneInfo("Europe/Amsterdam"))
    for division in DIVISIONS.values():
        subscriptions.add(division, "FinancialTransactions")
    instance.app.notify()
    instance.world.life.advance(1)
    bill = instance.world.life.post_bill()
    assert instance.app.notify() >= 1
    waiting = site.queue.waiting()
    assert waiting is not None
    assert waiting.topics == ("FinancialTransactions",)
    assert waiting.divisions == (DIVISIONS[bill.branch],)
    assert "transaction_lines" in streams_of(waiting.topics)


def command(config: Mapping[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        f"TAP_EXACT_ONLINE_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in config.items()
    }
    return subprocess.run(
        [sys.executable, "-m", "tap_exact_online.webhooks", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **env},
    )


def test_the_commands_say_what_they_did(wired: tuple[Instance, Site, dict[str, Any]]) -> None:
    _, _, config = wired
    done = command(config, "subscribe")
    assert done.returncode == 0, done.stderr
    assert f"{HQ} Accounts: subscribed" in done.stdout
    assert config["webhook_callback_url"] in command(config, "list").stdout
    done = command(config, "unsubscribe")
    assert f"{EAST} FinancialTransactions: unsubscribed" in done.stdout
    assert "There are no subscriptions" in command(config, "list").stdout


def test_serving_without_a_secret_is_refused_with_one_line(instance: Instance) -> None:
    done = command(instance.config, "serve")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("webhook_secret:")

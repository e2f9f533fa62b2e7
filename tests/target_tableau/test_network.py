"""The ways that company networks put between a loader and Tableau: a private CA, a proxy."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from target_tableau import delivery
from target_tableau.client import TableauClient
from target_tableau.errors import TableauError
from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.sandbox.tableau.switches import too_many_requests
from tests.target_tableau.support import STATE, bills, load

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from tests.sandbox.faults import Fault
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def test_a_certificate_of_a_private_authority_is_taken_when_the_authority_is_named(
    publishing: Config, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with serve(server.app, certificate=certificate) as url:
        publishing["server_url"] = url
        with pytest.raises(TableauError, match="REQUESTS_CA_BUNDLE"):
            load(publishing, bills(("001", 1)))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
        assert load(publishing, bills(("001", 1))) == [STATE]
        load(publishing, bills(("001", 2)))
    assert server.rows("bills") == {"001": Decimal(2)}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the loader would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(delivery, "TableauClient", functools.partial(TableauClient, pause=waited.append))
    return waited


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (too_many_requests(r"POST .*/datasources", seconds=42), 42.0),
        (too_many_requests(r"POST .*/datasources", minutes=29), 29 * 60.0),
        (too_many_requests(r"GET .*/projects", seconds=7), 7.0),
        (too_many_requests(r"POST .*/datasources"), 15.0),
    ],
    ids=["header", "words", "when asking", "silent"],
)
def test_a_call_that_is_put_off_waits_as_long_as_tableau_says(
    publishing: Config, server: Server, pauses: list[float], fault: Fault, expected: float
) -> None:
    server.app.script.add(fault)
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert pauses == [expected]


def test_a_call_that_is_put_off_for_too_long_ends_the_run_in_tableaus_words(
    publishing: Config, server: Server, pauses: list[float]
) -> None:
    publishing["job_timeout_seconds"] = 600
    server.app.script.add(too_many_requests(r"POST .*/datasources", minutes=29))
    with pytest.raises(TableauError, match="retry after 29 minutes"):
        load(publishing, bills(("001", 1)))
    assert pauses == []


def test_tableau_behind_a_proxy_is_reached_through_it(
    publishing: Config, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked.add(dict(scope["headers"])[b"host"].decode())
            await server.app(scope, receive, send)

    with serve(proxy) as url:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("http_proxy", url)
        publishing["server_url"] = "http://tableau.example.com"
        assert load(publishing, bills(("001", 1))) == [STATE]
        load(publishing, bills(("001", 2)))
    assert asked == {"tableau.example.com"}
    assert server.find("bills", tableau.PROJECT) is not None
    assert server.rows("bills") == {"001": Decimal(2)}

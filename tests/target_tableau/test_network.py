"""The ways that company networks put between a loader and Tableau: a private CA, a proxy."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from target_tableau.errors import TableauError
from tests.sandbox import tableau
from tests.sandbox.serving import serve
from tests.target_tableau.support import STATE, bills, load

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

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


def test_tableau_behind_a_proxy_is_reached_through_it(
    publishing: Config, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _, _, host, rest = scope["path"].split("/", 3)
            asked.add(host)
            await server.app({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)

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

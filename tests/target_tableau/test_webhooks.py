"""Webhooks: an event is kept before it is answered, believed only when Tableau confirms it, and alerts once."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from click.testing import CliRunner

from target_tableau.ledger import Ledger
from target_tableau.settings import Settings
from target_tableau.webhooks.checking import Checker
from target_tableau.webhooks.command import client_of, main
from target_tableau.webhooks.server import Receiver, create_app
from tests.sandbox import tableau
from tests.sandbox.serving import bind, serve
from tests.sandbox.tableau.switches import Fate
from tests.target_tableau.support import bills, load, loads_command
from tests.target_tableau.test_health import Listener
from tests.target_tableau.test_webhook_events import LUID, body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from target_tableau.client import TableauClient
    from tests.sandbox.tableau.model import Workbook
    from tests.target_tableau.conftest import Server

Config = dict[str, Any]
TOKEN = "t0ken-of-the-webhooks-address-0123456789"


# what comes -----------------------------------------------------------------------------------------------------


class Site:
    """A running receiver, with what checks its events."""

    def __init__(self, url: str, ledger: Ledger, config: Config) -> None:
        self.base = url
        self.url = f"{url}/hook/{TOKEN}"
        self.ledger = ledger
        self.config = config

    def post(self, content: bytes, url: str = "") -> requests.Response:
        return requests.post(url or self.url, data=content, timeout=10)

    def rows(self) -> list[dict[str, Any]]:
        with self.ledger.transaction() as connection:
            return [
                dict(row)
                for row in connection.execute(sa.text("SELECT * FROM events ORDER BY id")).mappings()
            ]

    @property
    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def check(self, **changed: Any) -> bool:
        settings = Settings.from_config(self.config | changed)

        def connect() -> TableauClient:
            client = client_of(settings)
            client.pause = lambda _: None
            return client

        return Checker(settings, self.ledger, connect).check()


@pytest.fixture
def config(publishing: Config) -> Config:
    """Settings of an administrator of the site."""
    return publishing | {"token_name": tableau.ADMIN_TOKEN_NAME, "token_value": tableau.ADMIN_TOKEN_VALUE}


@pytest.fixture
def site(config: Config, tmp_path: Path) -> Iterator[Site]:
    ledger = Ledger(None, tmp_path / "output")
    with serve(create_app(Receiver(TOKEN, ledger, lambda: None, patience=0.3))) as url:
        yield Site(url, ledger, config | {"webhook_url": f"{url}/hook", "webhook_token": TOKEN})
    ledger.close()


def test_an_event_is_in_the_ledger_when_it_is_answered_and_comes_only_once(site: Site) -> None:
    assert [site.post(body()).text, site.post(body()).text] == ["kept", "known"]
    assert site.post(body(created_at="2026-01-01T00:00:01.000Z")).text == "kept"
    assert site.states == ["waiting", "waiting"]
    assert site.post(b"{}").text == "ready"
    assert site.post(body("AdminPromoted")).text == "ignored"
    assert len(site.rows()) == 2


@pytest.mark.parametrize(
    "path", ["", "/", f"/hook/{TOKEN[:-1]}", f"/hook/{TOKEN}x", f"/{TOKEN}/hook", "/hook/"]
)
def test_who_does_not_know_the_token_is_not_answered(site: Site, path: str) -> None:
    assert site.post(body(), site.base + path).status_code == 404
    assert site.rows() == []


def test_the_path_before_the_token_is_the_proxys_business(site: Site) -> None:
    assert site.post(body(), f"{site.base}/{TOKEN}").status_code == 200


def test_what_is_too_long_too_slow_or_odd_is_turned_away(site: Site) -> None:
    assert site.post(b"x" * 70_000).status_code == 413
    assert site.post(b"nonsense").status_code == 400
    assert requests.get(site.url, timeout=10).status_code == 405
    parts = urlsplit(site.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode())
        assert connection.recv(2000).startswith(b"HTTP/1.1 408")
    assert site.rows() == []


# what is registered ---------------------------------------------------------------------------------------------


def webhooks(config: Config, tmp_path: Path, *words: str) -> Result:
    path = tmp_path / "webhooks.json"
    path.write_text(json.dumps(config))
    return CliRunner().invoke(main, ["--config", str(path), *words])


def test_registering_listing_testing_and_removing(site: Site, server: Server, tmp_path: Path) -> None:
    server.app.switches.loopback_webhooks = True
    run = functools.partial(webhooks, site.config, tmp_path)
    made = run("register")
    assert made.output.splitlines()[0] == "DatasourceRefreshFailed: registered"
    assert len(made.output.splitlines()) == 5
    held = server.app.state.index.webhooks
    assert {each.event for each in held.values()} >= {"WorkbookRefreshFailed", "DatasourceDeleted"}
    assert {each.url for each in held.values()} == {site.url}
    assert run("register").output.splitlines()[0] == "DatasourceRefreshFailed: was registered already"
    listed = run("list").output
    assert f"WorkbookRefreshFailed: {site.base}/hook/(token)" in listed
    assert TOKEN not in listed
    tested = run("test")
    assert (tested.exit_code, tested.output.count("answered with 200")) == (0, 5)
    assert site.rows() == []
    assert run("remove").output.count("removed") == 5
    assert held == {}
    none = run("test")
    assert (none.exit_code, "There are no webhooks" in none.output) == (1, True)


def test_another_token_and_what_was_switched_off_are_registered_anew(
    site: Site, server: Server, tmp_path: Path
) -> None:
    server.app.switches.loopback_webhooks = True
    config = site.config | {"webhook_events": ["WorkbookRefreshFailed"]}
    webhooks(config, tmp_path, "register")
    (held,) = server.app.state.index.webhooks.values()
    held.enabled, held.reason = False, "nobody answered"
    assert "switched off (nobody answered)" in webhooks(config, tmp_path, "list").output
    assert webhooks(config, tmp_path, "register").output == "WorkbookRefreshFailed: registered anew\n"
    config["webhook_token"] = "n" * 40
    shown = webhooks(config, tmp_path, "list").output
    assert "(another token)" in shown
    assert TOKEN not in shown
    assert "answered with 200" in webhooks(config, tmp_path, "test").output
    assert webhooks(config, tmp_path, "register").output == "WorkbookRefreshFailed: registered anew\n"
    refused = webhooks(config, tmp_path, "test")
    assert (refused.exit_code, refused.output) == (1, "WorkbookRefreshFailed: answered with 404\n")
    (held,) = server.app.state.index.webhooks.values()
    assert held.url.endswith("/" + "n" * 40)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"webhook_token": None}, "secrets.token_urlsafe"),
        ({"webhook_token": "short"}, "32 or more"),
        ({"webhook_url": None}, "webhook_url must be"),
        ({"server_url": None}, "server_url is not set"),
        (
            {"token_name": tableau.TOKEN_NAME, "token_value": tableau.TOKEN_VALUE},
            "Webhooks are for site and server administrators",
        ),
    ],
)
def test_what_is_missing_is_told_in_one_line(site: Site, tmp_path: Path, changed: Config, told: str) -> None:
    result = webhooks(site.config | changed, tmp_path, "register")
    assert result.exit_code == 1
    assert told in result.output
    assert len(result.output.splitlines()) == 1


def test_only_https_is_taken_by_tableau(site: Site, tmp_path: Path) -> None:
    result = webhooks(site.config, tmp_path, "register")
    assert result.exit_code == 1
    assert "https" in result.output
    assert TOKEN not in result.output


# what is believed -----------------------------------------------------------------------------------------------


@pytest.fixture
def watched(site: Site, server: Server, tmp_path: Path) -> Workbook:
    """A workbook with an extract, whose refreshes Tableau tells of."""
    server.app.switches.loopback_webhooks = True
    server.app.switches.job_polls = 0
    load(site.config, bills(("001", 1)))
    webhooks(site.config, tmp_path, "register")
    return server.app.state.add_workbook("Spend", extracts=[server.get("bills").id])


def refresh(server: Server, config: Config, book: Workbook, fate: Fate) -> None:
    """Refresh a workbook as its schedule does, and let Tableau tell of it."""
    server.app.switches.fates = [fate]
    with client_of(Settings.from_config(config)) as client:
        client.server.workbooks.refresh(book.id)
    server.app.run_out()
    server.app.deliver()


def test_a_failed_refresh_alerts_once_and_again_when_it_is_over(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    listener = Listener()
    with serve(listener.app) as url:
        site.config["alert_urls"] = url.replace("http://", "json://") + "/alert"
        refresh(server, site.config, watched, Fate("failed", notes="out of memory"))
        assert site.states == ["waiting"]
        assert listener.alerts == []
        assert site.check()
        assert site.states == ["failed"]
        assert "The workbook 'Spend' could not be refreshed by Tableau" in listener.alerts[0]["message"]
        assert "out of memory" in listener.alerts[0]["message"]
        told = loads_command(site.config, tmp_path, "health")
        assert (told.exit_code, "out of memory" in told.output) == (1, True)
        refresh(server, site.config, watched, Fate("failed", notes="out of memory"))
        assert site.check()
        assert len(listener.alerts) == 1
        refresh(server, site.config, watched, Fate("success"))
        assert site.check()
        assert site.states == ["failed", "failed", "well"]
        assert "Over: The workbook 'Spend'" in listener.alerts[1]["message"]
        assert loads_command(site.config, tmp_path, "health").exit_code == 0


def test_an_event_that_tableau_does_not_confirm_alerts_nobody(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    """Whoever has learnt the address may say what he likes."""
    here = server.app.state.index.site
    site.post(body(site=here))
    site.post(body(luid=watched.id, site=here))
    site.post(body(luid=watched.id, site=LUID, created_at="later"))
    assert [site.check() for _ in range(3)] == [False, False, True]
    assert site.states == ["unconfirmed"] * 3
    assert loads_command(site.config, tmp_path, "health").exit_code == 0


def test_a_refresh_that_went_well_meanwhile_is_no_incident(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    refresh(server, site.config, watched, Fate("failed"))
    refresh(server, site.config, watched, Fate("success"))
    assert site.check()
    assert site.states == ["well", "well"]
    assert loads_command(site.config, tmp_path, "health").exit_code == 0


def test_events_wait_while_tableau_cannot_be_asked(site: Site, server: Server, watched: Workbook) -> None:
    refresh(server, site.config, watched, Fate("failed"))
    nobody = "http://127.0.0.1:9"
    assert not site.check(server_url=nobody)
    assert site.states == ["waiting"]
    assert site.check()
    assert site.states == ["failed"]


def test_a_user_who_may_not_ask_is_one_incident(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    refresh(server, site.config, watched, Fate("failed"))
    assert site.check(token_name=tableau.TOKEN_NAME, token_value=tableau.TOKEN_VALUE)
    assert site.states == ["unclear"]
    told = loads_command(site.config, tmp_path, "health")
    assert told.exit_code == 1
    assert "sign in as a site administrator" in told.output
    refresh(server, site.config, watched, Fate("success"))
    assert site.check()
    assert loads_command(site.config, tmp_path, "health").exit_code == 0


def test_a_data_source_of_ours_that_was_deleted_is_an_incident_until_it_is_there_again(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    with client_of(Settings.from_config(site.config)) as client:
        client.server.datasources.delete(server.get("bills").id)
    server.app.deliver()
    assert site.check()
    assert site.states == ["gone"]
    told = loads_command(site.config, tmp_path, "health")
    assert (told.exit_code, "'bills' was deleted in Tableau" in told.output) == (1, True)
    load(site.config, bills(("001", 2)))
    assert loads_command(site.config, tmp_path, "health").exit_code == 0
    assert watched.extracts


def test_our_own_refresh_that_failed_is_told_once(
    site: Site, server: Server, watched: Workbook, tmp_path: Path
) -> None:
    site.config["refresh"] = {"workbooks": ["Spend"]}
    server.app.switches.fates = [Fate("failed", "RefreshExtract", notes="out of memory")]
    with pytest.raises(Exception, match="out of memory"):
        load(site.config, bills(("001", 2)))
    server.app.deliver()
    assert site.check()
    assert site.states == ["failed"]
    assert loads_command(site.config, tmp_path, "health").output.count("out of memory") == 1
    assert watched.extracts


# the whole way --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")
def test_the_way_from_a_failed_refresh_to_an_alert(config: Config, server: Server, tmp_path: Path) -> None:
    listener = Listener()
    server.app.switches.loopback_webhooks, server.app.switches.job_polls = True, 0
    with bind() as taken:
        port = taken.getsockname()[1]
    with serve(listener.app) as url:
        config |= {
            "alert_urls": url.replace("http://", "json://") + "/alert",
            "webhook_url": f"http://127.0.0.1:{port}/tableau",
            "webhook_token": TOKEN,
        }
        load(config, bills(("001", 1)))
        path = tmp_path / "serve.json"
        path.write_text(json.dumps(config))
        words = ["-m", "target_tableau.webhooks", "--config", str(path), "serve", "--port", str(port)]
        with (tmp_path / "serve.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, *words], stdout=log, stderr=subprocess.STDOUT)
            try:
                _wait(lambda: _listens(port))
                assert webhooks(config, tmp_path, "register").exit_code == 0
                book = server.app.state.add_workbook("Spend", extracts=[server.get("bills").id])
                refresh(server, config, book, Fate("failed", notes="out of memory"))
                _wait(lambda: bool(listener.alerts))
            finally:
                process.terminate()
                assert process.wait(20) in {0, -15, 143}
    assert "out of memory" in listener.alerts[0]["message"]
    printed = (tmp_path / "serve.log").read_text()
    assert "'Spend': failed" in printed
    for secret in (TOKEN, tableau.ADMIN_TOKEN_VALUE):
        assert secret not in printed


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""Publishing, against the sandbox's Tableau Server over real sockets."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_tableau.address import parse_address
from target_tableau.errors import JobError, SettingError, TableauError
from target_tableau.target import TargetTableau
from tests.sandbox import tableau
from tests.sandbox.faults import Fault
from tests.sandbox.tableau.switches import Fate, too_many_requests
from tests.target_tableau.support import BILL, STATE, Extracts, bills, load, record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_tableau.conftest import Server

Config = dict[str, Any]


def test_what_was_loaded_is_published_and_the_state_follows(publishing: Config, server: Server) -> None:
    publishing["source"] = "tap-x"
    assert load(publishing, bills(("001", 1), ("002", 2))) == [STATE]
    assert server.rows("tap-x bills") == {"001": Decimal(1), "002": Decimal(2)}


def test_a_run_without_a_net_change_writes_nothing_on_tableau(publishing: Config, server: Server) -> None:
    load(publishing, bills(("001", 1)))
    before = list(server.writes)
    calls = len(server.app.script.calls)
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.writes == before
    assert len(server.app.script.calls) == calls  # not even a sign-in


def test_a_change_replaces_the_content_and_keeps_the_identity(publishing: Config, server: Server) -> None:
    load(publishing, bills(("001", 1)))
    first = server.find("bills", tableau.PROJECT)
    load(publishing, bills(("001", 5), ("002", 2)))
    second = server.find("bills", tableau.PROJECT)
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert server.rows("bills") == {"001": Decimal(5), "002": Decimal(2)}


def test_an_extract_that_was_never_published_is_published_without_a_change(
    config: Config, publishing: Config, server: Server
) -> None:
    load(config, bills(("001", 1)))
    load(publishing, bills(("001", 1)))
    assert server.rows("bills") == {"001": Decimal(1)}


def test_a_data_source_renamed_in_tableau_is_found_again(publishing: Config, server: Server) -> None:
    load(publishing, bills(("001", 1)))
    found = server.find("bills", tableau.PROJECT)
    assert found is not None
    found.name = "AP bills"
    load(publishing, bills(("001", 2)))
    assert server.rows("AP bills") == {"001": Decimal(2)}
    assert server.find("bills", tableau.PROJECT) is None


def test_a_data_source_that_was_deleted_in_tableau_is_made_anew(publishing: Config, server: Server) -> None:
    load(publishing, bills(("001", 1)))
    gone = server.find("bills", tableau.PROJECT)
    assert gone is not None
    del server.app.state.index.datasources[gone.id]
    load(publishing, bills(("001", 2)))
    assert server.rows("bills") == {"001": Decimal(2)}


@pytest.mark.parametrize(
    "name",
    [
        "A & B, C: [D]/E",
        *(pytest.param(n, marks=pytest.mark.soak) for n in ("Ü \"quoted\" <x> 'y'", "plain")),
    ],
)
def test_names_that_a_filter_cannot_match_are_found_again(
    publishing: Config, server: Server, name: str
) -> None:
    publishing["datasource_name"] = name
    load(publishing, bills(("001", 1)))
    load(publishing, bills(("001", 2)))
    assert server.rows(name) == {"001": Decimal(2)}
    assert len(server.app.state.index.datasources) == 1


def test_a_data_source_of_somebody_else_is_not_touched_unless_adopted(
    publishing: Config, server: Server
) -> None:
    server.app.state.add_database_extract("bills")
    with pytest.raises(TableauError, match="was not made by this loader"):
        load(publishing, bills(("001", 1)))
    assert "publish" not in server.writes
    publishing["adopt"] = True
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.rows("bills") == {"001": Decimal(1)}


def test_a_new_machine_takes_the_published_data_source_as_its_base(
    publishing: Config, server: Server, tmp_path: Path
) -> None:
    load(publishing, bills(("001", 1), ("002", 2)))
    publishing["output_dir"] = str(tmp_path / "another")
    assert load(publishing, [state(), *bills(("002", 3))]) == [STATE]
    assert server.rows("bills") == {"001": Decimal(1), "002": Decimal(3)}


@pytest.mark.usefixtures("by_job")
@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (Fate("failed", notes="The file is not welcome."), "The file is not welcome"),
        (Fate("failed", notes=None), "no reason"),
        (Fate("cancelled"), "was cancelled"),
        (Fate("never"), "did not end within 1 s"),
        (Fate("success", finish_code="7"), "failed in Tableau"),
    ],
)
def test_a_publish_job_that_does_not_end_well_leaves_everything_as_it_was(
    publishing: Config, server: Server, extracts: Extracts, fate: Fate, told: str
) -> None:
    publishing["publish_mode"] = "overwrite"
    load(publishing, bills(("001", 1)))
    publishing["job_timeout_seconds"] = 1
    server.app.switches.fates = [fate]
    with pytest.raises(JobError, match=re.escape(told)):
        load(publishing, bills(("001", 2)))
    assert extracts.column("bills", "amount") == [Decimal(1)]
    # the next run reads the same again, and both sides have it
    assert load(publishing, bills(("001", 2))) == [STATE]
    assert extracts.column("bills", "amount") == [Decimal(2)]
    assert server.rows("bills") == {"001": Decimal(2)}


@pytest.mark.usefixtures("by_job")
@pytest.mark.parametrize("switch", ["early_finish_code", "fractional_seconds"])
def test_a_job_is_over_when_it_says_when_it_was_completed(
    publishing: Config, server: Server, switch: str
) -> None:
    setattr(server.app.switches, switch, True)
    server.app.switches.job_polls = 3
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.rows("bills") == {"001": Decimal(1)}


@pytest.mark.usefixtures("by_job")
def test_a_job_that_is_not_found_at_first_is_waited_for(publishing: Config, server: Server) -> None:
    server.app.switches.fates = [Fate(missing_polls=2)]
    assert load(publishing, bills(("001", 1))) == [STATE]


def test_a_session_that_ends_is_opened_again(publishing: Config, server: Server) -> None:
    server.app.switches.expire_after_calls = 3
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.rows("bills") == {"001": Decimal(1)}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            Fault(r"POST .*/datasources\?", status=504, body=b"<html>gateway</html>"), marks=pytest.mark.soak
        ),
        Fault(r"POST .*/datasources\?", status=504, after=True, body=b"<html>gateway</html>"),
        Fault(r"POST .*/datasources\?", cut=True),
        pytest.param(Fault(r"POST .*/datasources\?", cut=True, after=True), marks=pytest.mark.soak),
        Fault(r"GET .*/jobs/", status=503, times=2),
        Fault(r"POST .*/auth/signin", status=502),
        too_many_requests(r"POST .*/datasources\?", seconds=0),
        too_many_requests(r"POST .*/datasources\?", minutes=1),
    ],
    ids=lambda fault: f"{fault.pattern} {fault.status or 'cut'}{' after' if fault.after else ''}",
)
def test_a_passing_fault_is_overcome(publishing: Config, server: Server, fault: Fault) -> None:
    server.app.script.add(fault)
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.rows("bills") == {"001": Decimal(1)}


def test_all_extracts_are_verified_before_the_first_is_published(publishing: Config, server: Server) -> None:
    publishing["load_method"] = "upsert"
    messages = bills(("001", 1))
    with pytest.raises(SettingError):
        load(publishing, [*messages, schema("log", {"a": {"type": "string"}}), record("log", a="x"), state()])
    assert "publish" not in server.writes


def test_a_dry_run_changes_nothing_anywhere(publishing: Config, server: Server, extracts: Extracts) -> None:
    publishing["dry_run"] = True
    assert load(publishing, bills(("001", 1))) == []
    assert server.writes == []
    assert list(extracts.folder.glob("*.hyper*")) == []


MISTAKES = [
    ({"server_url": "http://127.0.0.1:9"}, TableauError, "cannot be reached"),
    ({"server_url": "tableau.example.com"}, SettingError, "is not a URL"),
    ({"token_value": "wrong-canary"}, TableauError, "token_name, token_value and site"),
    ({"site": "marketing"}, TableauError, "token_name, token_value and site"),
    ({"project": "Nowhere"}, SettingError, "no project 'Nowhere'"),
    ({"project": None}, SettingError, "project must be set"),
    ({"token_value": None}, SettingError, "token_value must be set"),
    ({"token_value": None, "token_name": None}, SettingError, "a way to sign in must be set"),
    ({"username": "publisher"}, SettingError, "several ways to sign in"),
    ({"datasource_name": "{strem}"}, SettingError, "only {source} and {stream}"),
    (
        {"token_name": tableau.VIEWER_TOKEN_NAME, "token_value": tableau.VIEWER_TOKEN_VALUE},
        TableauError,
        "403",
    ),
]


@pytest.mark.parametrize(("change", "kind", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_a_wrong_setting_is_one_line_and_nothing_is_written(
    publishing: Config, server: Server, extracts: Extracts, change: Config, kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind) as caught:
        load(
            {name: value for name, value in (publishing | change).items() if value is not None},
            bills(("001", 1)),
        )
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert "canary" not in message
    assert "publish" not in server.writes
    assert not (extracts.folder / "bills.hyper").exists()


CONNECTED_APP = {
    "connected_app_client_id": tableau.CONNECTED_APP_CLIENT_ID,
    "connected_app_secret_id": tableau.CONNECTED_APP_SECRET_ID,
    "connected_app_secret_value": tableau.CONNECTED_APP_SECRET_VALUE,
    "connected_app_user": tableau.USERNAME,
}


@pytest.mark.parametrize(
    "way",
    [CONNECTED_APP, {"username": tableau.USERNAME, "password": tableau.PASSWORD}],
    ids=["app", "password"],
)
def test_other_ways_to_sign_in(publishing: Config, server: Server, way: Config) -> None:
    del publishing["token_name"], publishing["token_value"]
    assert load(publishing | way, bills(("001", 1))) == [STATE]
    server.app.switches.expire_after_calls = 4  # each sign-in needs a new JSON Web Token
    assert load(publishing | way, bills(("001", 2))) == [STATE]
    assert server.rows("bills") == {"001": Decimal(2)}
    wrong = {name: f"{value}x" for name, value in way.items() if "secret_value" in name or "password" in name}
    with pytest.raises(TableauError, match="refused the sign-in"):
        load(publishing | way | wrong, bills(("001", 3)))


@pytest.mark.parametrize(("days", "warned"), [(13, True), (20, False)])
def test_the_last_days_of_a_token_are_told(
    publishing: Config, server: Server, caplog: pytest.LogCaptureFixture, days: int, *, warned: bool
) -> None:
    server.app.switches.pat_days_left = days
    load(publishing, bills(("001", 1)))
    assert ("The Tableau token ends in" in caplog.text) == warned


def test_a_web_page_instead_of_tableau_is_told_as_such(publishing: Config, server: Server) -> None:
    page = b"<html><body>Welcome to our intranet</body></html>"
    server.app.script.add(Fault("signin", status=200, body=page, times=9))
    with pytest.raises(TableauError, match="not as Tableau does"):
        load(publishing, bills(("001", 1)))


def test_several_projects_of_one_name_must_be_told_apart_by_path(publishing: Config, server: Server) -> None:
    finance = server.app.state.project("Finance")
    server.app.state.add_project("ERP", tableau.USERNAME, finance.id)
    publishing["project"] = "ERP"  # the path of the one at the top
    assert load(publishing, bills(("001", 1))) == [STATE]
    publishing["project"] = "Close"
    assert load(publishing, bills(("001", 1))) == [STATE]
    assert server.find("bills", tableau.NESTED_PROJECT) is not None


@pytest.mark.parametrize(
    ("url", "site", "expected"),
    [
        (
            "https://10ax.online.tableau.com/#/site/finance/home",
            None,
            ("https://10ax.online.tableau.com", "finance"),
        ),
        ("https://tableau.example.com/", None, ("https://tableau.example.com", "")),
        (
            "https://tableau.example.com:8443/t/finance/views/x",
            None,
            ("https://tableau.example.com:8443", "finance"),
        ),
        ("https://example.com/bi/#/site/a%20b/projects/7", None, ("https://example.com/bi", "a b")),
        ("http://localhost", "finance", ("http://localhost", "finance")),
    ],
)
def test_an_address_pasted_from_a_browser_is_understood(
    url: str, site: str | None, expected: tuple[str, str]
) -> None:
    address = parse_address(url, site)
    assert (address.server_url, address.site) == expected


def test_the_secret_is_in_no_repr_and_no_log(
    publishing: Config, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    load(publishing, bills(("001", 1)))
    assert server.app.script.count("signin") == 1
    assert tableau.TOKEN_VALUE not in caplog.text
    assert tableau.TOKEN_VALUE not in repr(TargetTableau(config=publishing))


def test_other_streams_of_the_same_run_are_published_once_each(publishing: Config, server: Server) -> None:
    vendors = [schema("vendors", BILL, ["ref"]), record("vendors", ref="V1", amount=None, note_id=None)]
    load(publishing, [*bills(("001", 1))[:-1], *vendors, state()])
    assert server.writes.count("publish") == 2
    assert server.rows("vendors") == {"V1": None}

"""One call: what is repeated, what is not, and what the message says."""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import TYPE_CHECKING

import pytest

from tap_syspro.errors import UserError
from tap_syspro.odata import encoded, quoted
from tests.sandbox.faults import Fault
from tests.tap_syspro.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_syspro.conftest import Instance

ROWS = r"TblApTerms\?"


def reason(instance: Instance, fault: Fault, **settings: object) -> str:
    instance.script.add(fault)
    run = run_tap(instance.with_(companies=["EDU1"], **settings), "ap_terms", "ap_supplier")
    assert run.rows("ap_supplier")
    return run.tap.chosen["ap_terms"].feed.reason


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_that_passes_is_waited_out(instance: Instance, status: int) -> None:
    instance.script.add(Fault(ROWS, status=status, body=b"busy"))
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_terms")
    assert run.tap.exit_code == 0
    assert len(run.rows("ap_terms")) == len(instance.app.table("EDU1", "TblApTerms"))
    assert len(run.waits) == 1
    assert 2 <= run.waits[0] <= 3


def test_the_server_says_how_long_to_wait(instance: Instance) -> None:
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    instance.script.add(Fault(ROWS, status=429, headers={"Retry-After": "17"}))
    instance.script.add(Fault(ROWS, status=503, headers={"Retry-After": email.utils.format_datetime(then)}))
    instance.script.add(Fault(ROWS, status=503, headers={"Retry-After": "99999"}))
    instance.script.add(Fault(ROWS, status=503, headers={"Retry-After": "soon"}))
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_terms")
    assert run.waits[0] == 17
    assert 60 < run.waits[1] <= 100
    assert run.waits[2] == 600
    assert 16 <= run.waits[3] <= 17


@pytest.mark.parametrize("cut", [Fault(ROWS, cut=True), Fault(ROWS, cut=True, after=True)])
def test_a_cut_connection_is_tried_again(instance: Instance, cut: Fault) -> None:
    instance.script.add(Fault(cut.pattern, cut=True, after=cut.after))
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_terms")
    assert run.tap.exit_code == 0
    assert run.waits


def test_trouble_that_stays_fails_the_stream_and_not_the_others(instance: Instance) -> None:
    said = reason(instance, Fault(ROWS, status=503, body=b"no", times=99), max_retries=2)
    assert "Gave up after 3 tries" in said
    assert "TblApTerms" in said
    assert instance.script.count(ROWS) == 3


def test_answers_that_come_too_late_are_asked_for_in_smaller_pages(instance: Instance) -> None:
    instance.script.add(Fault(r"GenTransaction\?.*top=80&", status=500, body=b"timeout", times=2))
    run = run_tap(instance.with_(companies=["EDU1"], page_size=80), "gen_transaction")
    assert run.tap.exit_code == 0
    assert len(run.rows("gen_transaction")) == len(instance.app.table("EDU1", "GenTransaction"))
    assert instance.script.count(r"GenTransaction\?.*top=40&") > 2


def test_a_web_page_with_200_is_no_data(instance: Instance) -> None:
    said = reason(instance, Fault(ROWS, status=200, body=b"<html>We are back soon</html>", times=99))
    assert "web page" in said


def test_a_redirect_to_a_sign_in_page_is_no_data(instance: Instance) -> None:
    said = reason(instance, Fault(ROWS, status=302, headers={"Location": "/login"}, times=99))
    assert "web page" in said


def test_rows_that_are_missing_from_an_answer_are_no_empty_table(instance: Instance) -> None:
    instance.script.add(Fault(ROWS, status=200, body=b"{}"))
    run = run_tap(instance.with_(companies=["EDU1"]), "ap_terms")
    assert run.rows("ap_terms")
    assert run.waits


def test_a_refusal_is_told_with_the_vendors_words_and_its_request_id(instance: Instance) -> None:
    body = b'{"error":{"code":"","message":"The query is not valid."}}'
    said = reason(instance, Fault(ROWS, status=400, body=body, headers={"X-Request-ID": "r-17"}, times=9))
    assert "The query is not valid." in said
    assert "r-17" in said


@pytest.mark.parametrize("status", [403, 404])
def test_a_stream_that_is_forbidden_or_missing_is_left_out(instance: Instance, status: int) -> None:
    instance.script.add(Fault(ROWS, status=status, body=b"<html>no</html>", times=99))
    config = instance.with_(companies=["EDU1"])
    run = run_tap(config, "ap_terms", "ap_supplier")
    assert run.tap.exit_code == 0
    assert run.tap.chosen["ap_terms"].feed.outcome.value == "skipped"
    assert "completed_at" not in run.state["bookmarks"].get("ap_terms", {})
    assert run.unread == {"ap_terms": "skipped"}
    strict = run_tap({**config, "skip_forbidden_streams": False}, "ap_terms", "ap_supplier")
    assert strict.tap.exit_code == 1
    assert run_tap(config, "ap_terms").tap.exit_code == 1  # nothing at all could be read


def test_a_password_that_was_changed_in_the_middle_ends_the_run(instance: Instance) -> None:
    instance.script.add(
        Fault(r"EDU1/ApSupplier\?", hook=lambda: setattr(instance.switches, "operator_loaded", False))
    )
    with pytest.raises(UserError, match="restarted"):
        run_tap(instance.config, "ap_supplier", "ap_terms")
    assert instance.script.count(r"EDU1/ApSupplier\?") == 1


def test_nothing_at_the_address_is_found_out_soon(instance: Instance) -> None:
    with pytest.raises(UserError, match="base_url: no SYSPRO service answers"):
        run_tap(instance.with_(base_url="http://127.0.0.1:9"), "ap_terms")


def test_only_get_is_ever_used(instance: Instance) -> None:
    run_tap(instance.with_(companies=["EDU1"]))
    run_tap(instance.enet(companies=["EDU1"]), "ap_supplier")
    assert {call.method for call in instance.script.calls} == {"GET"}
    assert instance.script.count(r"/(Setup|Transaction)/") == 0


def test_literals_are_quoted_and_encoded() -> None:
    assert quoted("O'Brien") == "'O''Brien'"
    assert encoded({"$filter": "Name eq 'A+B & C'"}) == "$filter=Name%20eq%20'A%2BB%20%26%20C'"

"""`tap-epicor-kinetic-changed`: cheap, and right about whether anything is new."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from tap_epicor_kinetic.changed import NOTHING_NEW, main
from tests.sandbox.epicor_kinetic import PASSWORD
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.tap_epicor_kinetic.conftest import Instance

STREAMS = ("ap_invoices", "terms", "vendors")


def ask(
    folder: Path, config: Mapping[str, Any], state: Mapping[str, Any] | str | None, *arguments: str
) -> tuple[int, str]:
    (folder / "config.json").write_text(json.dumps(config))
    options = ["--config", str(folder / "config.json"), *arguments]
    if state is not None:
        (folder / "state.json").write_text(state if isinstance(state, str) else json.dumps(state))
        options += ["--state", str(folder / "state.json")]
    result = CliRunner().invoke(main, options)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_nothing_new_costs_one_call_per_stream_and_company(instance: Instance, tmp_path: Path) -> None:
    state = run_tap(instance.config, *STREAMS).state
    instance.script.clear()
    assert ask(tmp_path, instance.config, state) == (NOTHING_NEW, "nothing new\n")
    assert len(instance.script.calls) == 2 * len(STREAMS)
    assert instance.site.violations == []


def test_a_new_row_is_found_and_named_and_ends_the_search(instance: Instance, tmp_path: Path) -> None:
    state = run_tap(instance.config, *STREAMS).state
    instance.world.life.post_bill()
    instance.script.clear()
    code, said = ask(tmp_path, instance.config, state)
    assert code == 0
    assert "ap_invoices (EPIC0" in said
    assert len(instance.script.calls) <= 2
    code, _ = ask(tmp_path, instance.config, state, "--stream", "terms")
    assert code == NOTHING_NEW


def test_what_meltano_prints_as_state_is_understood(instance: Instance, tmp_path: Path) -> None:
    state = run_tap(instance.config, "terms").state
    assert ask(tmp_path, instance.config, {"singer_state": state})[0] == NOTHING_NEW


def test_without_a_state_everything_is_new(instance: Instance, tmp_path: Path) -> None:
    assert ask(tmp_path, instance.config, None)[0] == 0
    assert ask(tmp_path, instance.config, "")[0] == 0


def test_a_stream_that_was_never_read_is_new(instance: Instance, tmp_path: Path) -> None:
    state = run_tap(instance.config, "terms").state
    assert ask(tmp_path, instance.config, state, "--stream", "vendors")[0] == 0


def test_the_filter_of_the_stream_counts(instance: Instance, tmp_path: Path) -> None:
    config = instance.with_(filters={"vendors": "VendorNum eq 1"})
    state = run_tap(config, "vendors").state
    instance.site.rewrite("Vendor", "EPIC06", 2)
    assert ask(tmp_path, config, state)[0] == NOTHING_NEW
    instance.site.rewrite("Vendor", "EPIC06", 1)
    assert ask(tmp_path, config, state)[0] == 0


def test_a_baq_with_a_revision_is_looked_at_and_one_without_is_not(
    instance: Instance, tmp_path: Path
) -> None:
    journal = {
        "id": "ACC-GLActivity",
        "name": "gl_activity",
        "key_properties": ["GLJrnDtl_JournalNum", "GLJrnDtl_JournalLine"],
        "replication_key": "GLJrnDtl_SysRevID",
    }
    config = instance.with_(baqs=[journal, {"id": "OpenPayables"}])
    state = run_tap(config, "gl_activity", "open_payables").state
    assert ask(tmp_path, config, state)[0] == NOTHING_NEW
    instance.world.life.post_journal()
    code, said = ask(tmp_path, config, state)
    assert (code, said.split()[0]) == (0, "gl_activity")


def test_a_forbidden_service_is_passed_over(instance: Instance, tmp_path: Path) -> None:
    state = run_tap(instance.config, *STREAMS).state
    instance.switches.forbidden_services = frozenset({"Erp.BO.APInvoiceSvc"})
    assert ask(tmp_path, instance.config, state)[0] == NOTHING_NEW
    assert ask(tmp_path, instance.with_(skip_forbidden_streams=False), state)[0] == 1


def test_errors_are_one_and_say_what_to_change(instance: Instance, tmp_path: Path, caplog: Any) -> None:
    state = run_tap(instance.config, "terms").state
    for config, given, arguments, says in (
        (instance.with_(password="wrong"), state, (), "username, password: "),
        (instance.config, "{", (), "--state: this is not JSON"),
        (instance.config, "[]", (), "--state: this is not a Singer state"),
        (instance.config, state, ("--stream", "nope"), "--stream: there is no stream nope"),
        (instance.with_(max_calls_per_run=1), state, (), "max_calls_per_run"),
    ):
        caplog.clear()
        code, _ = ask(tmp_path, config, given, *arguments)
        assert code == 1
        assert says in caplog.text
        assert PASSWORD not in caplog.text


def test_taken_licences_are_waited_out_here_too(instance: Instance, tmp_path: Path, monkeypatch: Any) -> None:
    state = run_tap(instance.config, "terms").state
    waits: list[float] = []
    monkeypatch.setattr("tap_epicor_kinetic.client.Client.sleep", staticmethod(waits.append))
    instance.script.add(Fault("Terms", status=503, times=3))
    instance.switches.license_failures = 1
    assert ask(tmp_path, instance.config, state)[0] == NOTHING_NEW
    assert 30.0 in waits
    assert len(waits) == 4

"""The companies file: what is wrong with it is told in one line, and what it says becomes definitions."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from orchestrate.__main__ import main
from orchestrate.companies import read_companies
from orchestrate.definitions import definitions_of, plan_of
from orchestrate.errors import ConfigError
from orchestrate.health import sync_pools
from orchestrate.timing import COMPANY, note_change

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrate.pipelines import Plan
    from orchestrate.places import Places

FILE = """
environment: prod
credentials:
  books: {extractor: tap-acumatica, settings: {base_url: "https://erp.example.com", password: "${PA55}"}}
  online: {extractor: tap-exact-online, max_concurrent_runs: 2}
tokens:
  pat: {settings: {token_name: t, token_value: "${PAT}"}}
defaults: {schedule: "*/15 * * * *", freshness_minutes: 60, tokens: [pat]}
companies:
  acme: {credential: books, settings: {tenant: Acme}, backfill_from: 2024-01}
  nl_one: {credential: online, settings: {divisions: [1]}, source: exact, schedule: ""}
  nl_two: {credential: online, settings: {divisions: [2]}, source: exact, freshness_minutes: 0}
"""


def planned(tmp_path: Path, text: str = FILE) -> tuple[Plan, Places]:
    file = tmp_path / "companies.yml"
    file.write_text(text, encoding="utf-8")
    return plan_of({"ORCHESTRATE_COMPANIES": str(file), "ORCHESTRATE_WORK_DIR": str(tmp_path / "work")})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("credentials:\n", "credentails:\n", "there is no key credentails"),
        ("extractor: tap-exact-online", "extractor: tap-exact", "there is no extractor 'tap-exact'"),
        ("credential: books", "credential: book", "companies.acme: there is no credential 'book'"),
        ("tokens: [pat]", "tokens: [pot]", "there is no token pot"),
        ("tenant: Acme", "tennant: Acme", "tap-acumatica has no setting tennant"),
        ("backfill_from: 2024-01", "backfill_from: 2024-13", "companies.acme"),
        ("backfill_from: 2024-01", "backfill_form: 2024-01", "backfill_form"),
        ("  nl_two:", "  nl_one:", "duplicate key"),
        ("  nl_two:", "  NL-two:", "'NL-two' is no name"),
        ("max_concurrent_runs: 2", "max_concurrent_runs: 0", "credentials.online"),
        ('schedule: "*/15 * * * *"', "schedule: hourly", "schedule 'hourly'"),
        ("tenant: Acme}", "tenant: Acme}, source: exact", "another ERP"),
        ("tenant: Acme}", "tenant: Acme}, watch_seconds: 60", "cannot tell what is new"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_line(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in FILE
    with pytest.raises(ConfigError, match=told) as caught:
        definitions_of(*planned(tmp_path, FILE.replace(before, after, 1)))
    assert "\n" not in str(caught.value)


def test_the_command_tells_a_missing_variable_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(tmp_path)
    monkeypatch.setenv("ORCHESTRATE_COMPANIES", str(tmp_path / "companies.yml"))
    monkeypatch.setenv("PA55", "canary")
    assert main(["check"]) == 1
    told = capsys.readouterr().err
    assert told == "orchestrate: tokens.pat.token_value: the environment variable PAT is not set.\n"
    monkeypatch.setenv("PAT", "canary-two")
    assert main(["check"]) == 0
    assert "canary" not in capsys.readouterr().out


def test_the_example_of_the_package_is_valid() -> None:
    definitions = definitions_of(*plan_of({}))
    dg.Definitions.validate_loadable(definitions)
    assert len(list(definitions.schedules or ())) == 5


def test_companies_that_share_a_source_fill_the_same_data_sources(tmp_path: Path) -> None:
    plan, places = planned(tmp_path)
    specs = {
        spec.key.to_user_string(): spec for spec in definitions_of(plan, places).resolve_all_asset_specs()
    }
    filled = specs["tableau/exact/purchase_entries"]
    assert {dep.asset_key.to_user_string() for dep in filled.deps} == {
        "exact_online/nl_one/purchase_entries",
        "exact_online/nl_two/purchase_entries",
    }
    environment = plan.pipelines["nl_two"].environment(places, {})
    assert environment["TAP_EXACT_ONLINE_DIVISIONS"] == "[2]"
    # a version that only one company's rows bear would say that the others' are gone
    assert environment["TAP_EXACT_ONLINE_EMIT_ACTIVATE_VERSION_MESSAGES"] == "false"
    assert "TAP_ACUMATICA_EMIT_ACTIVATE_VERSION_MESSAGES" not in plan.pipelines["acme"].environment(
        places, {"PA55": "x"}
    )


def test_a_service_that_activates_no_environment_did_not_find_the_taps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    plan, places = planned(tmp_path)
    path = plan.pipelines["nl_two"].environment(places, {})["PATH"]
    assert shutil.which("tap-exact-online", path=path)
    assert shutil.which("target-tableau", path=path)


def test_the_loaders_rules_follow_a_source_of_another_name(tmp_path: Path) -> None:
    plan, places = planned(tmp_path)
    environment = plan.pipelines["acme"].environment(places, {"PA55": "x"})
    match = json.loads(environment["TARGET_TABLEAU_DELETE_MATCH"])
    assert match["tap-acumatica-acme/bills"] == "note_id"
    assert not any(name.startswith(("tap-syspro", "tap-acumatica/")) for name in match)
    specs = {
        spec.key.to_user_string(): spec for spec in definitions_of(plan, places).resolve_all_asset_specs()
    }
    model = specs["tableau/tap_acumatica_acme/ap_bill_details"]
    assert "tableau/tap_acumatica_acme/bill_lines" in {dep.asset_key.to_user_string() for dep in model.deps}
    assert "tableau/tap_acumatica_acme/vendors" in {dep.asset_key.to_user_string() for dep in model.deps}


def test_a_schedule_does_not_pile_up_runs_and_pools_have_their_sizes(tmp_path: Path) -> None:
    plan, places = planned(tmp_path)
    definitions = definitions_of(plan, places)
    schedules = {schedule.name: schedule for schedule in definitions.schedules or ()}
    assert set(schedules) == {"schedule_acme", "schedule_nl_two"}
    schedule = definitions.resolve_schedule_def("schedule_acme")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert sync_pools(plan, instance) == ["erp_books", "erp_online"]
        assert sync_pools(plan, instance) == []
        sizes = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        assert sizes == {"erp_books": 1, "erp_online": 2}

        def due() -> Any:
            with dg.build_schedule_context(instance=instance) as context:
                return schedule.evaluate_tick(context)

        assert len(due().run_requests) == 1
        instance.create_run_for_job(
            definitions.resolve_job_def("read_acme"),
            status=dg.DagsterRunStatus.STARTED,
            tags={COMPANY: "acme"},
        )
        assert due().run_requests == []
        assert "has not ended" in due().skip_message


def test_an_event_of_the_erp_reads_what_it_touches(tmp_path: Path) -> None:
    plan, places = planned(tmp_path)
    definitions = definitions_of(plan, places)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def requests(*streams: str) -> list[Any]:
            note_change(instance, plan.pipelines["nl_one"], list(streams))
            sensor = definitions.resolve_sensor_def("events_nl_one")
            with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
                return list(sensor.evaluate_tick(context).run_requests or ())

        (touched,) = requests("purchase_entries", "nothing_we_read")
        assert [key.to_user_string() for key in touched.asset_selection] == [
            "exact_online/nl_one/purchase_entries"
        ]
        assert requests("nothing_we_read") == []
        (everything,) = requests()
        assert everything.asset_selection is None


def test_defaults_are_filled_in_where_a_company_is_silent(tmp_path: Path) -> None:
    planned(tmp_path)
    companies = read_companies(tmp_path / "companies.yml").companies
    assert (companies["nl_one"].schedule, companies["nl_two"].schedule) == ("", "*/15 * * * *")
    assert (companies["nl_two"].freshness_minutes, companies["acme"].freshness_minutes) == (0, 60)
    assert companies["acme"].retries == 3

"""What runs a schedule, and what other schedulers are told."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from filelock import FileLock

from orchestrate.schedules import writers
from orchestrate.schedules.__main__ import main
from orchestrate.schedules.plan import PlanError, read_plan
from orchestrate.schedules.running import run
from tests.generated import ROOT

_TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orchestrate").mkdir()
    for name in ("meltano.yml", "orchestrate/schedules.meltano.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def busy(folder: Path, loader: str) -> FileLock:
    locks = folder / ".meltano" / "locks"
    locks.mkdir(parents=True)
    return FileLock(locks / f"prod-{loader}.lock")


def test_a_frequent_start_is_left_out_while_another_job_uses_the_erp(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = read_plan(folder, "prod", {})
    with busy(folder, "target-tableau--syspro"):
        assert run(folder, plan, plan.schedule("syspro-payables")) == 0
    assert "target-tableau--syspro is busy" in capsys.readouterr().err
    assert not (folder / "output").exists()


def test_a_rare_start_waits_and_then_says_what_is_wrong(folder: Path) -> None:
    plan = read_plan(folder, "prod", {})
    with busy(folder, "target-tableau--syspro"), pytest.raises(PlanError, match="busy for 0 minutes"):
        run(folder, plan, plan.schedule("syspro-masters"), wait_minutes=0)


def test_jobs_of_different_erps_do_not_wait_for_each_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(folder, "prod", {})
    asked: list[tuple[str, ...]] = []

    def meltano(_: Path, *arguments: str) -> int:
        asked.append(arguments)
        return 7

    monkeypatch.setattr("orchestrate.schedules.running._meltano", meltano)
    with busy(folder, "target-tableau--syspro"):
        assert run(folder, plan, plan.schedule("acumatica-payables")) == 7
    assert asked == [("--environment", "prod", "run", "acumatica-payables")]


def test_a_pipeline_that_cannot_start_gives_meltanos_exit_code(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "orchestrate.schedules", "run", "syspro-ledger", "--project", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_", "TARGET_", "SCHEDULE"))
        }
        | {"MELTANO_CLI_DISABLE_VERSION_CHECK": "1"},
    )
    assert result.returncode == 1
    assert "base_url" in result.stdout + result.stderr, "the tap says which setting is missing"


def test_mistakes_are_told_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "payables", "--project", str(folder)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["list", "--project", str(folder / "output")]) == 1
    assert "no meltano.yml" in capsys.readouterr().err
    assert main(["list", "--project", str(folder), "--environment", "staging"]) == 1
    assert "no environment 'staging'" in capsys.readouterr().err


def test_the_list_is_for_people_and_json_for_orchestrators(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULES_TIMEZONE", "Europe/Berlin")
    assert main(["list", "--project", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("prod, times in Europe/Berlin\n0,15,30,45 5-23 * * * ")
    assert main(["json", "--project", str(folder)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["timezone"] == "Europe/Berlin"
    assert listed["schedules"][0] == {
        "name": "acumatica-payables",
        "job": "acumatica-payables",
        "cron_interval": "0,15,30,45 5-23 * * *",
        "loaders": ["target-tableau--acumatica"],
    }


def test_a_crontab_has_a_line_for_each_schedule_and_one_for_health(folder: Path) -> None:
    plan = read_plan(folder, "prod", {"SCHEDULES_TIMEZONE": "Europe/Berlin"})
    text = writers.crontab(plan, Path("/srv/100% books"))
    lines = [line for line in text.splitlines() if line[0] in "0123456789*"]
    assert "CRON_TZ=Europe/Berlin" in text
    assert len(lines) == len(plan.schedules) + 1
    assert all(r"cd '/srv/100\% books' && " in line for line in lines)
    (masters,) = [line for line in lines if "syspro-masters" in line]
    assert masters.startswith("21 1 * * * ")
    assert masters.endswith(" -m orchestrate.schedules run syspro-masters --environment prod")
    assert lines[-1].endswith(" --environment prod invoke target-tableau:health")


def test_systemd_units_name_the_zone_and_make_up_for_missed_nights(folder: Path) -> None:
    plan = read_plan(folder, "prod", {"SCHEDULES_TIMEZONE": "Europe/Berlin"})
    units = writers.systemd(plan, Path("/srv/books"))
    assert len(units) == 2 * (len(plan.schedules) + 1)
    assert "OnCalendar=Sun *-*-* 03:21:00 Europe/Berlin\nPersistent=true" in units["erp-syspro-full.timer"]
    assert "Persistent=false" in units["erp-syspro-payables.timer"]
    assert '"run" "syspro-full" "--environment" "prod"' in units["erp-syspro-full.service"]
    for name, text in units.items():
        if name.endswith(".timer") and shutil.which("systemd-analyze"):
            (when,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("OnCalendar")]
            subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)  # noqa: S607


def test_windows_tasks_start_when_the_schedules_do(folder: Path) -> None:
    plan = read_plan(folder, "prod", {})
    tasks = writers.windows(plan, Path(r"C:\books"), dt.date(2026, 11, 29))
    for schedule in plan.schedules:
        task = ET.fromstring(tasks[f"erp-{schedule.name}.xml"].encode("utf-16"))  # noqa: S314 - our own
        # the first trigger day is a Sunday, on which every one of these starts
        assert sorted(_starts(task)) == list(schedule.cron.starts(dt.date(2026, 11, 29), 1))
        days = task.find(f".//{_TASK}DaysOfWeek")
        assert (days is None) == schedule.cron.every_day
        assert task.findtext(f".//{_TASK}MultipleInstancesPolicy") == "IgnoreNew"


def _starts(task: ET.Element) -> list[dt.datetime]:
    found = []
    for trigger in task.iter(f"{_TASK}CalendarTrigger"):
        start = dt.datetime.fromisoformat(trigger.findtext(f"{_TASK}StartBoundary") or "")
        minutes = int((trigger.findtext(f".//{_TASK}Duration") or "PT1M")[2:-1])
        found += [start + dt.timedelta(minutes=step) for step in range(0, minutes, 60)]
    return found


def test_a_schedule_that_windows_cannot_be_told_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULE_SYSPRO_MASTERS", "0 1 1 * *")
    assert main(["windows", str(folder / "tasks"), "--project", str(folder)]) == 1
    assert "'0 1 1 * *'" in capsys.readouterr().err
    assert main(["systemd", str(folder / "units"), "--project", str(folder)]) == 0
    assert "OnCalendar=*-*-01 01:00:00 UTC" in (folder / "units" / "erp-syspro-masters.timer").read_text()

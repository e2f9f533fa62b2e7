from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import JobCancelledException, JobFailedException

from tests.sandbox.serving import serve
from tests.sandbox.tableau.app import create_app
from tests.sandbox.tableau.conftest import Client, Files, Published, Reply, pat, sign_in
from tests.sandbox.tableau.switches import Fate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.tableau.app import TableauApp

CLEAR = {
    "action": "delete",
    "target-schema": "Extract",
    "target-table": "Extract",
    "condition": {"op": "gt", "target-col": "id", "const": {"type": "integer", "v": 0}},
}


def _clear(client: Client, item: Published) -> str:
    """Start a job that deletes all rows; returns its id."""
    headers = {"RequestID": str(uuid.uuid4()), "Content-Type": "application/json"}
    body = json.dumps({"actions": [CLEAR]})
    accepted = client.raw("PATCH", f"/datasources/{item.id}/data", data=body, headers=headers)
    return str(accepted.find("job").get("id"))


def _rows(app: TableauApp, files: Files) -> int:
    return len(files.query(app.state.datasource("AP Bills")))


def _ask(client: Client, job: str) -> Reply:
    return client.raw("GET", f"/jobs/{job}")


def test_a_job_moves_on_with_every_question(client: Client, app: TableauApp, published: Published) -> None:
    app.switches.job_polls = 2
    job = _clear(client, published)
    shown = [_ask(client, job).find("job").attrib for _ in range(3)]
    assert [one.get("progress") for one in shown] == ["0", "0", "100"]
    assert [one.get("finishCode") for one in shown] == [None, None, "0"]
    assert [("completedAt" in one) for one in shown] == [False, False, True]
    done = client.server.jobs.get_by_id(job)
    assert done.completed_at is not None
    assert done.datasource_name == "AP Bills"


def test_the_client_library_waits_for_a_job(client: Client, published: Published) -> None:
    assert client.server.jobs.wait_for_job(_clear(client, published), timeout=5).finish_code == 0


def test_an_unknown_job_is_not_found(client: Client) -> None:
    assert client.raw("GET", "/jobs/nothing").code == "404018"
    assert client.raw("PUT", "/jobs/nothing").code == "404018"


@pytest.mark.parametrize(
    ("fate", "rows", "code", "notes"),
    [
        (Fate("failed", notes="Out of space."), 2, "1", "Out of space."),
        (Fate("failed"), 2, "1", None),
        (Fate("failed", notes="Late.", applies=True), 0, "1", "Late."),
        (Fate("cancelled"), 2, "2", None),
        (Fate(finish_code="7"), 0, "7", None),
        (Fate("success", applies=False), 2, "0", None),
    ],
)
def test_a_job_meets_its_fate(
    client: Client, app: TableauApp, files: Files, published: Published,
    fate: Fate, rows: int, code: str, notes: str | None,
) -> None:  # fmt: skip
    app.switches.fates.append(fate)
    done = _ask(client, _clear(client, published))
    assert done.find("job").get("finishCode") == code
    assert done.xml.findtext(".//notes") == notes
    assert _rows(app, files) == rows
    assert app.switches.fates == []


def test_a_fate_waits_for_its_kind_of_job(client: Client, app: TableauApp, published: Published) -> None:
    app.switches.fates.append(Fate("failed", kind="RefreshExtract"))
    assert _ask(client, _clear(client, published)).find("job").get("finishCode") == "0"
    assert len(app.switches.fates) == 1


def test_the_client_library_raises_what_became_of_the_job(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.switches.fates += [Fate("failed", notes="Out of space."), Fate("cancelled")]
    with pytest.raises(JobFailedException, match="Out of space"):
        client.server.jobs.wait_for_job(_clear(client, published), timeout=5)
    with pytest.raises(JobCancelledException):
        client.server.jobs.wait_for_job(_clear(client, published), timeout=5)


def test_a_job_can_last_for_ever(client: Client, app: TableauApp, published: Published) -> None:
    app.switches.fates.append(Fate("never"))
    job = _clear(client, published)
    assert all(_ask(client, job).find("job").get("completedAt") is None for _ in range(20))


def test_a_pending_job_may_carry_a_finish_code(client: Client, app: TableauApp, published: Published) -> None:
    app.switches.early_finish_code = True
    app.switches.job_polls = 1
    job = _clear(client, published)
    shown = [_ask(client, job).find("job") for _ in range(2)]
    assert [(one.get("finishCode"), one.get("completedAt") is None) for one in shown] == [
        ("1", True),
        ("0", False),
    ]


def test_a_time_with_a_fraction_is_lost_on_the_client_library(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.switches.fractional_seconds = True
    job = _clear(client, published)
    assert str(_ask(client, job).find("job").get("completedAt")).endswith(".417Z")
    assert client.server.jobs.get_by_id(job).completed_at is None


def test_a_new_job_may_not_be_found_at_first(client: Client, app: TableauApp, published: Published) -> None:
    app.switches.fates.append(Fate(missing_polls=2))
    job = _clear(client, published)
    assert [_ask(client, job).status for _ in range(3)] == [404, 404, 200]


def test_the_work_can_wait_for_the_end_of_the_job(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.work_at_finish, app.switches.job_polls = True, 1
    job = _clear(client, published)
    seen = []
    for _ in range(2):
        _ask(client, job)
        seen.append(_rows(app, files))
    assert seen == [2, 0]


def test_a_restart_remembers_jobs_and_fails_those_whose_work_was_waiting(
    tmp_path: Path, files: Files
) -> None:
    first = create_app(tmp_path / "kept")
    first.switches.job_polls = 0
    with serve(first) as url:
        client = sign_in(url, pat())
        published = client.publish(files.make())
        done = _clear(client, published)
        _ask(client, done)
        first.switches.work_at_finish = True
        waiting = _clear(client, published)
    first.close()
    second = create_app(tmp_path / "kept")
    second.switches.work_at_finish = True
    with serve(second) as url:
        client = sign_in(url, pat())
        assert _ask(client, done).find("job").get("finishCode") == "0"
        lost = _ask(client, waiting)
        assert lost.find("job").get("finishCode") == "1"
        assert "backgrounder stopped" in lost.xml.findtext(".//notes", "")
    second.close()


def test_administrators_list_jobs_by_type_and_status(
    client: Client, admin: Client, app: TableauApp, published: Published
) -> None:
    app.switches.fates.append(Fate("failed"))
    failed, pending = _clear(client, published), _clear(client, published)
    _ask(client, failed)
    assert client.raw("GET", "/jobs").code == "403004"
    listed, pages = admin.server.jobs.get(None, tsc.RequestOptions())
    assert [(job.id, job.status, job.type) for job in listed] == [
        (pending, "Pending", "update_uploaded_file"),
        (failed, "Failed", "update_uploaded_file"),
    ]
    assert pages.total_available == 2
    filtered = admin.raw("GET", "/jobs?filter=status:eq:Failed,jobType:eq:update_uploaded_file")
    assert [job.get("id") for job in filtered.xml.iter("backgroundJob")] == [failed]


def test_a_refresh_can_be_cancelled_until_it_ends(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    app.switches.job_polls = 5
    job = client.server.datasources.refresh(held.id)
    assert job is not None
    client.server.jobs.cancel(job.id)
    done = _ask(client, str(job.id)).find("job")
    assert (done.get("finishCode"), done.get("completedAt") is None) == ("2", False)
    assert client.raw("PUT", f"/jobs/{job.id}").code == "403091"


def test_an_update_cannot_be_cancelled_nor_can_other_peoples_jobs(
    client: Client, viewer: Client, app: TableauApp, published: Published
) -> None:
    app.switches.job_polls = 5
    job = _clear(client, published)
    assert client.raw("PUT", f"/jobs/{job}").code == "409004"
    assert viewer.raw("PUT", f"/jobs/{job}").code == "403032"


def test_cloud_caps_job_queries(client: Client, app: TableauApp, published: Published) -> None:
    job = _clear(client, published)
    app.switches.job_queries_per_day = 2
    assert [_ask(client, job).status for _ in range(3)] == [200, 200, 429]

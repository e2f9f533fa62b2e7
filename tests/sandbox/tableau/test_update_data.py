from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.faults import Fault
from tests.sandbox.tableau.by_hand import (
    BY_ID,
    SAME,
    TARGET,
    held_rows,
    notes_of,
    patch,
    payload_of,
)
from tests.sandbox.tableau.conftest import Client, Files, Published, pat, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.tableau.app import TableauApp


def test_the_client_librarys_upsert_changes_and_adds_rows(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    payload = payload_of(files, "(2, 'TWO', 2.2, NULL)", "(3, 'three', 3.3, NULL)")
    action: Any = {"action": "upsert", **SAME, "condition": BY_ID}
    job = client.server.datasources.update_hyper_data(
        published.id, request_id="r1", actions=[action], payload=payload
    )
    done = client.server.jobs.wait_for_job(job, timeout=5)
    assert (done.type, done.finish_code, done.datasource_id) == ("UpdateUploadedFile", 0, published.id)
    assert held_rows(app, files) == [[1, "one"], [2, "TWO"], [3, "three"]]
    write = app.state.writes[-1]
    assert (write.kind, write.name, write.size) == ("patch", "AP Bills", payload.stat().st_size)
    assert app.state.index.datasources[published.id].rows == 3


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"action": "insert", **SAME}, [[1, "one"], [2, "two"], [2, "TWO"], [3, "three"]]),
        ({"action": "update", **SAME, "condition": BY_ID}, [[1, "one"], [2, "TWO"]]),
        ({"action": "replace", **SAME}, [[2, "TWO"], [3, "three"]]),
        ({"action": "upsert", **SAME, "condition": BY_ID}, [[1, "one"], [2, "TWO"], [3, "three"]]),
        (
            {"action": "upsert", **SAME, "condition": {"op": "and", "args": [BY_ID, {**BY_ID, "op": "gt"}]}},
            [[1, "one"], [2, "TWO"], [2, "two"], [3, "three"]],
        ),
        (
            {"action": "insert", "source-table": "Extract", "target-table": "Extract"},
            [[1, "one"], [2, "TWO"], [2, "two"], [3, "three"]],
        ),
    ],
)
def test_every_action_is_executed_for_real(
    client: Client,
    app: TableauApp,
    files: Files,
    published: Published,
    action: dict[str, Any],
    expected: list[list[object]],
) -> None:
    payload = payload_of(files, "(2, 'TWO', 2.2, NULL)", "(3, 'three', 3.3, NULL)")
    assert notes_of(client, patch(client, published, action, payload=payload)) is None
    assert sorted(held_rows(app, files), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"op": "eq", "target-col": "id", "const": {"type": "integer", "v": 1}}, [2]),
        ({"op": "gte", "target-col": "id", "const": {"type": "double", "v": "1.5"}}, [1]),
        (
            {"op": "lt", "target-col": "booked", "const": {"type": "datetime", "v": "2026-01-31T00:00:00Z"}},
            [2],
        ),
        ({"op": "neq", "target-col": "note", "const": {"type": "string", "v": "o'ne"}}, []),
        (
            {"op": "not", "args": [{"op": "lte", "target-col": "id", "const": {"type": "integer", "v": 1}}]},
            [1],
        ),
        (
            {
                "op": "or",
                "args": [
                    {"op": "eq", "target-col": "note", "const": {"type": "string", "v": "one"}},
                    {"op": "gt", "target-col": "id", "const": {"type": "integer", "v": 1}},
                ],
            },
            [],
        ),
    ],
)
def test_rows_are_deleted_by_constants_without_a_payload(
    client: Client,
    app: TableauApp,
    files: Files,
    published: Published,
    condition: dict[str, Any],
    left: list[int],
) -> None:
    assert (
        notes_of(client, patch(client, published, {"action": "delete", **TARGET, "condition": condition}))
        is None
    )
    assert [row[0] for row in held_rows(app, files)] == left


def test_rows_are_deleted_by_a_payload_of_keys(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    keys = payload_of(files, "(1)", table='CREATE TABLE "Extract"."Extract" (gone BIGINT)')
    condition = {"op": "eq", "source-col": "gone", "target-col": "id"}
    assert (
        notes_of(
            client,
            patch(client, published, {"action": "delete", **SAME, "condition": condition}, payload=keys),
        )
        is None
    )
    assert held_rows(app, files) == [[2, "two"]]


def test_a_batch_is_one_transaction(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    clear = {
        "action": "delete",
        **TARGET,
        "condition": {"op": "gt", "target-col": "id", "const": {"type": "integer", "v": 0}},
    }
    wrong = {
        "action": "delete",
        **TARGET,
        "condition": {"op": "gt", "target-col": "id", "const": {"type": "string", "v": "x"}},
    }
    assert notes_of(client, patch(client, published, clear, wrong))
    assert held_rows(app, files) == [[1, "one"], [2, "two"]]
    insert = {"action": "insert", **SAME}
    assert (
        notes_of(
            client, patch(client, published, clear, insert, payload=payload_of(files, "(9, 'nine', 9, NULL)"))
        )
        is None
    )
    assert held_rows(app, files) == [[9, "nine"]]


def test_the_connection_can_be_named(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    connection = app.state.index.datasources[published.id].connection
    payload = payload_of(files, "(3, 'three', 3.3, NULL)")
    accepted = patch(
        client,
        published,
        {"action": "insert", **SAME},
        payload=payload,
        path=f"connections/{connection}/data",
    )
    assert notes_of(client, accepted) is None
    action = {"action": "insert", **SAME}
    assert patch(client, published, action, payload=payload, path="connections/other/data").code == "404011"


def test_a_null_key_equals_nothing_so_an_upsert_adds_it_again(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    for _ in range(2):
        payload = payload_of(files, "(NULL, 'nobody', 0, NULL)")
        notes_of(
            client,
            patch(client, published, {"action": "upsert", **SAME, "condition": BY_ID}, payload=payload),
        )
    assert [row[1] for row in held_rows(app, files)].count("nobody") == 2


def test_two_clients_updating_at_once_lose_nothing(
    url: str, client: Client, app: TableauApp, files: Files
) -> None:
    published = client.publish(files.make())
    payloads = []
    for number in range(4):
        payloads.append(files.folder / f"p{number}.hyper")
        payload_of(files, f"({number + 10}, 'n', 0, NULL)").rename(payloads[-1])
    clients = [client, *(sign_in(url, pat("meltano-second", "sandbox-second-pat-secret")) for _ in range(1))]

    def run(one: Client, mine: list[Path]) -> None:
        for path in mine:
            patch(one, published, {"action": "insert", **SAME}, payload=path)

    threads = [threading.Thread(target=run, args=(c, payloads[i::2])) for i, c in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row[0] for row in held_rows(app, files)] == [1, 2, 10, 11, 12, 13]


# -- the request id ------------------------------------------------------------------------------------------


def test_a_request_id_counts_once_within_a_day(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    action = {"action": "insert", **SAME}
    jobs = []
    for _ in range(2):
        answered = patch(
            client, published, action, payload=payload_of(files, "(3, 'x', 3, NULL)"), request_id="same"
        )
        jobs.append(answered.find("job").get("id"))
    assert jobs[0] == jobs[1]
    assert len(held_rows(app, files)) == 3
    now = app.switches.clock()
    app.switches.clock = lambda: now + dt.timedelta(hours=25)
    client.server.auth.sign_in(pat())
    patch(client, published, action, payload=payload_of(files, "(3, 'x', 3, NULL)"), request_id="same")
    assert len(held_rows(app, files)) == 4


def test_a_duplicate_may_be_answered_with_nothing(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.duplicate_answer = "empty"
    action = {"action": "insert", **SAME}
    answers = [
        patch(
            client, published, action, payload=payload_of(files, "(3, 'x', 3, NULL)"), request_id="same"
        ).response
        for _ in range(2)
    ]
    assert [answered.status_code for answered in answers] == [202, 202]
    assert answers[1].content == b""


def test_a_connection_cut_after_the_work_does_not_double_it(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.script.add(Fault("PATCH", after=True, cut=True))
    action = {"action": "insert", **SAME}
    with pytest.raises(requests.RequestException):
        patch(client, published, action, payload=payload_of(files, "(3, 'x', 3, NULL)"), request_id="same")
    patch(client, published, action, payload=payload_of(files, "(3, 'x', 3, NULL)"), request_id="same")
    assert len(held_rows(app, files)) == 3


def test_a_request_without_an_id_is_refused(client: Client, published: Published) -> None:
    headers = {"Content-Type": "application/json"}
    assert (
        client.raw("PATCH", f"/datasources/{published.id}/data", data="{}", headers=headers).code == "400000"
    )

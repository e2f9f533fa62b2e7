from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.tableau.by_hand import (
    BY_ID,
    SAME,
    TARGET,
    held_rows,
    notes_of,
    patch,
    payload_of,
)
from tests.sandbox.tableau.conftest import TABLE, Client, Files, Published

if TYPE_CHECKING:
    from tests.sandbox.tableau.app import TableauApp


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"actions": []}',
        '{"actions": [1]}',
        json.dumps({"actions": [{"action": "merge", **SAME}]}),
        json.dumps({"actions": [{"action": "insert", **SAME, "condition": BY_ID}]}),
        json.dumps({"actions": [{"action": "upsert", **SAME}]}),
        json.dumps({"actions": [{"action": "delete", **TARGET}]}),
        json.dumps({"actions": [{"action": "insert", **TARGET}]}),
        json.dumps({"actions": [{"action": "insert", **SAME}]}),
        json.dumps({"actions": [{"action": "insert", **SAME, "match": 1}]}),
        json.dumps({"actions": [{"action": "delete", **TARGET, "condition": {"op": "like"}}]}),
        json.dumps({"actions": [{"action": "delete", **TARGET, "condition": {"op": "and"}}]}),
        json.dumps(
            {"actions": [{"action": "delete", **TARGET, "condition": {"op": "eq", "target-col": "id"}}]}
        ),
        json.dumps(
            {
                "actions": [
                    {"action": "delete", **TARGET, "condition": {"op": "eq", "target-col": "id", "const": 1}}
                ]
            }
        ),
        json.dumps(
            {
                "actions": [
                    {
                        "action": "delete",
                        **TARGET,
                        "condition": {"op": "eq", "target-col": "id", "const": {"type": "integer", "v": "x"}},
                    }
                ]
            }
        ),
    ],
)
def test_a_malformed_batch_is_refused_and_makes_no_job(
    client: Client, app: TableauApp, published: Published, body: str
) -> None:
    headers = {"RequestID": "r", "Content-Type": "application/json"}
    assert (
        client.raw("PATCH", f"/datasources/{published.id}/data", data=body, headers=headers).code == "400000"
    )
    assert app.state.index.jobs == {}


def test_the_body_must_be_declared_as_json(client: Client, published: Published) -> None:
    headers = {"RequestID": "r", "Content-Type": "text/xml"}
    assert (
        client.raw("PATCH", f"/datasources/{published.id}/data", data="{}", headers=headers).code == "400000"
    )


def test_a_payload_above_the_limit_is_too_large(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.patch_limit = 1000
    refused = patch(
        client, published, {"action": "insert", **SAME}, payload=payload_of(files, "(3, 'x', 3, NULL)")
    )
    assert refused.status == 413


def test_an_upload_serves_one_update(client: Client, files: Files, published: Published) -> None:
    session = client.server.fileuploads.upload(str(payload_of(files, "(3, 'x', 3, NULL)")))
    codes = []
    for number in range(2):
        headers = {"RequestID": str(number), "Content-Type": "application/json"}
        path = f"/datasources/{published.id}/data?uploadSessionId={session}"
        body = json.dumps({"actions": [{"action": "insert", **SAME}]})
        codes.append(client.raw("PATCH", path, data=body, headers=headers).code)
    assert codes == ["", "404015"]


def test_an_extract_of_a_database_cannot_be_updated(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    headers = {"RequestID": "r", "Content-Type": "application/json"}
    assert client.raw("PATCH", f"/datasources/{held.id}/data", data="{}", headers=headers).code == "400003"


def test_a_viewer_may_not_update(viewer: Client, client: Client, published: Published) -> None:
    assert client.server.user_id != viewer.server.user_id
    assert patch(viewer, published, {"action": "insert", **SAME}).code == "403032"


# -- what makes the job fail ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "table", "row", "reason"),
    [
        (
            {"action": "insert", **SAME, "target-table": "Other"},
            TABLE,
            "(3, 'x', 3, NULL)",
            "errorCode=410012",
        ),
        (
            {"action": "insert", **SAME, "source-table": "Other"},
            TABLE,
            "(3, 'x', 3, NULL)",
            "errorCode=410012",
        ),
        (
            {"action": "insert", **SAME, "source-schema": "public"},
            TABLE,
            "(3, 'x', 3, NULL)",
            "errorCode=410012",
        ),
        (
            {"action": "insert", **SAME},
            'CREATE TABLE "Extract"."Extract" (id BIGINT, note TEXT, amount NUMERIC(18, 2), booked DATE, fresh TEXT)',
            "(3, 'x', 3, NULL, 'y')",
            "the column fresh does not exist in the target",
        ),
        (
            {"action": "insert", **SAME},
            'CREATE TABLE "Extract"."Extract" (id BIGINT)',
            "(3)",
            "lacks the column note",
        ),
        (
            {"action": "update", **SAME, "condition": BY_ID},
            'CREATE TABLE "Extract"."Extract" (id BIGINT, amount NUMERIC(18, 4))',
            "(1, 1)",
            "NUMERIC(18, 4) in the source",
        ),
        (
            {"action": "delete", **SAME, "condition": BY_ID},
            TABLE,
            "(1, 'x', 3, NULL)",
            "only the columns of its condition",
        ),
        (
            {"action": "upsert", **SAME, "condition": {"op": "eq", "source-col": "key", "target-col": "id"}},
            TABLE,
            "(1, 'x', 3, NULL)",
            "column key does not exist",
        ),
    ],
)
def test_a_batch_that_does_not_fit_fails_with_notes_and_changes_nothing(
    client: Client, app: TableauApp, files: Files, published: Published,
    action: dict[str, Any], table: str, row: str, reason: str,
) -> None:  # fmt: skip
    notes = notes_of(client, patch(client, published, action, payload=payload_of(files, row, table=table)))
    assert reason in (notes or "")
    assert held_rows(app, files) == [[1, "one"], [2, "two"]]
    assert [write.kind for write in app.state.writes] == ["publish"]


def test_a_lenient_server_fills_missing_columns_with_nulls(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.strict_payload = False
    payload = payload_of(files, "(3)", table='CREATE TABLE "Extract"."Extract" (id BIGINT)')
    assert notes_of(client, patch(client, published, {"action": "insert", **SAME}, payload=payload)) is None
    assert held_rows(app, files)[-1] == [3, None]


def test_an_update_may_bring_only_some_columns(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    payload = payload_of(files, "(2, 'TWO')", table='CREATE TABLE "Extract"."Extract" (id BIGINT, note TEXT)')
    assert (
        notes_of(
            client,
            patch(client, published, {"action": "update", **SAME, "condition": BY_ID}, payload=payload),
        )
        is None
    )
    rows = files.query(
        app.state.datasource("AP Bills"), 'SELECT note, amount::text FROM "Extract"."Extract" WHERE id = 2'
    )
    assert rows == [["TWO", "2.20"]]


def test_a_payload_that_is_no_hyper_file_fails_the_job(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    junk = files.folder / "junk.hyper"
    junk.write_bytes(b"no database")
    assert "not a valid database" in (
        notes_of(client, patch(client, published, {"action": "insert", **SAME}, payload=junk)) or ""
    )
    assert len(held_rows(app, files)) == 2


def test_too_many_constants_bring_the_engine_down(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.switches.condition_limit = 3
    args = [{"op": "eq", "target-col": "id", "const": {"type": "integer", "v": n}} for n in range(4)]
    action = {"action": "delete", **TARGET, "condition": {"op": "or", "args": args}}
    assert "closed the connection" in (notes_of(client, patch(client, published, action)) or "")


def test_a_batch_on_several_tables_needs_schemas_and_fails_without_a_word(
    client: Client, files: Files
) -> None:
    published = client.publish(
        files.make(
            'CREATE TABLE "Extract"."A" (id BIGINT, ASSUMED PRIMARY KEY (id))',
            'CREATE TABLE "Extract"."B" (a BIGINT, ASSUMED FOREIGN KEY (a) REFERENCES "Extract"."A" (id))',
        )
    )
    condition = {"op": "gt", "target-col": "id", "const": {"type": "integer", "v": 0}}
    accepted = patch(client, published, {"action": "delete", "target-table": "A", "condition": condition})
    job = client.raw("GET", f"/jobs/{accepted.find('job').get('id')}").find("job")
    assert job.get("finishCode") == "1"
    assert job.find("updateUploadedFileJob/notes") is None


def test_an_update_of_a_data_source_deleted_meanwhile_fails(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.switches.work_at_finish = True
    condition = {"op": "gt", "target-col": "id", "const": {"type": "integer", "v": 0}}
    accepted = patch(client, published, {"action": "delete", **TARGET, "condition": condition})
    client.server.datasources.delete(published.id)
    assert "no longer exists" in (notes_of(client, accepted) or "")

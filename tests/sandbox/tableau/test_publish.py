from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tableauserverclient as tsc

from tests.sandbox.faults import Fault
from tests.sandbox.tableau.by_hand import (
    FILE,
    PART,
    multipart,
    post,
    upload,
    wish,
)
from tests.sandbox.tableau.conftest import TABLE, Client, Files, Published
from tests.sandbox.tableau.switches import MEGABYTE, Fate

if TYPE_CHECKING:
    from tests.sandbox.tableau.app import TableauApp


def test_a_file_is_published_in_one_request(client: Client, app: TableauApp, files: Files) -> None:
    published = client.publish(files.make(), 'Größe "A" & Co <1>', "CreateNew")
    assert published.name == 'Größe "A" & Co <1>'
    assert files.query(app.state.datasource('Größe "A" & Co <1>')) == [[1, "one"], [2, "two"]]
    (write,) = app.state.writes
    assert (write.kind, write.size) == ("publish", files.make().stat().st_size)


def test_overwriting_keeps_the_id_and_adds_a_revision(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    again = client.publish(files.make(TABLE), "ap bills")
    assert (again.id, again.name) == (published.id, "AP Bills")
    assert files.query(app.state.datasource("AP Bills")) == []
    assert [r.number for r in app.state.index.datasources[published.id].revisions] == [1, 2]


def test_the_same_name_may_stand_in_two_projects(client: Client, files: Files, published: Published) -> None:
    item = tsc.DatasourceItem(client.project("Close"), name="AP Bills")
    other = client.server.datasources.publish(item, str(files.make()), "CreateNew")
    assert other.id != published.id


def test_chunks_are_put_together_in_the_order_in_which_they_arrive(
    client: Client, app: TableauApp, files: Files
) -> None:
    data = files.make().read_bytes()
    session = upload(client, data[:1000], data[1000:])
    query = f"overwrite=true&datasourceType=hyper&uploadSessionId={session}"
    answered = client.raw("POST", f"/datasources?{query}", **multipart((PART, wish(client))))
    assert answered.status == 201
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]
    again = client.raw("POST", f"/datasources?{query}", **multipart((PART, wish(client))))
    assert again.code == "404015"


def test_the_client_librarys_own_upload_works(client: Client, files: Files) -> None:
    session = client.server.fileuploads.upload(str(files.make()))
    query = f"datasourceType=hyper&uploadSessionId={session}"
    assert client.raw("POST", f"/datasources?{query}", **multipart((PART, wish(client)))).status == 201


def test_an_upload_says_how_many_whole_megabytes_it_holds(client: Client) -> None:
    session = upload(client)
    head = 'Content-Disposition: form-data; name="tableau_file"; filename="file"'
    sizes = [
        client.raw("PUT", f"/fileUploads/{session}", **multipart((PART, b""), (head, b"x" * size)))
        .find("fileUpload")
        .get("fileSize")
        for size in (MEGABYTE - 1, 1, 2 * MEGABYTE)
    ]
    assert sizes == ["0", "1", "3"]


def test_a_retried_chunk_spoils_the_file(client: Client, files: Files) -> None:
    data = files.make().read_bytes()
    session = upload(client, data[:40_000], data[:40_000], data[40_000:])
    query = f"datasourceType=hyper&uploadSessionId={session}"
    answered = client.raw("POST", f"/datasources?{query}", **multipart((PART, wish(client))))
    assert answered.code == "400011"


def test_a_publish_job_does_the_work_and_names_no_data_source(
    client: Client, app: TableauApp, files: Files
) -> None:
    answered = post(client, files.make(), query="asJob=true")
    job = answered.find("job")
    assert (answered.status, job.get("type"), job.get("completedAt")) == (202, "PublishDatasource", None)
    assert answered.xml.find(".//datasource") is None
    done = client.raw("GET", f"/jobs/{job.get('id')}").find("job")
    assert (done.get("finishCode"), done.get("progress")) == ("0", "100")
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]


def test_a_publish_job_over_an_upload_session_works_too(
    client: Client, app: TableauApp, files: Files
) -> None:
    session = upload(client, files.make().read_bytes())
    query = f"asJob=true&datasourceType=hyper&uploadSessionId={session}"
    answered = client.raw("POST", f"/datasources?{query}", **multipart((PART, wish(client))))
    client.server.jobs.wait_for_job(str(answered.find("job").get("id")), timeout=5)
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]


def test_a_failing_publish_job_tells_why_and_publishes_nothing(
    client: Client, app: TableauApp, files: Files
) -> None:
    junk = files.folder / "junk.hyper"
    junk.write_bytes(b"no database")
    job = client.server.datasources.publish(
        tsc.DatasourceItem(client.project(), name="AP Bills"), str(junk), "Overwrite", as_job=True
    )
    done = client.server.jobs.get_by_id(job.id)
    assert done.finish_code == 1
    assert "not a valid database" in done.status_notes[0]["text"]
    assert app.state.writes == []


def test_a_publish_that_is_told_to_fail_leaves_the_old_data(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    app.switches.fates.append(Fate("failed", notes="The backgrounder ran out of disk space."))
    job = post(client, files.make(TABLE), query="overwrite=true&asJob=true").find("job").get("id")
    noted = client.raw("GET", f"/jobs/{job}").find("job/statusNotes/statusNote")
    assert noted.get("text") == "The backgrounder ran out of disk space."
    assert files.query(app.state.datasource(published.name)) == [[1, "one"], [2, "two"]]


def test_a_gateway_timeout_may_hide_a_publish_that_went_through(
    client: Client, app: TableauApp, files: Files
) -> None:
    app.script.add(Fault("POST .*/datasources", status=504, body=b"<html>", after=True))
    assert post(client, files.make()).status == 504
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]


def test_appending_adds_rows_to_the_same_columns(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    assert client.publish(files.make(), mode="Append").id == published.id
    assert files.query(app.state.datasource("AP Bills"), 'SELECT count(*) FROM "Extract"."Extract"') == [[4]]
    assert app.state.index.datasources[published.id].rows == 4


def test_a_parquet_file_is_converted(client: Client, app: TableauApp, files: Files) -> None:
    path = files.folder / "bills.parquet"
    pq.write_table(pa.table({"id": [1, 2], "note": ["one", "two"]}), path)
    client.publish(path)
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: name="request_payload"\r\nContent-Type: text/xml',
        'content-disposition: form-data;name="request_payload"',
        'Content-Type: text/xml\r\nContent-Disposition: form-data; filename=""; name="request_payload"',
    ],
)
def test_other_clients_write_part_headers_differently(client: Client, files: Files, head: str) -> None:
    file = 'Content-Disposition: name="tableau_datasource"; filename="a \\"b\\".hyper"'
    parts = multipart((head, wish(client)), (file, files.make().read_bytes()))
    assert client.raw("POST", "/datasources", **parts).status == 201


def test_the_namespace_is_welcome_but_not_needed(client: Client, files: Files) -> None:
    payload = wish(client).replace(b"<tsRequest>", b'<tsRequest xmlns="http://tableau.com/api">')
    parts = multipart((PART, payload), (FILE.format("x.hyper"), files.make().read_bytes()))
    assert client.raw("POST", "/datasources", **parts).status == 201


# -- rights --------------------------------------------------------------------------------------------------


def test_a_viewer_neither_publishes_nor_uploads(viewer: Client, files: Files) -> None:
    assert post(viewer, files.make()).code == "403007"
    assert viewer.raw("POST", "/fileUploads").code == "403015"


def test_a_project_without_write_permission_refuses(client: Client, app: TableauApp, files: Files) -> None:
    app.state.project("Default").writers = []
    item = tsc.DatasourceItem(client.project("Default"), name="AP Bills")
    with pytest.raises(tsc.ServerResponseError) as refused:
        client.server.datasources.publish(item, str(files.make()), "Overwrite")
    assert refused.value.code == "403007"
    app.state.project("Default").writers = [str(client.server.user_id)]
    assert client.server.datasources.publish(item, str(files.make()), "Overwrite").id


def test_overwriting_needs_ownership_or_the_permission(
    client: Client, admin: Client, app: TableauApp, files: Files
) -> None:
    item = tsc.DatasourceItem(admin.project("Default"), name="AP Bills")
    held = admin.server.datasources.publish(item, str(files.make()), "CreateNew")
    app.state.index.datasources[str(held.id)].overwriters = []
    with pytest.raises(tsc.ServerResponseError) as refused:
        client.server.datasources.publish(item, str(files.make()), "Overwrite")
    assert refused.value.code == "403007"

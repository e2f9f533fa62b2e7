from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.tableau.by_hand import (
    FILE,
    PART,
    multipart,
    post,
    upload,
    wish,
)
from tests.sandbox.tableau.conftest import TABLE, Client, Files, Published
from tests.sandbox.tableau.switches import MEGABYTE

if TYPE_CHECKING:
    from tests.sandbox.tableau.app import TableauApp


def test_a_name_that_is_taken_is_not_overwritten_unasked(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    refused = post(client, files.make(TABLE), name="AP BILLS")
    assert refused.code == "403007"
    assert published.name in refused.detail or "AP BILLS" in refused.detail
    app.switches.create_new_code = "409004"
    assert post(client, files.make(TABLE)).code == "409004"
    assert files.query(app.state.datasource("AP Bills")) == [[1, "one"], [2, "two"]]


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (['CREATE TABLE "Extract"."Extract" ()'], "no columns"),
        (['CREATE TABLE "Extract"."Extract" (id BIGINT, "Id" BIGINT)'], "ignoring case"),
        ([f'CREATE TABLE "Extract"."Extract" ("{"x" * 256}" BIGINT)'], "longer than 255"),
        (['CREATE SCHEMA "Other"'], "no table"),
        (
            ['CREATE TABLE "Extract"."A" (id BIGINT)', 'CREATE TABLE "Extract"."B" (id BIGINT)'],
            "no foreign key",
        ),
    ],
)
def test_a_file_that_tableau_cannot_use_is_refused_with_the_reason(
    client: Client, files: Files, statements: list[str], reason: str
) -> None:
    refused = post(client, files.make(*statements))
    assert refused.code == "400011"
    assert reason in refused.detail


@pytest.mark.parametrize("cut", [0, 100, 20_000])
def test_what_is_no_whole_hyper_file_is_refused(
    client: Client, app: TableauApp, files: Files, cut: int
) -> None:
    broken = files.folder / "broken.hyper"
    broken.write_bytes(files.make().read_bytes()[:cut])
    assert post(client, broken).code == "400011"
    assert app.state.index.datasources == {}
    assert list(app.state.incoming.iterdir()) == []


def test_tables_related_by_foreign_keys_are_welcome_on_a_current_server(
    client: Client, app: TableauApp, files: Files
) -> None:
    path = files.make(
        'CREATE TABLE "Extract"."A" (id BIGINT, ASSUMED PRIMARY KEY (id))',
        'CREATE TABLE "Extract"."B" (a BIGINT, ASSUMED FOREIGN KEY (a) REFERENCES "Extract"."A" (id))',
    )
    assert post(client, path).status == 201
    assert post(client, path, query="append=true").code == "400011"
    app.switches.api_version = "3.13"
    client.server.version = "3.13"
    assert "more than one table" in post(client, path, query="overwrite=true").detail


def test_an_old_server_wants_the_table_named_extract(client: Client, app: TableauApp, files: Files) -> None:
    path = files.make('CREATE TABLE "Extract"."Bills" (id BIGINT)')
    assert post(client, path).status == 201
    app.switches.api_version = client.server.version = "3.4"
    assert post(client, path, query="overwrite=true").code == "400011"


def test_a_file_format_newer_than_the_server_is_refused(
    client: Client, app: TableauApp, files: Files
) -> None:
    app.switches.max_hyper_version = 2
    assert post(client, files.make(version=2)).status == 201
    refused = post(client, files.make(version=3), query="overwrite=true")
    assert refused.code == "400011"
    assert "unsupported version" in refused.detail


def test_appending_needs_the_same_columns_and_something_to_append_to(
    client: Client, app: TableauApp, files: Files
) -> None:
    assert post(client, files.make(), query="append=true").code == "404004"
    client.publish(files.make())
    other = files.make('CREATE TABLE "Extract"."Extract" (id BIGINT)', name="other.hyper")
    assert post(client, other, query="append=true").code == "400011"
    assert app.state.index.datasources[next(iter(app.state.index.datasources))].rows == 2


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("overwrite=true&append=true", "400055"),
        ("overwrite=maybe", "400008"),
        ("asJob=2", "400008"),
        ("datasourceType=hyper&uploadSessionId=1:a-1:0", "400010"),
    ],
)
def test_parameters_that_cannot_be(client: Client, files: Files, query: str, code: str) -> None:
    assert post(client, files.make(), query=query).code == code


def test_an_upload_session_needs_a_known_file_type(client: Client) -> None:
    parts = multipart((PART, wish(client)))
    session = upload(client, b"x")
    assert client.raw("POST", f"/datasources?uploadSessionId={session}", **parts).code == "400010"
    unknown = "/datasources?datasourceType=hyper&uploadSessionId=1:a-1:0"
    assert client.raw("POST", unknown, **parts).code == "404015"


def test_a_file_name_needs_a_known_suffix(client: Client, files: Files) -> None:
    assert post(client, files.make(), filename="bills.xlsx").code == "400010"
    assert post(client, files.make(), filename="bills.tds").code == "400011"


def test_bodies_that_are_not_what_they_should_be(client: Client, files: Files) -> None:
    data = files.make().read_bytes()
    file = (FILE.format("x.hyper"), data)
    assert client.raw("POST", "/datasources", data=b"x").code == "400000"
    assert client.raw("POST", "/datasources", **multipart((PART, wish(client)))).code == "400000"
    assert client.raw("POST", "/datasources", **multipart(file)).code == "400000"
    assert client.raw("POST", "/datasources", **multipart((PART, b"<tsRequest"), file)).code == "400000"
    assert client.raw("POST", "/datasources", **multipart((PART, wish(client, "")), file)).code == "400000"
    assert client.raw("POST", "/datasources", **multipart((PART, wish(client)), file, file)).code == "400010"
    assert client.raw("POST", "/datasources", **multipart(("X-Other: 1", b""), file)).code == "400000"
    assert (
        client.raw("POST", "/datasources", **multipart((PART, wish(client)), file, end=b"")).code == "400000"
    )
    assert client.raw("POST", "/datasources", **multipart((PART, b"x" * 2 * MEGABYTE), file)).code == "400000"


def test_an_unknown_project_is_not_found(client: Client, files: Files) -> None:
    parts = multipart(
        (PART, wish(client, project="nowhere")), (FILE.format("x.hyper"), files.make().read_bytes())
    )
    assert client.raw("POST", "/datasources", **parts).code == "404005"


def test_a_long_name_is_refused(client: Client, files: Files) -> None:
    assert post(client, files.make(), name="n" * 256).code == "400011"
    assert post(client, files.make(), name="n" * 255).status == 201


def test_more_than_one_request_can_hold_is_refused_and_the_answer_is_seen(
    client: Client, app: TableauApp, files: Files
) -> None:
    app.switches.single_request_limit = 10_000
    refused = post(client, files.make())
    assert (refused.status, refused.code) == (413, "413000")
    big = 'Content-Disposition: form-data; name="tableau_file"; filename="file"'
    session = upload(client)
    chunk = client.raw("PUT", f"/fileUploads/{session}", **multipart((PART, b""), (big, b"x" * 8 * MEGABYTE)))
    assert chunk.status == 413


def test_a_chunk_needs_its_file_and_an_empty_payload(client: Client) -> None:
    session = upload(client)
    head = 'Content-Disposition: form-data; name="tableau_file"; filename="file"'
    without_file = multipart((PART, b""))
    with_payload = multipart((PART, b"<x/>"), (head, b"y"))
    right = multipart((PART, b""), (head, b"y"))
    assert client.raw("PUT", f"/fileUploads/{session}", **without_file).code == "400020"
    assert client.raw("PUT", f"/fileUploads/{session}", **with_payload).code == "400019"
    assert client.raw("PUT", "/fileUploads/1:b-1:0", **right).code == "404015"

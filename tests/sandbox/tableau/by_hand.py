"""Requests written by hand: bodies that the client library would never send, and what comes of them."""

from __future__ import annotations

import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

from tests.sandbox.tableau.conftest import ROWS, TABLE, Client, Files, Published, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.tableau.app import TableauApp

PART = 'Content-Disposition: form-data; name="request_payload"; filename=""\r\nContent-Type: text/xml'
FILE = 'Content-Disposition: form-data; name="tableau_datasource"; filename="{}"'


def multipart(*parts: tuple[str, bytes], end: bytes = b"--cut--\r\n") -> dict[str, object]:
    """Options for `Client.raw`: a multipart body of (headers, data) parts."""
    body = b"".join(b"--cut\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return {"data": body + end, "headers": {"Content-Type": "multipart/mixed; boundary=cut"}}


def wish(client: Client, name: str = "AP Bills", project: str | None = None) -> bytes:
    """The payload of a publish request."""
    home = project or client.project()
    return f'<tsRequest><datasource name="{name}"><project id="{home}"/></datasource></tsRequest>'.encode()


def post(
    client: Client, path: Path, *, name: str = "AP Bills", query: str = "", filename: str = "x.hyper"
) -> Reply:
    """Publish a file in one request."""
    parts = multipart((PART, wish(client, name)), (FILE.format(filename), path.read_bytes()))
    return client.raw("POST", f"/datasources?{query}", **parts)


def upload(client: Client, *chunks: bytes) -> str:
    """Upload chunks; returns the id of the upload session."""
    started = client.raw("POST", "/fileUploads")
    session = str(started.find("fileUpload").get("uploadSessionId"))
    for chunk in chunks:
        head = 'Content-Disposition: form-data; name="tableau_file"; filename="file"'
        client.raw("PUT", f"/fileUploads/{session}", **multipart((PART, b""), (head, chunk)))
    return session


TDS = """<?xml version='1.0' encoding='utf-8'?>
<datasource formatted-name='bills' inline='true' version='18.1'>
  <connection class='federated'><named-connections><named-connection caption='b' name='hyper.1'>
    <connection class='hyper' dbname='Data/Extracts/b.hyper' /></named-connection></named-connections>
    <relation connection='hyper.1' name='Extract' table='[Extract].[Extract]' type='table' /></connection>
  <column caption='Identity' datatype='integer' name='[id]' role='dimension' type='ordinal' />
</datasource>"""


def package(files: Files, tds: str = TDS, entry: str = "Data/Extracts/b.hyper", root: str = "b.tds") -> Path:
    """A .tdsx around the usual two rows."""
    path = files.folder / "bills.tdsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(root, tds)
        archive.write(files.make(TABLE, ROWS), entry)
    return path


def unzipped(path: str, folder: Path) -> Path:
    """The .hyper inside a downloaded .tdsx."""
    with zipfile.ZipFile(path) as archive:
        (packed,) = [entry for entry in archive.namelist() if entry.endswith(".hyper")]
        assert packed.startswith("Data/Extracts/")
        return folder / archive.extract(packed, folder)


BY_ID = {"op": "eq", "source-col": "id", "target-col": "id"}
SAME = {
    "source-schema": "Extract",
    "source-table": "Extract",
    "target-schema": "Extract",
    "target-table": "Extract",
}
TARGET = {"target-schema": "Extract", "target-table": "Extract"}


def payload_of(files: Files, *values: str, table: str = TABLE) -> Path:
    """A payload file with some rows."""
    inserts = [f'INSERT INTO "Extract"."Extract" VALUES {row}' for row in values]
    return files.make(table, *inserts, name="payload.hyper")


def patch(
    client: Client,
    item: Published,
    *actions: dict[str, Any],
    payload: Path | None = None,
    request_id: str | None = None,
    path: str = "data",
) -> Reply:
    """Upload a payload, if there is one, and send a batch of actions."""
    session = client.server.fileuploads.upload(str(payload)) if payload else None
    query = f"?uploadSessionId={session}" if session else ""
    headers = {"RequestID": request_id or str(uuid.uuid4()), "Content-Type": "application/json"}
    body = json.dumps({"actions": actions})
    return client.raw("PATCH", f"/datasources/{item.id}/{path}{query}", data=body, headers=headers)


def notes_of(client: Client, accepted: Reply) -> str | None:
    """Notes of the finished job; None when it did its work."""
    assert accepted.status == 202, accepted.response.text
    job = client.raw("GET", f"/jobs/{accepted.find('job').get('id')}").find("job")
    assert job.get("completedAt")
    notes: str | None = job.findtext("updateUploadedFileJob/notes")
    assert job.get("finishCode") == ("0" if notes is None else "1")
    return notes


def held_rows(app: TableauApp, files: Files) -> list[list[object]]:
    """What the server holds of `AP Bills`: (id, note)."""
    return files.query(app.state.datasource("AP Bills"))

"""How published data sources are kept: a folder each, one file per revision, the newest ones kept."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
from typing import TYPE_CHECKING

from tableauhyperapi import Connection, HyperException, escape_name

from tests.sandbox.tableau.errors import TableauError, publish_failed
from tests.sandbox.tableau.hyper import TARGET, native, tables_in
from tests.sandbox.tableau.model import Datasource, Revision
from tests.sandbox.tableau.state import luid
from tests.sandbox.tableau.wire import element

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from pathlib import Path

    from tableauhyperapi import HyperProcess

    from tests.sandbox.tableau.model import User
    from tests.sandbox.tableau.publishing import Staged, Wish
    from tests.sandbox.tableau.service import Service
    from tests.sandbox.tableau.state import State


def describe(state: State, datasource: Datasource, extra: dict[str, int] | None = None) -> ET.Element:
    """A `<datasource>`; `extra` holds attributes that are only shown when asked for."""
    project = state.index.projects[datasource.project]
    shown = element(
        "datasource",
        element("project", id=project.id, name=project.name),
        element("owner", id=datasource.owner),
        element("tags", *[element("tag", label=tag) for tag in datasource.tags]),
        id=datasource.id,
        name=datasource.name,
        contentUrl=datasource.content_url,
        description=datasource.description or None,
        type="hyper" if datasource.live else "sqlserver",
        createdAt=datasource.created_at,
        updatedAt=datasource.updated_at,
        hasExtracts=not datasource.live,
        encryptExtracts="false",
        isCertified=datasource.certified,
        certificationNote=datasource.certification_note,
        useRemoteQueryAgent=False,
        size=datasource.size // (1024 * 1024) + 1,
        webpageUrl=f"http://sandbox/#/site/finance/datasources/{datasource.content_url}",
    )
    for name, value in (extra or {}).items():
        shown.set(name, str(value))
    return shown


def store(service: Service, wish: Wish, staged: Staged, held: Datasource | None, user: User) -> Datasource:
    """Keep a staged file as a new data source, or as the next revision of one that keeps its id."""
    state = service.state
    moment = state.now()
    published = held or Datasource(
        luid(), wish.name, wish.project.id, user.id, state.content_url(wish.name), moment, moment, wish.file_type,
        luid(), hidden_calls=state.switches.index_lag_calls,
    )  # fmt: skip
    state.index.datasources[published.id] = published
    published.kind = "tdsx" if staged.package else "hyper"
    published.live = staged.live
    published.description = wish.description or published.description
    published.multi_table = len(staged.contents.tables) > 1
    published.columns = staged.contents.columns
    add_revision(service.state, published, user, NewFile(staged.hyper, staged.contents.rows, staged.package))
    return published


@dataclasses.dataclass(frozen=True)
class NewFile:
    """A file that becomes a revision: its rows, and the package to download it in, which may hold older data."""

    hyper: Path
    rows: int
    package: Path | None = None
    package_is_old: bool = False


def add_revision(state: State, datasource: Datasource, user: User, new: NewFile) -> None:
    """Move a file (and a copy of its package) into the data source's folder as the newest revision."""
    folder = state.folder(datasource)
    folder.mkdir(parents=True, exist_ok=True)
    number = datasource.current.number + 1 if datasource.revisions else 1
    revision = Revision(number, state.now(), user.id, new.hyper.stat().st_size, f"r{number}.hyper")
    os.replace(new.hyper, folder / f"r{number}.hyper")  # noqa: PTH105 - same volume, replaces on every platform
    if new.package is not None:
        revision.package, revision.patched = f"r{number}.tdsx", new.package_is_old
        shutil.copyfile(new.package, folder / f"r{number}.tdsx")
    datasource.revisions.append(revision)
    datasource.rows, datasource.size, datasource.updated_at = new.rows, revision.size, revision.published_at
    for old in datasource.revisions[: -state.switches.revision_limit]:
        for name in (old.file, old.package):
            if name is not None:
                (folder / name).unlink(missing_ok=True)
        old.file = old.package = None


async def append(service: Service, held: Datasource, more: Path, filename: str, user: User) -> Datasource:
    """Add the rows of a file to a data source, as a new revision that keeps the document.

    Raises:
        TableauError: 400011, when the two do not have the same one table.
    """
    current, folder = held.current, service.state.folder(held)
    if held.multi_table or not held.live or current.file is None:
        raise publish_failed(filename, "data cannot be appended to an extract stored as multiple tables")
    grown, base = service.state.incoming / f"{luid()}.hyper", folder / current.file
    try:
        rows = await asyncio.to_thread(
            service.engine.work, lambda process: _append(process, base, more, grown, filename)
        )
    except HyperException as broken:
        raise publish_failed(filename, native(broken)) from broken
    package = folder / current.package if current.package else None
    add_revision(service.state, held, user, NewFile(grown, rows, package, package_is_old=True))
    return held


def _append(process: HyperProcess, base: Path, more: Path, grown: Path, filename: str) -> int:
    shutil.copyfile(base, grown)
    try:
        with Connection(process.endpoint) as connection:
            connection.catalog.attach_database(grown, TARGET)
            connection.catalog.attach_database(more, "more")
            return _append_rows(connection, filename)
    except (HyperException, TableauError):
        grown.unlink(missing_ok=True)
        raise
    finally:
        more.unlink(missing_ok=True)


def _append_rows(connection: Connection, filename: str) -> int:
    (old,), new = tables_in(connection, TARGET), tables_in(connection, "more")
    if new != (old,):
        raise publish_failed(filename, "the columns of the two extracts differ")
    names = ", ".join(escape_name(column) for column in old.columns)
    connection.execute_command(
        f"INSERT INTO {old.sql(TARGET)} ({names}) SELECT {names} FROM {old.sql('more')}"
    )
    return int(connection.execute_scalar_query(f"SELECT count(*) FROM {old.sql(TARGET)}"))

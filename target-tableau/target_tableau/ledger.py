"""The load ledger: one row per load and stream, updated at each step, what was published where, what to refresh.

SQLite in the output folder by default, PostgreSQL by `ledger_url` when several machines share it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from target_tableau.errors import SettingError
from target_tableau.ledger_lock import LockLostError, advice_on, exclusive, reason_of, told
from target_tableau.ledger_tables import columns as _columns
from target_tableau.ledger_tables import datasources as _datasources
from target_tableau.ledger_tables import loads as _loads
from target_tableau.ledger_tables import migrate, with_driver
from target_tableau.ledger_tables import refreshes as _refreshes
from target_tableau.stream_load import Unclosed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_OPEN_SECONDS = 60


class Status(StrEnum):
    """How far a load has come. Until DONE its STATE has not been handed on."""

    RUNNING = "running"
    VERIFIED = "verified"
    PUBLISHED = "published"
    PROMOTED = "promoted"
    DONE = "done"
    FAILED = "failed"
    DRY_RUN = "dry run"
    COLLECTED = "collected"  # is in the journal, to be delivered with others
    TAKEN_BACK = "taken back"  # did not finish; a later load took over the rows it may have left


_LEFT_NOTHING = (Status.DONE, Status.DRY_RUN, Status.COLLECTED, Status.TAKEN_BACK)
"""Of loads that are thus, no rows are in an extract that should not be there."""


@dataclasses.dataclass(frozen=True)
class Published:
    """What the ledger knows of a data source.

    Attributes:
        name: The name it was published under.
        luid: Its id, once known.
        load_id: The last load that is in it, or may be.
        columns: Name -> SQL type; None when it is not known whether the last publish went through.
        pending_job: The job of a publish whose end was not seen.
    """

    name: str
    luid: str | None
    load_id: str
    columns: dict[str, str] | None = None
    pending_job: str | None = None

    @property
    def can_be_updated(self) -> bool:
        """Whether enough is known of it to send only what changes."""
        return self.columns is not None and self.luid is not None


@dataclasses.dataclass(frozen=True)
class Refresh:
    """Something to refresh in Tableau after a load.

    Attributes:
        number: Its number in the ledger.
        load_id: The load after which it is wanted.
        kind: workbook, datasource or task.
        target: As the setting names it, or its id.
    """

    number: int
    load_id: str
    kind: str
    target: str


class Ledger:
    """An open ledger.

    Args:
        url: SQLAlchemy URL, or None for `loads.db` in the output folder.
        output_dir: The output folder.
    """

    def __init__(self, url: str | None, output_dir: Path) -> None:
        self.path: Path | None = None
        try:
            address = sa.make_url(with_driver(url) if url else f"sqlite:///{output_dir / 'loads.db'}")
            waits = {}
            if address.get_backend_name() == "sqlite":
                self.path = Path(address.database or output_dir / "loads.db")
                self._create_private(self.path)
                waits = {"timeout": 60}
            self._engine = sa.create_engine(address, connect_args=waits, pool_pre_ping=self.path is None)
            with contextlib.ExitStack() as stack:
                stack.callback(self._engine.dispose)
                with self.exclusive("the load ledger itself", _OPEN_SECONDS):  # two may be the first at once
                    migrate(self._engine)
                stack.pop_all()
        except ModuleNotFoundError as missing:
            raise SettingError(
                f"The load ledger at ledger_url needs the package '{missing.name}'. For PostgreSQL, install "
                "target-tableau[postgresql]."
            ) from missing
        except (OSError, SQLAlchemyError, LockLostError) as failure:
            raise SettingError(
                f"The load ledger {self.path or 'at ledger_url'} cannot be opened: {reason_of(failure)}. "
                f"{advice_on(failure, self.path)}"
            ) from failure

    @staticmethod
    def _create_private(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def exclusive(self, what: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Be the only one that works on something, among all who share this ledger; see `ledger_lock`."""
        return exclusive(self._engine, self.path, what, seconds)

    # -- writing -----------------------------------------------------------------------------------------------

    def start(self, load_id: str, source: str, stream: str, extract: Path) -> None:
        """Note that a load of a stream has begun, or is taken up again."""
        where = (_loads.c.load_id == load_id) & (_loads.c.stream == stream)
        self._write(_loads.delete().where(where))
        self._write(
            _loads.insert().values(
                load_id=load_id,
                source=source,
                stream=stream,
                started_at=_now(),
                status=Status.RUNNING.value,
                extract=str(extract),
            )
        )

    def update(self, load_id: str, streams: Sequence[str], **values: Any) -> None:  # noqa: ANN401 - columns
        """Change rows of a load; `status` is turned into text, and an ending gets its time."""
        status = values.get("status")
        if status is not None:
            values["status"] = Status(status).value
            if status in {Status.DONE, Status.FAILED}:
                values["finished_at"] = _now()
            if status is not Status.FAILED:
                values["reached"] = Status(status).value
        where = (_loads.c.load_id == load_id) & _loads.c.stream.in_(list(streams))
        self._write(_loads.update().where(where).values(**values))

    def want_refreshes(self, source: str, load_id: str, wanted: Iterable[tuple[str, str]]) -> None:
        """Note what is to be refreshed after a load: pairs of kind and target, each once while it waits."""
        waiting = {(refresh.kind, refresh.target) for refresh in self.refreshes_wanted(source)}
        rows = [
            {
                "source": source,
                "load_id": load_id,
                "kind": kind,
                "target": target,
                "status": "wanted",
                "requested_at": _now(),
            }
            for kind, target in wanted
            if (kind, target) not in waiting
        ]
        if rows:
            with self.transaction() as connection:
                connection.execute(_refreshes.insert(), rows)

    def note_refresh(self, number: int, *, status: str, job: str | None, notes: str | None) -> None:
        """Note what became of a refresh: done, failed (it is tried again by the next run) or skipped."""
        self._write(
            _refreshes.update()
            .where(_refreshes.c.id == number)
            .values(status=status, job=job, notes=notes, finished_at=_now())
        )

    def take_back(self, source: str, stream: str, loads: Sequence[str]) -> None:
        """Note that what unfinished loads may have left in a stream's extract is gone, or known to be right."""
        where = (_loads.c.source == source) & (_loads.c.stream == stream) & _loads.c.load_id.in_(list(loads))
        self._write(_loads.update().where(where).values(status=Status.TAKEN_BACK.value))

    def remember_datasource(self, key: dict[str, str], published: Published) -> None:
        """Note what was published; `key` is source, stream, server, site and project."""
        values = dataclasses.asdict(published)
        if published.columns is not None:
            values["columns"] = json.dumps(published.columns)
        with self.transaction() as connection:
            connection.execute(_datasources.delete().where(self._is(key)))
            connection.execute(_datasources.insert().values(**key, **values, published_at=_now()))

    def remember_columns(self, source: str, stream: str, names: Mapping[str, str]) -> None:
        """Note which property fills which column, so that names are given out once and for all."""
        where = (_columns.c.source == source) & (_columns.c.stream == stream)
        where &= _columns.c.property.in_(list(names))
        with self.transaction() as connection:
            known = {
                row.property: _names(row) for row in connection.execute(sa.select(_columns).where(where))
            }
            connection.execute(_columns.delete().where(where))
            rows = [
                {
                    "source": source,
                    "stream": stream,
                    "property": key,
                    "name": name,
                    "earlier": json.dumps([other for other in known.get(key, ()) if other != name]),
                }
                for key, name in names.items()
            ]
            connection.execute(_columns.insert(), rows)

    def _write(self, statement: sa.Executable) -> None:
        with self.transaction() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Write something as a whole, or raise TargetTableauError in one line."""
        with told("written"), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with told("read"), self._engine.connect() as connection:
            yield connection

    # -- reading -----------------------------------------------------------------------------------------------

    def unclosed(self, source: str, stream: str, *, but: str) -> Unclosed:
        """Loads of a stream that are not known to have handed their STATE on, except the present one."""
        query = sa.select(_loads.c.load_id, _loads.c.reached).where(
            (_loads.c.source == source)
            & (_loads.c.stream == stream)
            & (_loads.c.load_id != but)
            & _loads.c.status.not_in([status.value for status in _LEFT_NOTHING])
        )
        with self._connect() as connection:
            found = connection.execute(query).all()
        return Unclosed(
            never=tuple(load for load, reached in found if reached != Status.PROMOTED.value),
            perhaps=tuple(load for load, reached in found if reached == Status.PROMOTED.value),
        )

    def unfinished(self, source: str) -> str | None:
        """The newest load of a source whose extracts were verified but whose STATE was never handed on.

        None if something newer of one of its streams has landed since.
        """
        after_verifying = [Status.VERIFIED.value, Status.PUBLISHED.value, Status.PROMOTED.value]
        open_states = [Status.FAILED.value, *after_verifying]
        query = (
            sa.select(_loads.c.load_id)
            .where((_loads.c.source == source) & _loads.c.status.in_(open_states))
            .group_by(_loads.c.load_id)
            .having(sa.func.min(sa.case((_loads.c.reached.in_(after_verifying), 1), else_=0)) == 1)
            .order_by(_loads.c.load_id.desc())
        )
        with self._connect() as connection:
            for load_id in connection.scalars(query):
                streams = connection.scalars(sa.select(_loads.c.stream).where(_loads.c.load_id == load_id))
                newer = [self.newest_done(source, stream) or "" for stream in streams]
                return None if max(newer) > load_id else str(load_id)
        return None

    def refreshes_wanted(self, source: str) -> list[Refresh]:
        """What is still to be refreshed after loads of a source, failed ones included, the oldest first."""
        query = (
            sa.select(_refreshes)
            .where((_refreshes.c.source == source) & _refreshes.c.status.in_(["wanted", "failed"]))
            .order_by(_refreshes.c.id)
        )
        with self._connect() as connection:
            return [
                Refresh(row["id"], row["load_id"], row["kind"], row["target"])
                for row in connection.execute(query).mappings()
            ]

    def refreshes(self, load_id: str) -> list[dict[str, Any]]:
        """Rows about the refreshes that were wanted after a load."""
        query = sa.select(_refreshes).where(_refreshes.c.load_id == load_id).order_by(_refreshes.c.id)
        with self._connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def newest_done(self, source: str, stream: str) -> str | None:
        """The last load of a stream whose STATE was handed on."""
        query = sa.select(sa.func.max(_loads.c.load_id)).where(
            (_loads.c.source == source) & (_loads.c.stream == stream) & (_loads.c.status == Status.DONE.value)
        )
        with self._connect() as connection:
            found: str | None = connection.scalar(query)
        return found

    def columns(self, source: str, stream: str) -> dict[str, str]:
        """Property -> column of a stream, as far as they were ever named."""
        return {key: names[0] for key, names in self.column_names(source, stream).items()}

    def column_names(self, source: str, stream: str) -> dict[str, list[str]]:
        """Property -> all names that its column has ever borne, the present one first."""
        query = sa.select(_columns).where((_columns.c.source == source) & (_columns.c.stream == stream))
        with self._connect() as connection:
            return {row.property: _names(row) for row in connection.execute(query)}

    def datasource(self, key: dict[str, str]) -> Published | None:
        """What was last published under a key, or None."""
        with self._connect() as connection:
            row = connection.execute(sa.select(_datasources).where(self._is(key))).mappings().first()
        if row is None:
            return None
        told = row["columns"]
        return Published(
            row["name"], row["luid"], row["load_id"], json.loads(told) if told else None, row["pending_job"]
        )

    def published_streams(self, source: str, server: str, site: str) -> list[tuple[str, str | None]]:
        """Streams of a source that were published to a site, with the ids of their data sources."""
        query = sa.select(_datasources.c.stream, _datasources.c.luid).where(
            (_datasources.c.source == source)
            & (_datasources.c.server == server)
            & (_datasources.c.site == site)
        )
        with self._connect() as connection:
            return [(row.stream, row.luid) for row in connection.execute(query)]

    def has_published(self, server: str, site: str, project: str) -> bool:
        """Whether anything was ever published there, so that address and token are known to be good."""
        where = (
            (_datasources.c.server == server)
            & (_datasources.c.site == site)
            & (_datasources.c.project == project)
        )
        with self._connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(where)) != 0

    def loads(
        self,
        *,
        load_id: str | None = None,
        since: dt.datetime | None = None,
        failed: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of the ledger, the newest load first, its streams in the order they came."""
        query = sa.select(_loads).order_by(_loads.c.load_id.desc(), _loads.c.started_at, _loads.c.stream)
        if load_id is not None:
            query = query.where(_loads.c.load_id == load_id)
        if since is not None:
            query = query.where(_loads.c.started_at >= since.astimezone(dt.UTC).replace(tzinfo=None))
        if failed:
            query = query.where(_loads.c.status != Status.DONE.value)
        if limit is not None:
            query = query.limit(limit)
        with self._connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def last_loads(self) -> list[dict[str, Any]]:
        """Rows of the newest load of every source, the sources in the order they ran."""
        newest = sa.select(_loads.c.source, sa.func.max(_loads.c.load_id).label("load_id")).group_by(
            _loads.c.source
        )
        last = newest.subquery()
        query = (
            sa.select(_loads)
            .join(last, (_loads.c.source == last.c.source) & (_loads.c.load_id == last.c.load_id))
            .order_by(_loads.c.load_id, _loads.c.started_at, _loads.c.stream)
        )
        with self._connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @staticmethod
    def _is(key: dict[str, str]) -> sa.ColumnElement[bool]:
        return sa.and_(*(_datasources.c[name] == value for name, value in key.items()))


def _now() -> dt.datetime:
    """UTC without a zone, as all databases keep it alike."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _names(row: sa.Row[Any]) -> list[str]:
    return [row.name, *json.loads(row.earlier or "[]")]

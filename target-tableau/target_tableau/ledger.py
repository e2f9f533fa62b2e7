"""The load ledger: one row per load and stream, updated at each step, and what was published where.

SQLite in the output folder by default, any database that SQLAlchemy knows by `ledger_url`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from target_tableau.errors import SettingError, TargetTableauError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_VERSION = 1
_METADATA = sa.MetaData()

_ledger = sa.Table("ledger", _METADATA, sa.Column("version", sa.Integer, nullable=False))

_loads = sa.Table(
    "loads",
    _METADATA,
    sa.Column("load_id", sa.String(64), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("source", sa.String(255), nullable=False, index=True),
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("finished_at", sa.DateTime),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("read", sa.BigInteger, nullable=False, default=0),
    sa.Column("new", sa.BigInteger, nullable=False, default=0),
    sa.Column("changed", sa.BigInteger, nullable=False, default=0),
    sa.Column("deleted", sa.BigInteger, nullable=False, default=0),
    sa.Column("unchanged", sa.BigInteger, nullable=False, default=0),
    sa.Column("rejected", sa.BigInteger, nullable=False, default=0),
    sa.Column("unresolved", sa.BigInteger, nullable=False, default=0),
    sa.Column("total", sa.BigInteger, nullable=False, default=0),
    sa.Column("seconds", sa.Integer),
    sa.Column("extract", sa.Text),
    sa.Column("datasource", sa.Text),
    sa.Column("datasource_luid", sa.String(64)),
    sa.Column("job", sa.String(64)),
    sa.Column("error", sa.Text),
)

_datasources = sa.Table(
    "datasources",
    _METADATA,
    sa.Column("source", sa.String(255), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("server", sa.String(255), primary_key=True),
    sa.Column("site", sa.String(255), primary_key=True),
    sa.Column("project", sa.String(255), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("luid", sa.String(64)),
    sa.Column("load_id", sa.String(64), nullable=False),
    sa.Column("published_at", sa.DateTime, nullable=False),
)


_columns = sa.Table(
    "columns",
    _METADATA,
    sa.Column("source", sa.String(255), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("property", sa.String(255), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)


class Status(StrEnum):
    """How far a load has come. Until DONE its STATE has not been handed on."""

    RUNNING = "running"
    VERIFIED = "verified"
    PUBLISHED = "published"
    PROMOTED = "promoted"
    DONE = "done"
    FAILED = "failed"
    DRY_RUN = "dry run"
    TAKEN_BACK = "taken back"  # did not finish; a later load removed the rows it may have left


class Ledger:
    """An open ledger.

    Args:
        url: SQLAlchemy URL, or None for `loads.db` in the output folder.
        output_dir: The output folder.
    """

    def __init__(self, url: str | None, output_dir: Path) -> None:
        self.path = None if url else output_dir / "loads.db"
        try:
            if self.path is not None:
                self._create_private(self.path)
                self._engine = sa.create_engine(f"sqlite:///{self.path}", connect_args={"timeout": 60})
            else:
                self._engine = sa.create_engine(str(url))
            _METADATA.create_all(self._engine)
            self._check_version()
        except (SQLAlchemyError, ImportError) as failure:
            raise SettingError(
                f"The load ledger {self.path or 'at ledger_url'} cannot be opened: {_reason(failure)}. If the file is "
                "damaged, move it away: a new one is begun and nothing but the history is lost."
            ) from failure

    @staticmethod
    def _create_private(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)

    def _check_version(self) -> None:
        with self._engine.begin() as connection:
            version = connection.scalar(sa.select(_ledger.c.version))
            if version is None:
                connection.execute(_ledger.insert().values(version=_VERSION))
            elif version > _VERSION:
                raise SettingError(
                    f"The load ledger was written by a newer target-tableau (format {version}, this one knows "
                    f"{_VERSION}). Install the newer version."
                )

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

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
        where = (_loads.c.load_id == load_id) & _loads.c.stream.in_(list(streams))
        self._write(_loads.update().where(where).values(**values))

    def take_back(self, source: str, stream: str, loads: Sequence[str]) -> None:
        """Note that what unfinished loads may have left in a stream's extract is gone."""
        where = (_loads.c.source == source) & (_loads.c.stream == stream) & _loads.c.load_id.in_(list(loads))
        self._write(_loads.update().where(where).values(status=Status.TAKEN_BACK.value))

    def remember_datasource(self, key: dict[str, str], *, name: str, luid: str | None, load_id: str) -> None:
        """Note what was published; `key` is source, stream, server, site and project."""
        with self._begin() as connection:
            connection.execute(_datasources.delete().where(self._is(key)))
            connection.execute(
                _datasources.insert().values(
                    **key, name=name, luid=luid, load_id=load_id, published_at=_now()
                )
            )

    def remember_columns(self, source: str, stream: str, names: Mapping[str, str]) -> None:
        """Note which property fills which column, so that names are given out once and for all."""
        with self._begin() as connection:
            where = (_columns.c.source == source) & (_columns.c.stream == stream)
            connection.execute(_columns.delete().where(where & _columns.c.property.in_(list(names))))
            connection.execute(
                _columns.insert(),
                [
                    {"source": source, "stream": stream, "property": key, "name": name}
                    for key, name in names.items()
                ],
            )

    def _write(self, statement: sa.Executable) -> None:
        with self._begin() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as failure:
            raise TargetTableauError(
                f"The load ledger cannot be written: {_reason(failure)}. Nothing was handed on; run again."
            ) from failure

    # -- reading -----------------------------------------------------------------------------------------------

    def unclosed(self, source: str, stream: str, *, but: str) -> tuple[str, ...]:
        """Loads of a stream that never handed their STATE on, except the present one."""
        query = sa.select(_loads.c.load_id).where(
            (_loads.c.source == source)
            & (_loads.c.stream == stream)
            & (_loads.c.load_id != but)
            & _loads.c.status.not_in([Status.DONE.value, Status.DRY_RUN.value, Status.TAKEN_BACK.value])
        )
        with self._engine.connect() as connection:
            return tuple(connection.scalars(query))

    def newest_done(self, source: str, stream: str) -> str | None:
        """The last load of a stream whose STATE was handed on."""
        query = sa.select(sa.func.max(_loads.c.load_id)).where(
            (_loads.c.source == source) & (_loads.c.stream == stream) & (_loads.c.status == Status.DONE.value)
        )
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(query)
        return found

    def columns(self, source: str, stream: str) -> dict[str, str]:
        """Property -> column of a stream, as far as they were ever named."""
        query = sa.select(_columns.c.property, _columns.c.name).where(
            (_columns.c.source == source) & (_columns.c.stream == stream)
        )
        with self._engine.connect() as connection:
            return {row.property: row.name for row in connection.execute(query)}

    def datasource(self, key: dict[str, str]) -> dict[str, Any] | None:
        """What was last published under a key, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_datasources).where(self._is(key))).mappings().first()
        return dict(row) if row else None

    def has_published(self, server: str, site: str, project: str) -> bool:
        """Whether anything was ever published there, so that address and token are known to be good."""
        where = (
            (_datasources.c.server == server)
            & (_datasources.c.site == site)
            & (_datasources.c.project == project)
        )
        with self._engine.connect() as connection:
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
        with self._engine.connect() as connection:
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
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @staticmethod
    def _is(key: dict[str, str]) -> sa.ColumnElement[bool]:
        return sa.and_(*(_datasources.c[name] == value for name, value in key.items()))


def _now() -> dt.datetime:
    """UTC without a zone, as all databases keep it alike."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _reason(failure: Exception) -> str:
    """The driver's words without the statement, its values and the address with its password."""
    return str(getattr(failure, "orig", None) or type(failure).__name__).splitlines()[0]

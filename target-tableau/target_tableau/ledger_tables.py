"""The tables of the load ledger, and how those of an earlier version are brought up to date."""

from __future__ import annotations

import sqlalchemy as sa

from target_tableau.errors import SettingError

VERSION = 4
_METADATA = sa.MetaData()

_ledger = sa.Table("ledger", _METADATA, sa.Column("version", sa.Integer, nullable=False))

loads = sa.Table(
    "loads",
    _METADATA,
    sa.Column("load_id", sa.String(64), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("source", sa.String(255), nullable=False, index=True),
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("finished_at", sa.DateTime),
    sa.Column("extracted_at", sa.DateTime),  # when the newest of its rows were read from the source
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reached", sa.String(16)),  # the last step that went well, also of a load that failed then
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
    sa.Column("publish_mode", sa.String(16)),  # overwrite or update: how this load reached Tableau
    sa.Column("bytes_sent", sa.BigInteger),
    sa.Column("job", sa.String(64)),
    sa.Column("error", sa.Text),
)

datasources = sa.Table(
    "datasources",
    _METADATA,
    sa.Column("source", sa.String(255), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("server", sa.String(255), primary_key=True),
    sa.Column("site", sa.String(255), primary_key=True),
    sa.Column("project", sa.String(255), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("luid", sa.String(64)),
    sa.Column("load_id", sa.String(64), nullable=False),  # the last load that is, or may be, in it
    sa.Column("published_at", sa.DateTime, nullable=False),
    sa.Column("columns", sa.Text),  # JSON, name -> SQL type; null while a publish is under way
    sa.Column("pending_job", sa.String(64)),  # the job of that publish
)

columns = sa.Table(
    "columns",
    _METADATA,
    sa.Column("source", sa.String(255), primary_key=True),
    sa.Column("stream", sa.String(255), primary_key=True),
    sa.Column("property", sa.String(255), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("earlier", sa.Text),  # JSON, the names that it bore before, the newest first
)

refreshes = sa.Table(
    "refreshes",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.String(255), nullable=False, index=True),
    sa.Column("load_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # workbook, datasource or task
    sa.Column("target", sa.Text, nullable=False),  # as the setting names it, or its id
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("job", sa.String(64)),
    sa.Column("notes", sa.Text),
    sa.Column("requested_at", sa.DateTime, nullable=False),
    sa.Column("finished_at", sa.DateTime),
)

incidents = sa.Table(
    "incidents",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("began_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    sa.Column("alerted_at", sa.DateTime),  # null until an alert about it went out
    sa.Column("source", sa.String(255)),
    sa.Column("over_told_at", sa.DateTime),  # null until an alert that it is over went out
)

tokens = sa.Table(
    "tokens",
    _METADATA,
    sa.Column("server", sa.String(255), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("used_at", sa.DateTime, nullable=False),
    sa.Column("ends_at", sa.DateTime),
)

runs = sa.Table(
    "runs",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.String(255), nullable=False, index=True),
    sa.Column("began_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    sa.Column("brought", sa.Boolean, nullable=False),  # rows or a STATE came from the tap
    sa.Column("unread", sa.Text),  # JSON, streams that the tap did not read to their end -> why
    sa.Column("error", sa.Text),
)

events = sa.Table(
    "events",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event", sa.String(64), nullable=False),  # as Tableau names it, such as WorkbookRefreshFailed
    sa.Column("luid", sa.String(64), nullable=False),  # what it is about
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("created_at", sa.String(64), nullable=False),  # as Tableau told: tells a repetition
    sa.Column("received_at", sa.DateTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # waiting, or what asking Tableau has shown
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("checked_at", sa.DateTime),
    sa.Column("job", sa.String(64)),
    sa.Column("notes", sa.Text),
    sa.UniqueConstraint("event", "luid", "created_at"),
)

_ADDED: dict[int, tuple[sa.Column[object], ...]] = {
    2: (
        loads.c.extracted_at,
        loads.c.reached,
        loads.c.publish_mode,
        loads.c.bytes_sent,
        datasources.c.columns,
        datasources.c.pending_job,
    ),
    3: (incidents.c.source, incidents.c.over_told_at),
    4: (columns.c.earlier,),
}
"""Version -> columns that it added to tables of the version before; tables of its own are simply made."""


def with_driver(url: str) -> str:
    """`postgresql://`, as hosts hand it out, with the driver that the extra `postgresql` brings."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in {"postgres", "postgresql"} else url


def migrate(engine: sa.Engine) -> None:
    """Make the tables, or bring those of an earlier version up to date. Nothing that is there is lost.

    The caller keeps others out meanwhile.

    Raises:
        SettingError: A newer version wrote the ledger.
        SQLAlchemyError: The database cannot be read or written.
    """
    with engine.begin() as connection:
        _METADATA.create_all(connection)
        version = connection.scalar(sa.select(_ledger.c.version))
        if version is None:
            connection.execute(_ledger.insert().values(version=VERSION))
            return
        if version > VERSION:
            raise SettingError(
                f"The load ledger was written by a newer target-tableau (format {version}, this one knows "
                f"{VERSION}). Install the newer version."
            )
        present = sa.inspect(connection)
        for number in range(version + 1, VERSION + 1):
            for column in _ADDED[number]:
                if any(each["name"] == column.name for each in present.get_columns(column.table.name)):
                    continue  # the table is younger than the ledger, and was made whole just now
                kind = column.type.compile(engine.dialect)
                connection.execute(
                    sa.text(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")
                )
        if version < VERSION:
            connection.execute(_ledger.update().values(version=VERSION))

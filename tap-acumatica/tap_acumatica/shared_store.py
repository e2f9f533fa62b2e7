"""The same store in PostgreSQL, for taps that run on several machines and share tokens.

Secrets are sealed before they leave the process, so the database never sees one; the key is therefore not kept there.
A lock is an advisory lock of a connection: it ends with that, also when the process is killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_acumatica.errors import UserError
from tap_acumatica.store import KEY_VARIABLE, Store, content_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import psycopg

    from tap_acumatica.store import Vault

_TABLE: Final = "tap_acumatica_store"
_CONNECT_SECONDS: Final = 30
_LOOK_SECONDS: Final = 0.25


class SharedStore(Store):
    """What `Store` keeps in files, as rows of a table.

    Args:
        url: `postgresql://user:password@host/database`.
        folder: Where what need not be shared is kept.
        identity: Whose they are.
        vault: Encrypts secrets; without one none can be kept.
    """

    def __init__(self, url: str, folder: Path, identity: str, vault: Vault | None) -> None:
        super().__init__(folder, identity, vault)
        self.place = "the database at token_store_url"
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)

    @override
    def read(self, name: str) -> dict[str, Any]:
        stored = self._get(f"{self._label(name)}.json")
        return content_of(stored) if stored else {}

    @override
    def read_secret(self, name: str) -> dict[str, Any]:
        stored = self._get(f"{self._label(name)}.sealed")
        return content_of(self._vault.unseal(stored, self._label(name))) if stored else {}

    @override
    def write(self, name: str, content: Mapping[str, Any]) -> None:
        self._put(f"{self._label(name)}.json", json.dumps(content).encode())

    @override
    def write_secret(self, name: str, content: Mapping[str, Any]) -> None:
        sealed = self._vault.seal(json.dumps(content).encode(), self._label(name))
        self._put(f"{self._label(name)}.sealed", sealed)

    @override
    def delete_secret(self, name: str) -> None:
        with self._connected() as connection:
            connection.execute(f"DELETE FROM {_TABLE} WHERE label = %s", (f"{self._label(name)}.sealed",))  # noqa: S608

    @override
    @contextlib.contextmanager
    def lock(self, name: str, wait_seconds: float) -> Iterator[bool]:
        digest = hashlib.sha256(f"{_TABLE} {self._label(name)}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        deadline = time.monotonic() + wait_seconds
        with self._connected() as connection:
            while not _value(connection, "SELECT pg_try_advisory_lock(%s)", number):
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(_LOOK_SECONDS)
            try:
                yield True
            finally:
                if not connection.broken:
                    _value(connection, "SELECT pg_advisory_unlock(%s)", number)

    @override
    def _own_key(self) -> list[bytes]:
        raise UserError(
            f"token_store_url: set {KEY_VARIABLE} or token_key_file as well; the key must not lie beside the tokens"
        )

    def _get(self, label: str) -> bytes | None:
        with self._connected() as connection:
            found = _value(connection, f"SELECT content FROM {_TABLE} WHERE label = %s", label)  # noqa: S608
        return bytes(found) if found is not None else None

    def _put(self, label: str, content: bytes) -> None:
        with self._connected() as connection:
            connection.execute(
                f"INSERT INTO {_TABLE} (label, content) VALUES (%s, %s) ON CONFLICT (label) "  # noqa: S608
                "DO UPDATE SET content = EXCLUDED.content, changed_at = now()",
                (label, content),
            )

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection of its own, in a database that has the table.

        Raises:
            UserError: There is no driver, or the database cannot be used.
        """
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError:
            raise UserError("token_store_url: install tap-acumatica[postgresql]") from None
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
                _make_table(connection)
                yield connection
        except psycopg.Error as error:
            told = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError(f"token_store_url: the database cannot be used ({told[0]})") from None


def _make_table(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if _value(connection, "SELECT to_regclass(%s)", _TABLE):
        return
    with connection.transaction():  # two may be the first at once
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (_TABLE,))
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} (label text PRIMARY KEY, content bytea NOT NULL, "
            "changed_at timestamptz NOT NULL DEFAULT now())"
        )


def _value(connection: psycopg.Connection[tuple[Any, ...]], query: Any, parameter: object) -> Any:  # noqa: ANN401
    """The first column of the first row of a query; None when there is no row."""
    row = connection.execute(query, (parameter,)).fetchone()
    return row[0] if row else None

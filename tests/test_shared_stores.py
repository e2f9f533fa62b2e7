"""Taps that trade tokens keep them in one database when they run on several machines, under one lock."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tap_acumatica import store as acumatica
from tap_acumatica.errors import UserError as AcumaticaError
from tap_exact_online import store as exact_online
from tap_exact_online.errors import UserError as ExactOnlineError
from tests.postgresql import postgresql_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ERRORS = (AcumaticaError, ExactOnlineError)
CONFIGS: dict[Any, dict[str, Any]] = {
    acumatica: {"base_url": "https://erp.example.com", "client_id": "x@Live"},
    exact_online: {"region": "nl", "client_id": "x"},
}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql_server() as address:
        yield address


@pytest.fixture(params=[acumatica, exact_online], ids=["acumatica", "exact_online"])
def tap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(request.param.KEY_VARIABLE, base64.b64encode(os.urandom(32)).decode())
    return request.param


def test_what_one_machine_keeps_another_reads_and_only_one_trades(
    tap: Any, database: str, tmp_path: Path
) -> None:
    config = {**CONFIGS[tap], "token_store_url": database}
    here, there = (
        tap.store_of({**config, "token_store_path": str(tmp_path / machine)}) for machine in ("here", "there")
    )
    assert there.read_secret("tokens") == {}
    here.write_secret("tokens", {"refresh_token": "canary"})
    here.write("schema", {"a": 1})
    assert there.read_secret("tokens") == {"refresh_token": "canary"}
    assert there.read("schema") == {"a": 1}
    with here.lock("tokens", 0) as locked:
        assert locked
        with there.lock("tokens", 0) as also:
            assert not also
    with there.lock("tokens", 0) as locked:
        assert locked
    with psycopg.connect(database) as connection:
        table = f"tap_{'acumatica' if tap is acumatica else 'exact_online'}_store"
        stored = connection.execute(f"SELECT content FROM {table}").fetchall()
    assert len(stored) == 2
    assert not any(b"canary" in content for (content,) in stored)
    assert list(tmp_path.iterdir()) == []


def test_another_user_has_other_tokens(tap: Any, database: str) -> None:
    config = {**CONFIGS[tap], "token_store_url": database}
    tap.store_of(config).write_secret("tokens", {"refresh_token": "mine"})
    assert tap.store_of({**config, "client_id": "another"}).read_secret("tokens") == {}


def test_the_key_must_not_lie_beside_the_tokens(
    tap: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(tap.KEY_VARIABLE)
    store = tap.store_of({**CONFIGS[tap], "token_store_url": database})
    with pytest.raises(ERRORS, match=tap.KEY_VARIABLE) as caught:
        store.write_secret("tokens", {"refresh_token": "canary"})
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there_is_told_in_one_line_without_its_password(tap: Any) -> None:
    address = "postgresql://me:canary@127.0.0.1:1/nowhere"
    with pytest.raises(ERRORS, match="token_store_url") as caught:
        tap.store_of({**CONFIGS[tap], "token_store_url": address}).read("schema")
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)

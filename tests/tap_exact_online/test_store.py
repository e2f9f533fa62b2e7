from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_exact_online.errors import UserError
from tap_exact_online.store import KEY_VARIABLE, SealedError, Store, Vault, keys_in, store_of

if TYPE_CHECKING:
    from pathlib import Path


def key() -> bytes:
    return os.urandom(32)


def vault(*keys: bytes) -> Vault:
    return Vault(lambda: list(keys))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_private_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "new", "someone")
    store.write_secret("tokens", {"refresh_token": "r1"})
    store.write("schema", {"a": 1})
    files = [path for path in (tmp_path / "new").iterdir() if path.suffix != ".lock"]
    assert len(files) == 3
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_what_was_written_is_read_again_and_replaced_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone", vault(key()))
    store.write_secret("tokens", {"refresh_token": "a-long-one"})
    store.write_secret("tokens", {"refresh_token": "r2"})
    assert store.read_secret("tokens") == {"refresh_token": "r2"}
    assert len(list(tmp_path.iterdir())) == 1, "a temporary file was left behind"


def test_a_secret_is_nowhere_in_its_file_and_never_sealed_the_same_way_twice(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone", vault(key()))
    seen = set()
    for _ in range(2):
        store.write_secret("tokens", {"refresh_token": "very-secret"})
        content = next(tmp_path.glob("*.sealed")).read_bytes()
        assert b"very-secret" not in content
        assert b"refresh_token" not in content
        seen.add(content)
    assert len(seen) == 2


def test_a_new_key_is_put_before_the_old_one_and_the_old_one_can_then_go(tmp_path: Path) -> None:
    old, new = key(), key()
    Store(tmp_path, "someone", vault(old)).write_secret("tokens", {"refresh_token": "r1"})
    both = Store(tmp_path, "someone", vault(new, old))
    assert both.read_secret("tokens") == {"refresh_token": "r1"}
    both.write_secret("tokens", {"refresh_token": "r2"})
    assert Store(tmp_path, "someone", vault(new)).read_secret("tokens") == {"refresh_token": "r2"}
    with pytest.raises(SealedError):
        Store(tmp_path, "someone", vault(old)).read_secret("tokens")


def test_a_changed_or_exchanged_file_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone", vault(key()))
    store.write_secret("tokens", {"refresh_token": "r1"})
    path = next(tmp_path.glob("*-tokens.sealed"))
    content = path.read_bytes()
    path.with_name(path.name.replace("tokens", "other")).write_bytes(content)
    with pytest.raises(SealedError):
        store.read_secret("other")
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b"", b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(SealedError):
            store.read_secret("tokens")


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), "!" * 44])
def test_a_malformed_key_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(UserError, match=r"some place: .*(32 random bytes|no key)") as caught:
        keys_in(text, "some place")
    assert not text or text not in str(caught.value)


def test_several_keys_in_both_alphabets_are_understood() -> None:
    one, two = b"\xfb" * 32, b"\xff" * 32
    text = f"{base64.b64encode(one).decode()},\n{base64.urlsafe_b64encode(two).decode()}\n"
    assert keys_in(text, "here") == [one, two]


def test_the_key_comes_from_the_environment_first_then_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = key(), key()
    file = tmp_path / "my.key"
    file.write_text(base64.b64encode(second).decode())
    config = {
        "api_url": "https://x",
        "token_store_path": str(tmp_path / "private"),
        "token_key_file": str(file),
    }
    store_of(config).write_secret("tokens", {"refresh_token": "r1"})
    assert not (tmp_path / "private" / "key").exists()
    monkeypatch.setenv(KEY_VARIABLE, base64.b64encode(first).decode())
    with pytest.raises(SealedError):
        store_of(config).read_secret("tokens")
    both = " ".join(base64.b64encode(each).decode() for each in (first, second))
    monkeypatch.setenv(KEY_VARIABLE, both)
    assert store_of(config).read_secret("tokens") == {"refresh_token": "r1"}


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = {
        "api_url": "https://x",
        "token_store_path": str(tmp_path),
        "token_key_file": str(tmp_path / "no"),
    }
    with pytest.raises(UserError, match="token_key_file: cannot read"):
        store_of(config).write_secret("tokens", {})


def test_users_and_instances_do_not_share_files(tmp_path: Path) -> None:
    Store(tmp_path, "someone").write_secret("tokens", {"refresh_token": "r1"})
    assert Store(tmp_path, "someone else").read_secret("tokens") == {}


def test_a_damaged_schema_counts_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")
    store.write("schema", {"a": 1})
    next(tmp_path.iterdir()).write_bytes(b"{half")
    assert store.read("schema") == {}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that refuses")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="token_store_path"):
        Store(tmp_path / "sub", "someone").write("tokens", {})


def test_a_lock_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")
    with store.lock("run", 0) as first, Store(tmp_path, "someone").lock("run", 0) as second:
        assert (first, second) == (True, False)
    with store.lock("run", 0) as again:
        assert again


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib\n"
        "from tap_exact_online.store import Store\n"
        "lock = Store(pathlib.Path(sys.argv[1]), 'someone').lock('run', 0)\n"
        "assert lock.__enter__()\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True)
    assert done.returncode == 9, done.stderr
    with Store(tmp_path, "someone").lock("run", 0) as had:
        assert had

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_acumatica.errors import UserError
from tap_acumatica.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_private_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "new", "someone")
    store.write("tokens", {"refresh_token": "r1"})
    for path in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_what_was_written_is_read_again_and_replaced_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")
    store.write("tokens", {"refresh_token": "a-long-one"})
    store.write("tokens", {"refresh_token": "r2"})
    assert store.read("tokens") == {"refresh_token": "r2"}
    assert len(list(tmp_path.iterdir())) == 1, "a temporary file was left behind"


def test_users_and_instances_do_not_share_files(tmp_path: Path) -> None:
    Store(tmp_path, "someone").write("tokens", {"refresh_token": "r1"})
    assert Store(tmp_path, "someone else").read("tokens") == {}


def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path, "someone")
    store.write("tokens", {"refresh_token": "r1"})
    next(tmp_path.iterdir()).write_bytes(b"{half")
    assert store.read("tokens") == {}


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
        "from tap_acumatica.store import Store\n"
        "lock = Store(pathlib.Path(sys.argv[1]), 'someone').lock('run', 0)\n"
        "assert lock.__enter__()\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True)
    assert done.returncode == 9, done.stderr
    with Store(tmp_path, "someone").lock("run", 0) as had:
        assert had

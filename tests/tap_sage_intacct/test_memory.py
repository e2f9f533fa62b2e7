"""What the process keeps of memory that is free again."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_FREED_AND_ALLOCATED = """
import ctypes
import tap_sage_intacct.__main__

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Info
page = bytes(5_000_000)
del page
before = mallinfo().hblkhd
page = bytes(5_000_000)
print(mallinfo().hblkhd - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc of 2021 or later"
)
def test_memory_grew_with_the_run_since_freed_pages_stayed_in_the_heaps() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FREED_AND_ALLOCATED], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 5_000_000, "a page that follows a freed one is not mapped by itself"

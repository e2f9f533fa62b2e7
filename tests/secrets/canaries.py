"""Secrets that are easy to find again, in whatever form they have leaked."""

from __future__ import annotations

import base64
import contextlib
import itertools
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote_plus

import psutil
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SHORTEST = 12
_IN_BODIES = re.compile(rb"<sessionid>([^<]+)<|(?:refresh_token|code|UserId)=([^&\s]+)")
_LOOK_SECONDS = 0.1  # listing processes is slow, and a Hyper engine lives for seconds
_NUMBERS = itertools.count(1)


_TAIL = "/&<\"'+ %=\\z"


def canary(number: int, tail: str = _TAIL) -> str:
    """A secret with everything that is spelt differently in addresses, JSON, XML and shells.

    Its core of letters and digits survives those spellings, so that finding the core is finding all of them.
    """
    return f"{core_of(number)}{tail}"


def core_of(number: int) -> str:
    """The part of a canary that is looked for."""
    return f"c4nary{number:03}q7x2v9"


def spellings(core: str) -> list[bytes]:
    """What a core looks like as it is, in hexadecimal, and in base64 at each of its three alignments."""
    data = core.encode()
    found = [data, data.hex().encode(), data.hex().upper().encode()]
    for offset, start in ((0, 0), (1, 2), (2, 3)):
        padded = b"\0" * offset + data
        found.append(base64.b64encode(padded)[start : len(padded) // 3 * 4])
    return found


class Secrets:
    """All secrets of a run, by what they are.

    Args:
        tail: What canaries have behind their core.

    Attributes:
        planted: Setting of a plugin -> canary.
        seen: What servers were sent besides, such as tokens of sessions.
    """

    def __init__(self, tail: str = _TAIL) -> None:
        self._tail = tail
        self.planted: dict[str, str] = {}
        self.seen: set[bytes] = set()

    def plant(self, name: str) -> str:
        """A new secret."""
        self.planted[name] = canary(next(_NUMBERS), self._tail)
        return self.planted[name]

    def found_in(self, content: bytes) -> list[str]:
        """The names of all secrets that some content gives away."""
        names = [
            name
            for name, secret in self.planted.items()
            if any(form in content for form in spellings(secret[: len(core_of(0))]))
        ]
        return names + [f"a session's {secret[:4]!r}..." for secret in self.seen if secret in content]


class Wire:
    """An application between a server and its clients that notes what they sign in and authorise with."""

    def __init__(self, app: ASGIApp, secrets: Secrets) -> None:
        self._app = app
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name in {b"authorization", b"x-tableau-auth"}:
                self._note(value.rpartition(b" ")[2])
            elif name == b"cookie":
                for cookie in value.split(b"; "):
                    self._note(cookie.partition(b"=")[2])
        self._look(scope.get("query_string", b""))

        async def heard() -> Message:
            message = await receive()
            self._look(message.get("body", b""))
            return message

        await self._app(scope, heard, send)

    def _look(self, content: bytes) -> None:
        for found in _IN_BODIES.finditer(content):
            self._note(found[1] or found[2])

    def _note(self, secret: bytes) -> None:
        for form in (secret, unquote_plus(secret.decode("latin-1")).encode()):
            if len(form) >= _SHORTEST:
                self._secrets.seen.add(form)


@contextlib.contextmanager
def planted(package: str, values: Mapping[str, str]) -> Iterator[None]:
    """Give a sandbox's constants other values, in every module that has imported them."""
    before: list[tuple[Any, str, Any]] = []
    old = {name: getattr(sys.modules[package], name) for name in values}
    for module_name, module in list(sys.modules.items()):
        if module_name != package and not module_name.startswith(f"{package}."):
            continue
        for name, value in old.items():
            if vars(module).get(name) == value:
                before.append((module, name, value))
                setattr(module, name, values[name])
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class Watch:
    """Looks at a process and all that it starts, as anybody who lists processes sees them.

    Attributes:
        commands: Command lines of all of them.
        engines: Environments of those that are Hyper engines.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.commands: set[bytes] = set()
        self.engines: list[bytes] = []
        self._known: set[int] = set()
        self._root = psutil.Process(process.pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(psutil.Error):
                for process in [self._root, *self._root.children(recursive=True)]:
                    self._note(process)
            time.sleep(_LOOK_SECONDS)

    def _note(self, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            self.commands.add(" ".join(line).encode())
            # just after the fork it still is what it was forked from
            if "hyperd" in " ".join(line[:1]) and process.pid not in self._known:
                self._known.add(process.pid)
                self.engines.append(repr(process.environ()).encode())


def leaks_of_folder(folder: Path, secrets: Secrets, but: set[Path]) -> list[str]:
    """Files that give a secret away, with the names of the secrets; compressed ones are read, too."""
    leaks = []
    for path in sorted(folder.rglob("*")):
        if (
            not path.is_file()
            or path.is_symlink()
            or any(path == each or each in path.parents for each in but)
        ):
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        leaks += [f"{path.relative_to(folder)}: {name}" for name in secrets.found_in(content)]
    return leaks

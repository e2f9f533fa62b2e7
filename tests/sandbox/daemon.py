"""The process that serves the sandbox: its servers, the control channel, and whose end it does not outlive."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import http.client
import os
import secrets
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.sandbox.company.world import FILE_NAME, World
from tests.sandbox.running import Running, SandboxError, announce, created_at, withdraw
from tests.sandbox.serving import LOOPBACK, bind, uvicorn_server

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import uvicorn
    from starlette.requests import Request
    from starlette.types import ASGIApp

_LOOK_SECONDS = 0.2  # how often the process looks whether those it follows are alive
_START_SECONDS = 20
_STOP_SECONDS = 10
_NOBODY = -1  # followed in place of a process: it never ends


# ------------------------------------------------------------------ servers


def _acumatica(world: World, directory: Path) -> ASGIApp:  # noqa: ARG001 - it keeps nothing on disk
    from tests.sandbox.acumatica.app import create_app  # noqa: PLC0415 - loaded only where it is served

    return create_app(world)


def _sage_intacct(world: World, directory: Path) -> ASGIApp:  # noqa: ARG001 - it keeps nothing on disk
    from tests.sandbox.sage_intacct.app import create_app  # noqa: PLC0415 - loaded only where it is served

    return create_app(world)


def _epicor_kinetic(world: World, directory: Path) -> ASGIApp:
    from tests.sandbox.epicor_kinetic.app import create_app  # noqa: PLC0415 - loaded only where it is served

    return create_app(world, directory)


def _tableau(world: World, directory: Path) -> ASGIApp:  # noqa: ARG001 - it knows nothing of the company
    from tests.sandbox.tableau.app import create_app  # noqa: PLC0415 - loaded only where it is served

    return create_app(directory)


def _exact_online(world: World, directory: Path) -> ASGIApp:
    from tests.sandbox.exact_online.app import create_app  # noqa: PLC0415 - loaded only where it is served
    from tests.sandbox.exact_online.switches import Switches  # noqa: PLC0415

    # Tokens and quotas go by real time, so that waiting for them ends. A sandbox that rested for months still works.
    return create_app(world, directory, switches=Switches(clock="real", refresh_token_days=3650))


def _syspro(world: World, directory: Path) -> ASGIApp:
    from tests.sandbox.syspro.app import create_app  # noqa: PLC0415 - loaded only where it is served

    return create_app(world, directory=directory)


@dataclasses.dataclass(frozen=True)
class Server:
    """One server of the sandbox.

    Attributes:
        name: What it stands in for; also its folder in `.sandbox/`.
        port_variable: Environment variable that sets its port.
        default_port: Its port otherwise.
        factory: Makes the application from the world and the server's own folder.
    """

    name: str
    port_variable: str
    default_port: int
    factory: Callable[[World, Path], ASGIApp]

    def port(self, environment: Mapping[str, str]) -> int:
        """Its port; 0 lets the system choose one.

        Raises:
            SandboxError: The variable does not hold a port number.
        """
        text = environment.get(self.port_variable) or str(self.default_port)
        if not text.isdecimal() or int(text) > 65_535:
            raise SandboxError(f"{self.port_variable} is {text!r}: give a port number")
        return int(text)


SERVERS = (
    Server("acumatica", "SANDBOX_ACUMATICA_PORT", 8611, _acumatica),
    Server("sage_intacct", "SANDBOX_SAGE_INTACCT_PORT", 8612, _sage_intacct),
    Server("epicor_kinetic", "SANDBOX_EPICOR_KINETIC_PORT", 8615, _epicor_kinetic),
    Server("exact_online", "SANDBOX_EXACT_ONLINE_PORT", 8614, _exact_online),
    Server("syspro", "SANDBOX_SYSPRO_PORT", 8613, _syspro),
    Server("tableau", "SANDBOX_TABLEAU_PORT", 8610, _tableau),
)


def wanted(environment: Mapping[str, str]) -> tuple[Server, ...]:
    """The servers to serve: all, or those that SANDBOX_SERVERS names, with commas between them.

    Raises:
        SandboxError: It names one that there is not.
    """
    names = [name.strip() for name in environment.get("SANDBOX_SERVERS", "").split(",") if name.strip()]
    unknown = sorted(set(names) - {server.name for server in SERVERS})
    if unknown:
        offered = ", ".join(server.name for server in SERVERS)
        raise SandboxError(f"SANDBOX_SERVERS names {', '.join(unknown)}: there are {offered}")
    return tuple(server for server in SERVERS if not names or server.name in names)


# ------------------------------------------------------------------ process


class Lifetime:
    """How long the process lives: until it is told to stop, or until all that it follows have ended.

    Args:
        follow: Process to follow; without one it lives until it is told.
    """

    def __init__(self, follow: int | None) -> None:
        self._lock = threading.Lock()
        self._told = threading.Event()
        self._signalled = False
        self._followed: dict[int, float | None] = {}  # process id to creation time, None if it had ended
        self.follow(follow)

    def follow(self, pid: int | None) -> bool:
        """Live at least as long as this process too; None for until told.

        Returns:
            False when the end has begun already.
        """
        with self._lock:
            if self._told.is_set():
                return False
            self._followed[_NOBODY if pid is None else pid] = None if pid is None else created_at(pid)
            return True

    def stop(self) -> None:
        """Begin the end."""
        self._told.set()

    def stop_soon(self) -> None:
        """Begin the end at the next look. Takes no lock: safe in a signal handler."""
        self._signalled = True

    def wait(self) -> None:
        """Return when the end has come."""
        while not self._told.wait(_LOOK_SECONDS):
            with self._lock:
                if self._signalled or not any(map(self._lives, self._followed)):
                    self._told.set()

    def _lives(self, pid: int) -> bool:
        created = self._followed[pid]
        return pid == _NOBODY or (created is not None and created_at(pid) == created)


class _Fleet:
    """Applications on ports, one thread each; they come up and go down together."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._servers: list[uvicorn.Server] = []
        self._threads: list[threading.Thread] = []

    def bind(self, name: str, port: int) -> int:
        """Take a port for a server and return it.

        Raises:
            SandboxError: Something else has it.
        """
        try:
            taken = bind(port)
            taken.listen()
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise SandboxError(port_taken(name, port)) from error
        self._sockets[name] = taken
        return int(taken.getsockname()[1])

    def launch(self, name: str, app: ASGIApp) -> None:
        """Serve an application on the port taken for it.

        Raises:
            SandboxError: It did not come up.
        """
        server = uvicorn_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [self._sockets[name]]}, daemon=True)
        self._servers.append(server)
        self._threads.append(thread)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise SandboxError(f"the {name} server did not come up")
            time.sleep(0.005)

    def close(self) -> None:
        """Take all servers down and give the ports back."""
        for server in self._servers:
            server.should_exit = True
        for thread in self._threads:
            thread.join(timeout=_STOP_SECONDS)
        for taken in self._sockets.values():
            taken.close()


def port_taken(name: str, port: int) -> str:
    """What is said when a port is in use."""
    variable = next((server.port_variable for server in SERVERS if server.name == name), "the port")
    return f"port {port} for {name} is taken by another program: stop it, or set {variable}"


def serve(directory: Path, environment: Mapping[str, str], *, follow: int | None = None) -> None:
    """Serve the sandbox until its lifetime is over, then leave nothing but its files.

    Args:
        directory: Where it keeps its things.
        environment: Where the ports come from.
        follow: Process whose end is its own; None serves until it is told to stop.

    Raises:
        SandboxError: A port is taken, or the company cannot be read.
    """
    lifetime = Lifetime(follow)
    servers = wanted(environment)
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as contents, contextlib.closing(_Fleet()) as fleet:
        urls = {
            server.name: f"http://{LOOPBACK}:{fleet.bind(server.name, server.port(environment))}"
            for server in servers
        }
        control_port = fleet.bind("control", 0)
        contents.callback(withdraw, directory)
        world = open_world(directory, environment)
        contents.callback(world.save)
        listeners: list[Callable[[], object]] = []
        for server in servers:
            folder = directory / server.name
            folder.mkdir(exist_ok=True)
            app = server.factory(world, folder)
            contents.callback(getattr(app, "close", _nothing))
            listeners.append(getattr(app, "notify", _nothing))
            fleet.launch(server.name, app)
        token = secrets.token_urlsafe(24)
        fleet.launch("control", control_app(world, lifetime, token, listeners))
        pid = os.getpid()
        created = psutil.Process(pid).create_time()
        announce(directory, Running(pid, created, control_port, token, urls))
        with _stopped_by_signals(lifetime):
            lifetime.wait()


def open_world(directory: Path, environment: Mapping[str, str]) -> World:
    """The company of this folder; a new one of SANDBOX_BILLS (default 120) bills when there is none.

    Raises:
        SandboxError: The saved company cannot be read, or the number is not one.
    """
    bills = environment.get("SANDBOX_BILLS") or "120"
    if not bills.isdecimal():
        raise SandboxError(f"SANDBOX_BILLS is {bills!r}: give a number")
    try:
        return World.open(directory / FILE_NAME, bills=int(bills))
    except msgspec.DecodeError as error:
        raise SandboxError(f"{directory / FILE_NAME} cannot be read ({error}): reset the sandbox") from error


def control_app(
    world: World, lifetime: Lifetime, token: str, listeners: Iterable[Callable[[], object]] = ()
) -> ASGIApp:
    """The control channel: `/live`, `/follow` and `/stop`, for whoever knows the token.

    After `/live` the `listeners` are called: servers that tell their subscribers what happened.
    """

    def live(body: dict[str, Any]) -> JSONResponse:
        with world.lock:
            answer = live_on(world, events=int(body["events"]), seed=body.get("seed"))
            world.save()
        for tell in listeners:
            tell()
        return JSONResponse(answer)

    def follow(body: dict[str, Any]) -> JSONResponse:
        if lifetime.follow(body["pid"]):
            return JSONResponse({})
        return JSONResponse({"error": "it is about to end"}, status_code=http.client.CONFLICT)

    def stop(_: dict[str, Any]) -> JSONResponse:
        lifetime.stop()
        return JSONResponse({})

    def guarded(
        command: Callable[[dict[str, Any]], JSONResponse],
    ) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def endpoint(request: Request) -> JSONResponse:
            given = request.headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return JSONResponse({"error": "wrong token"}, status_code=http.client.FORBIDDEN)
            return await run_in_threadpool(command, await request.json())

        return endpoint

    commands = {"/live": live, "/follow": follow, "/stop": stop}
    return Starlette(
        routes=[Route(path, guarded(command), methods=["POST"]) for path, command in commands.items()]
    )


def live_on(world: World, *, events: int, seed: int | None) -> dict[str, object]:
    """Let so many random things happen and a quarter of an hour pass.

    Returns:
        `clock` (the company's time afterwards) and `events` (name to how often).
    """
    with world.lock:
        if seed is not None:
            world.reseed(seed)
        happened = Counter(world.life.live(events))
        return {"clock": world.company.clock.isoformat(), "events": dict(happened.most_common())}


@contextlib.contextmanager
def _stopped_by_signals(lifetime: Lifetime) -> Iterator[None]:
    """Let the signals that end a process begin an orderly end."""
    names = [name for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), lambda *_: lifetime.stop_soon()) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _nothing() -> None:
    """For servers that have nothing to close."""

"""No secret leaves a plugin, at DEBUG, in whatever form: canaries are put in, and everything that comes out is read."""

from __future__ import annotations

import base64
import html
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from singer_sdk import Tap
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.generated import PLUGINS, settings_of
from tests.sandbox.serving import serve
from tests.secrets.canaries import Secrets, Watch, canary, core_of, leaks_of_folder, spellings
from tests.secrets.plants import PLANTS, SIGN_INS, served_tableau
from tests.target_tableau.support import loads_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.requests import Request

Config = dict[str, Any]
SECRETS = {
    plugin.name: [name for name, schema in settings_of(plugin).items() if schema.get("secret")]
    for plugin in PLUGINS
}
# the target is run with each of its ways to sign in; all five pairs are for the long run
_PAIRS = [
    pytest.param(tap, way, marks=[pytest.mark.soak] if number >= len(SIGN_INS) else [])
    for number, (tap, way) in enumerate(zip(PLANTS, [*SIGN_INS, *SIGN_INS], strict=False))
]
_ONLY_TAP = [pytest.param(tap, "") for tap in list(PLANTS)[len(SIGN_INS) :]]


class Output:
    """What commands have printed, and what could be seen of them from outside."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self.folder = folder
        self.secrets = secrets
        self.engines = 0

    def run(
        self, config: Config, *command: str, stdin: Path | None = None, name: str = ""
    ) -> tuple[int, Path]:
        """Run a command at DEBUG with a config file, and look at all that comes out.

        Returns:
            Its exit code, and the file with its output.
        """
        file = self.folder / "config.json"
        file.write_text(json.dumps(config))
        words = [sys.executable, "-m", command[0], "--config", str(file), *command[1:]]
        out = self.folder / f"{name or '-'.join(command)}.out"
        err = out.with_suffix(".err")
        with (
            out.open("wb") as stdout,
            err.open("wb") as stderr,
            (stdin or file).open("rb") as given,
            subprocess.Popen(
                words,
                stdin=given,
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, "LOGLEVEL": "DEBUG"},
            ) as process,
            Watch(process) as watch,
        ):
            code = process.wait(120)
        for seen in (*watch.commands, *watch.engines):
            assert not self.secrets.found_in(seen), (command, seen)
        self.engines += len(watch.engines)
        for each in (out, err):
            assert not self.secrets.found_in(each.read_bytes()), each.read_text(errors="replace")
        file.unlink()
        return code, out


def _catalog(tap: str, config: Config, streams: Sequence[str]) -> Config:
    """The tap's catalog with some streams selected, to keep the test short."""
    (plugin,) = (plugin for plugin in PLUGINS if plugin.name == tap)
    assert issubclass(plugin, Tap)
    catalog: Config = json.loads(plugin(config=dict(config), setup_mapper=False).catalog_json_text)
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


@pytest.mark.parametrize(("tap", "way"), [*_PAIRS, *_ONLY_TAP])
def test_a_pipeline_at_debug_gives_no_secret_away(tap: str, way: str, tmp_path: Path) -> None:
    secrets = Secrets()
    output = Output(tmp_path, secrets)
    plant = PLANTS[tap]
    with plant.served(secrets, tap, tmp_path) as config:
        catalog = tmp_path / "catalog.json"
        catalog.write_text(json.dumps(_catalog(tap, config, plant.streams)))
        words = tap.replace("-", "_"), "--catalog", str(catalog)
        code, messages = output.run(config, *words, name="tap")
        assert code == 0, messages.with_suffix(".err").read_text()
        assert b'"RECORD"' in messages.read_bytes()
        assert b"DEBUG" in messages.with_suffix(".err").read_bytes()
    if way:
        with served_tableau(secrets, tmp_path, way) as target:
            _load(target | {"source": tap}, messages, output)
        assert list((tmp_path / "output" / "journal").rglob("*.parquet"))
    assert len(secrets.seen) > 1, "no session was seen"
    assert leaks_of_folder(tmp_path, secrets, {tmp_path / "tableau"}) == []


def _load(config: Config, messages: Path, output: Output) -> None:
    """Load what a tap has written, and look at what is told of it."""
    folder = output.folder
    config["output_dir"] = str(folder / "output")
    code, done = output.run(config, "target_tableau", stdin=messages, name="target")
    assert code == 0, done.with_suffix(".err").read_text()
    assert b'"bookmarks"' in done.read_bytes()
    assert output.engines, "no Hyper engine was seen"
    page = str(folder / "page.html")
    for words in (["report", "--html", page], ["report"], ["show", "latest"], ["list"]):
        told = loads_command(config, folder, *words)
        assert told.exit_code == 0
        assert not output.secrets.found_in(told.output.encode())
    (folder / "config.json").unlink()


@pytest.mark.soak
@pytest.mark.parametrize("option", ["--test", "--discover"])
@pytest.mark.parametrize("tap", list(PLANTS))
def test_what_is_refused_is_not_told(tap: str, option: str, tmp_path: Path) -> None:
    """All secret settings are there and none is right: what a server refuses, or the settings contradict."""
    secrets = Secrets()
    output = Output(tmp_path, secrets)
    plant, package = PLANTS[tap], tap.replace("-", "_")
    with plant.served(Secrets(), tap, tmp_path) as config:
        for name in SECRETS[tap]:
            config[name] = secrets.plant(f"{tap} {name}")
            if name == "company_passwords":
                config[name] = {"EDU1": config[name]}
        code, out = output.run(config, package, option)
        # some know their streams without asking
        assert code == 1 or (option == "--discover" and out.read_bytes()), out.with_suffix(".err").read_text()
    assert leaks_of_folder(tmp_path, secrets, set()) == []


@pytest.mark.soak
@pytest.mark.parametrize("way", list(SIGN_INS))
def test_what_tableau_refuses_is_not_told(way: str, tmp_path: Path) -> None:
    secrets = Secrets()
    output = Output(tmp_path, secrets)
    with served_tableau(Secrets(), tmp_path, way) as target:
        setting = SIGN_INS[way]()[1]
        target[setting] = secrets.plant(f"target-tableau {setting}")
        messages = tmp_path / "messages"
        schema = {"type": "SCHEMA", "stream": "s", "schema": {"properties": {}}, "key_properties": []}
        messages.write_text(json.dumps(schema) + "\n")
        target["output_dir"] = str(tmp_path / "output")
        assert output.run(target, "target_tableau", stdin=messages)[0] == 1
    assert leaks_of_folder(tmp_path, secrets, {tmp_path / "tableau"}) == []


@pytest.mark.soak
def test_addresses_with_secrets_are_not_told_when_nobody_answers(tmp_path: Path) -> None:
    """The ledger's database, the alerts and the heartbeat."""
    secrets = Secrets()
    output = Output(tmp_path, secrets)
    core = {
        name: secrets.plant(f"target-tableau {name}")[: len(core_of(0))] for name in SECRETS["target-tableau"]
    }

    async def refuse(_: Request) -> Response:
        return Response(status_code=500)

    config: Config = {"output_dir": str(tmp_path / "output"), "expected_sources": ["tap-x"]}
    with serve(Starlette(routes=[Route("/{path:path}", refuse, methods=["GET", "POST"])])) as url:
        place = url.removeprefix("http://")
        config["heartbeat_url"] = f"{url}/{core['heartbeat_url']}"
        assert output.run(config, "target_tableau.loads", "health", name="heartbeat")[0] == 1
        config["alert_urls"] = f"json://me:{core['alert_urls']}@{place}/{core['alert_urls']}"
        code, out = output.run(config, "target_tableau.loads", "health", name="alerts")
        assert code == 1
        assert "could not be delivered" in out.with_suffix(".err").read_text()
        config["ledger_url"] = f"postgresql://me:{core['ledger_url']}@127.0.0.1:1/db"
        code, out = output.run(config, "target_tableau.loads", "health", name="ledger")
        assert code == 1
        assert "cannot be opened" in out.with_suffix(".err").read_text()
    assert leaks_of_folder(tmp_path, secrets, set()) == []


def test_the_search_finds_a_canary_in_every_form() -> None:
    """What looks for leaks is looked at, too: else all of the above proves nothing."""
    secrets = Secrets()
    secret = secrets.plant("it")
    forms = [
        secret,
        quote(secret, safe=""),
        json.dumps(secret),
        html.escape(secret),
        repr(secret),
        secret.encode().hex(),
        *(base64.b64encode((before + secret).encode()).decode() for before in ("", "u", "us", "user:")),
        *(base64.urlsafe_b64encode((before + secret).encode()).decode() for before in ("", "u", "us")),
    ]
    for form in forms:
        assert secrets.found_in(f"before {form} after".encode()) == ["it"], form
    assert secrets.found_in(canary(0).encode()) == []
    assert len(set(spellings(core_of(0)))) == 6

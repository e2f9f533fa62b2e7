"""Which settings are secret is said by the plugins, and by meltano.yml in the same words; it holds none of them."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from tests.generated import PLUGINS, ROOT

if TYPE_CHECKING:
    from singer_sdk.plugin_base import PluginBase


def about(plugin: type[PluginBase]) -> dict[str, Any]:
    """What `--about --format=json` prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        result = CliRunner().invoke(plugin.cli, ["--about", "--format=json"])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def project() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    return document


def sensitive() -> dict[str, set[str]]:
    """Plugin -> its sensitive settings in meltano.yml."""
    plugins = project()["plugins"]
    return {
        plugin["name"]: {each["name"] for each in plugin.get("settings", ()) if each.get("sensitive")}
        for kind in ("extractors", "loaders")
        for plugin in plugins[kind]
    }


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_the_secret_settings_of_about_are_the_sensitive_ones_of_meltano(plugin: type[PluginBase]) -> None:
    properties = about(plugin)["settings"]["properties"]
    secret = {name for name, schema in properties.items() if schema.get("secret") or schema.get("writeOnly")}
    assert secret
    assert sensitive()[plugin.name] == secret


def test_meltano_yml_holds_no_secret_but_the_public_ones_of_the_sandbox() -> None:
    document, names = project(), sensitive()
    configured = [
        ("project", plugin["name"], plugin.get("config", {}))
        for kind in ("extractors", "loaders")
        for plugin in document["plugins"][kind]
    ]
    configured += [
        (environment["name"], plugin["name"], plugin.get("config", {}))
        for environment in document["environments"]
        for kind in environment.get("config", {}).get("plugins", {}).values()
        for plugin in kind
    ]
    found = {
        (place, plugin, name): str(value)
        for place, plugin, config in configured
        for name, value in config.items()
        if name in names.get(plugin, ())
    }
    assert {place for place, _, _ in found} == {"sandbox"}
    public = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "sandbox").glob("*/__init__.py")
    )
    for key, value in found.items():
        assert json.dumps(value) in public, key

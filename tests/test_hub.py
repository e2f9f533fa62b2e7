"""The Meltano Hub definitions: as the Hub wants them, and usable from another project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.generated import PLUGINS, ROOT, meltano_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from singer_sdk.plugin_base import PluginBase

NAMES = [plugin.name for plugin in PLUGINS]
# keys that the Hub's schema knows for a definition of a tap or target; others are refused there
HUB_KEYS = {
    "capabilities", "commands", "description", "docs", "domain_url", "executable", "keywords", "label", "log_parser",
    "logo_url", "maintenance_status", "name", "namespace", "pip_url", "quality", "repo", "select", "settings",
    "settings_group_validation", "settings_preamble", "supported_python_versions", "variant",
}  # fmt: skip
HUB_SETTING_KEYS = {"description", "kind", "label", "name", "options", "sensitive", "value"}


def hub_definition(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / name / "meltano-hub.yml").read_text(encoding="utf-8"))
    return content


def mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for value in (
        content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    ):
        yield from mappings(value)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_definition_keeps_the_rules_of_the_hub(plugin: type[PluginBase]) -> None:
    content = hub_definition(plugin.name)
    assert set(content) <= HUB_KEYS
    assert {"name", "namespace", "variant", "quality"} <= set(content)
    assert all(list(each) == sorted(each) for each in mappings(content)), "the Hub lints the order of keys"
    assert content["capabilities"] == sorted(content["capabilities"])
    names = [setting["name"] for setting in content["settings"]]
    assert names == sorted(setting["name"] for setting in meltano_settings(plugin))
    assert all(set(setting) <= HUB_SETTING_KEYS for setting in content["settings"])
    assert not any(setting.get("value") for setting in content["settings"] if setting.get("sensitive"))
    assert all(re.fullmatch(r"3\.\d+", version) for version in content["supported_python_versions"])
    for group in content["settings_group_validation"]:
        assert set(group) <= set(names)
    for setting in content["settings"]:
        assert all(isinstance(option["value"], str) for option in setting.get("options", ()))


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_is_one_that_meltano_understands(name: str) -> None:
    schema = json.loads((files("meltano") / "schemas" / "meltano.schema.json").read_text())
    kind = "loaders" if name.startswith("target-") else "extractors"
    # what the Hub knows and a project does not
    known = {
        key: value for key, value in hub_definition(name).items() if key not in {"quality", "domain_url"}
    }
    for key in ("keywords", "label", "maintenance_status", "settings_preamble", "log_parser", "description"):
        known.pop(key)
    known.pop("supported_python_versions")
    problems = list(jsonschema.Draft7Validator(schema).iter_errors({"plugins": {kind: [known]}}))
    assert [problem.message for problem in problems] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_logo_is_a_small_drawing_without_text_or_scripts(name: str) -> None:
    logo = ROOT / name / "logo.svg"
    drawing = ET.fromstring(logo.read_bytes())  # noqa: S314 - our own
    tags = {element.tag.rpartition("}")[2] for element in drawing.iter()}
    assert tags <= {"svg", "path", "circle"}
    assert drawing.get("viewBox") == "0 0 64 64"
    assert logo.stat().st_size < 2000
    assert hub_definition(name)["logo_url"].endswith(f"/{name.partition('-')[2]}.svg")


@pytest.mark.network
@pytest.mark.timeout(900)
def test_another_project_adds_the_plugins_by_their_definitions_and_runs_them(tmp_path: Path) -> None:
    """`meltano add --from-ref`, with the sources of this clone instead of those of the repository's address."""
    meltano = shutil.which("meltano", path=os.path.dirname(sys.executable))  # noqa: PTH120 - as which wants it
    assert meltano
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MELTANO_", "TAP_", "TARGET_", "VIRTUAL_ENV"))
    } | {
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "NO_COLOR": "1",
    }

    def run(*arguments: str) -> str:
        result = subprocess.run(
            [meltano, *arguments],
            cwd=tmp_path / "project" if (tmp_path / "project").exists() else tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    run("init", "project")
    for name in ("tap-acumatica", "target-tableau"):
        content = hub_definition(name)
        content["pip_url"] = str(ROOT / name)
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        run("add", "--from-ref", str(path), name)
    added = yaml.safe_load((tmp_path / "project" / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    assert [one["name"] for one in added["extractors"] + added["loaders"]] == [
        "tap-acumatica",
        "target-tableau",
    ]
    assert "Books" not in run("invoke", "tap-acumatica", "--version")
    run("config", "set", "tap-acumatica", "base_url", "http://127.0.0.1:9/acme")
    printed = run("config", "print", "tap-acumatica", "--format=json")
    assert '"emit_activate_version_messages": true' in printed
    assert "target-tableau v" in run("invoke", "target-tableau", "--version")

"""Meltano Hub definitions: what `--about` tells, and what meltano.yml gives the plugin, as the Hub writes it.

Keys are in alphabetical order at every level and settings by name, because the Hub's lint wants it.
"""

from __future__ import annotations

import functools
import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

import yaml
from click.testing import CliRunner

if TYPE_CHECKING:
    from pathlib import Path

    from singer_sdk.plugin_base import PluginBase

_LABELS: Final = {
    "tap-acumatica": ("Acumatica", "https://www.acumatica.com/"),
    "tap-epicor-kinetic": ("Epicor Kinetic", "https://www.epicor.com/"),
    "tap-exact-online": ("Exact Online", "https://www.exact.com/"),
    "tap-sage-intacct": ("Sage Intacct", "https://www.sage.com/en-us/sage-business-cloud/intacct/"),
    "tap-syspro": ("SYSPRO", "https://www.syspro.com/"),
    "target-tableau": ("Tableau", "https://www.tableau.com/"),
}
_PREAMBLE: Final = {
    "extractors": (
        "Columns with bank, card, tax and personal data are offered, but left out by the `select` rules of this "
        "definition. With target-tableau, copy the plugin's entries of `delete_match`, `replace_within` and "
        "`references` from the [project]({repository}/blob/main/meltano.yml): they tell the loader which lines belong "
        "to which document, and how deletions find their rows."
    ),
    "loaders": (
        "Without `server_url` only extracts are made. Rules for the five ERP taps of the same repository stand in its "
        "[project]({repository}/blob/main/meltano.yml)."
    ),
}


def repository(root: Path) -> str:
    """Where the project lives, as pyproject.toml tells."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"])


def about(plugin: type[PluginBase]) -> dict[str, Any]:
    """What a plugin tells about itself on the command line."""
    result = CliRunner().invoke(plugin.cli, ["--about", "--format=json"], catch_exceptions=False)
    told: dict[str, Any] = json.loads(result.output[result.output.index("{") :])
    return told


@functools.cache
def _project(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "meltano.yml").read_text(encoding="utf-8"))
    return loaded


def definition(root: Path, plugin: type[PluginBase], settings: list[dict[str, Any]]) -> str:
    """A plugin's `meltano-hub.yml`.

    Args:
        root: The project's folder.
        plugin: The plugin.
        settings: Its settings as meltano.yml has them.
    """
    told = about(plugin)
    name = str(told["name"])
    kind = "loaders" if name.startswith("target-") else "extractors"
    project = _project(root)
    (entry,) = [one for one in project["plugins"][kind] if one["name"] == name]
    where = repository(root)
    label, domain = _LABELS[name]
    content: dict[str, Any] = {
        "capabilities": sorted(told["capabilities"]),
        "description": told["description"],
        "docs": f"{where}/blob/main/{name}/README.md",
        "domain_url": domain,
        "executable": name,
        "keywords": ["erp", "meltano_sdk"] if kind == "extractors" else ["bi", "meltano_sdk"],
        "label": label,
        "log_parser": "singer-sdk",
        "logo_url": f"/assets/logos/{kind}/{name.partition('-')[2]}.svg",
        "maintenance_status": "active",
        "name": name,
        "namespace": entry["namespace"],
        "pip_url": f"git+{where}.git#subdirectory={name}",
        "quality": "unknown",
        "repo": where,
        "settings": sorted((_setting(one, told, entry) for one in settings), key=lambda one: one["name"]),
        "settings_group_validation": [sorted(told["settings"].get("required") or ["output_dir"])],
        "settings_preamble": _PREAMBLE[kind].format(repository=where),
        "supported_python_versions": told["supported_python_versions"],
        "variant": where.split("/")[-2].lower(),
    }
    for key in ("commands", "select"):
        if key in entry:
            content[key] = entry[key]
    return yaml.safe_dump(content, sort_keys=True, allow_unicode=True, width=100)


def _setting(setting: dict[str, Any], told: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """A setting with its default: what the project has chosen for everybody, else the plugin's own."""
    name = setting["name"]
    value = told["settings"]["properties"].get(name, {}).get("default")
    chosen = entry.get("config", {}).get(name)
    if isinstance(chosen, str | bool | int):
        value = chosen
    # the loader keeps sources apart by the extractor's name, and its files in the project
    value = {"source": "$MELTANO_EXTRACTOR_NAME", "output_dir": "$MELTANO_PROJECT_ROOT/output"}.get(
        name, value
    )
    return setting if value in (None, "", [], {}) else {**setting, "value": value}

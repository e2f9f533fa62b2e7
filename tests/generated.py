"""Parts of the project that are written from the plugins' own settings, so that they cannot drift apart.

`python -m tests.generated` writes them; a test fails when they are not what it would write. They are the settings
in meltano.yml, the settings tables in the READMEs, the costs of the schedules, the table of what was measured, the
Meltano Hub definitions, and `.env.example`.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_acumatica.tap import TapAcumatica
from tap_epicor_kinetic.tap import TapEpicorKinetic
from tap_exact_online.tap import TapExactOnline
from tap_sage_intacct.tap import TapSageIntacct
from tap_syspro.tap import TapSyspro
from target_tableau.target import TargetTableau
from tests.benchmarks import table
from tests.hub import definition
from tests.schedules import costs

if TYPE_CHECKING:
    from singer_sdk.plugin_base import PluginBase

ROOT = Path(__file__).parent.parent
MEASURED = ROOT / "tests" / "benchmarks" / "measured.json"
PLUGINS: tuple[type[PluginBase], ...] = (
    TapAcumatica,
    TapEpicorKinetic,
    TapExactOnline,
    TapSageIntacct,
    TapSyspro,
    TargetTableau,
)

_KINDS = {
    "integer": "integer",
    "boolean": "boolean",
    "object": "object",
    "array": "array",
    "string": "string",
}
_BUILT_IN = re.compile(
    r"^(stream_maps|stream_map_config|flattening_|faker_config|add_record_metadata|validate_|batch_config)"
)


def settings_of(plugin: type[PluginBase]) -> dict[str, dict[str, Any]]:
    """A plugin's own settings, without those that the SDK gives to every plugin."""
    properties: dict[str, dict[str, Any]] = plugin.config_jsonschema["properties"]
    return {name: schema for name, schema in properties.items() if not _BUILT_IN.match(name)}


def built_in_settings_of(plugin: type[PluginBase]) -> dict[str, dict[str, Any]]:
    """The settings that the SDK adds."""
    schema: dict[str, Any] = json.loads(json.dumps(plugin.config_jsonschema))
    plugin.append_builtin_config(schema)
    own = settings_of(plugin)
    return {name: prop for name, prop in schema["properties"].items() if name not in own}


def meltano_setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A setting as meltano.yml and the Hub know it.

    Dates are texts there, not `date_iso8601`: Meltano would guess what 02.03.2025 means, and take it for 3 February.
    """
    types = schema.get("type", "string")
    kind = next(_KINDS[one] for one in ([types] if isinstance(types, str) else types) if one in _KINDS)
    setting: dict[str, Any] = {"name": name, "label": schema.get("title", name), "kind": kind}
    choices = [choice for choice in schema.get("enum", ()) if choice is not None]
    if choices and kind == "string":
        setting["kind"] = "options"
        setting["options"] = [{"label": str(choice), "value": choice} for choice in choices]
    if schema.get("secret") or schema.get("writeOnly"):
        setting["sensitive"] = True
    setting["description"] = schema.get("description", "")
    return setting


def meltano_settings(plugin: type[PluginBase]) -> list[dict[str, Any]]:
    """All settings of a plugin as Meltano knows them, those that the SDK adds included."""
    settings = settings_of(plugin) | {
        name: schema for name, schema in built_in_settings_of(plugin).items() if not name.startswith("faker_")
    }
    return [meltano_setting(name, schema) for name, schema in settings.items()]


def meltano_yml(text: str) -> str:
    """meltano.yml with the settings of every plugin filled in."""
    for plugin in PLUGINS:
        block = yaml.safe_dump(
            {"settings": meltano_settings(plugin)}, sort_keys=False, allow_unicode=True, width=110
        )
        indented = "".join(f"    {line}\n" for line in block.splitlines())
        text = re.sub(
            rf"(    # settings of {plugin.name}: [^\n]*\n).*?(    # end of settings\n)",
            lambda found, new=indented: found[1] + new + found[2],  # type: ignore[misc]
            text,
            count=1,
            flags=re.DOTALL,
        )
    return text


def settings_table(plugin: type[PluginBase]) -> str:
    """The settings of a plugin as a Markdown table."""
    schema = plugin.config_jsonschema
    required = set(schema.get("required", ()))
    lines = ["| Setting | Default | What it does |", "| --- | --- | --- |"]
    for name, setting in settings_of(plugin).items():
        default = setting.get("default")
        shown = "" if default in (None, "", {}, []) else f"`{json.dumps(default)}`".replace('"', "")
        said = [
            word
            for word, holds in (("required", name in required), ("secret", setting.get("secret")))
            if holds
        ]
        marks = f" ({', '.join(said)})" if said else ""
        description = " ".join(str(setting.get("description", "")).split()).replace("|", "\\|")
        lines.append(f"| `{name}`{marks} | {shown} | {description} |")
    return "\n".join(lines) + "\n"


def between(text: str, marker: str, content: str) -> str:
    """A text with what stands between two markers replaced."""
    return re.sub(
        rf"(<!-- {marker}[^\n]*-->\n).*?(<!-- end of {marker} -->)",
        lambda found: found[1] + content + found[2],
        text,
        flags=re.DOTALL,
    )


def env_example() -> str:
    """`.env.example`: every secret and every required setting, empty, with what it is.

    Lists and choices are commented out: Meltano stops at an empty one, with a traceback.
    """
    lines = [
        "# Copy to .env and fill in; .env is never committed. Meltano reads it by itself.",
        "# Lines that you leave empty count as not set. Take the # off a line with a list or a choice to use it.",
        "# Written by `uv run python -m tests.generated`.",
        "MELTANO_ENVIRONMENT=prod",
    ]
    wanted = (
        "base_url",
        "companies",
        "tenant",
        "username",
        "companies",
        "odata_username",
        "operator",
        "start_date",
        "client_id",
        "company_id",
        "user_id",
        "sender_id",
        "region",
        "redirect_uri",
        "divisions",
        "server_url",
        "site",
        "project",
        "token_name",
    )
    for plugin in PLUGINS:
        prefix = plugin.name.upper().replace("-", "_")
        lines += ["", f"# {plugin.name}"]
        for name, setting in settings_of(plugin).items():
            # an empty line would be no object
            if (setting.get("secret") and "object" not in setting["type"]) or name in wanted:
                told = " ".join(f"{setting['title']}: {setting['description']}".split())
                lines += textwrap.wrap(told, 118, initial_indent="# ", subsequent_indent="# ")
                lines.append(f"{_env_line(f'{prefix}_{name.upper()}', setting)}")
    return "\n".join(lines) + "\n"


def _env_line(variable: str, setting: dict[str, Any]) -> str:
    """A line to fill in, or one that is commented out where empty is not allowed."""
    if "array" in setting["type"]:
        kinds = setting["items"]["type"]
        return f"#{variable}=[123456]" if "integer" in kinds else f'#{variable}=["CODE"]'
    return f"#{variable}={setting['default']}" if "enum" in setting else f"{variable}="


def paths() -> list[Path]:
    """Every file that is generated, or has a part that is."""
    of_plugins = [
        ROOT / plugin.name / name for plugin in PLUGINS for name in ("README.md", "meltano-hub.yml")
    ]
    return [ROOT / "meltano.yml", *of_plugins, ROOT / "README.md", ROOT / ".env.example"]


@functools.cache
def generated() -> dict[Path, str]:
    """Every generated file with the content it must have; it asks every plugin for all that it can do."""
    files = {ROOT / "meltano.yml": meltano_yml((ROOT / "meltano.yml").read_text(encoding="utf-8"))}
    for plugin in PLUGINS:
        path = ROOT / plugin.name / "README.md"
        files[path] = between(path.read_text(encoding="utf-8"), "settings", settings_table(plugin))
        files[ROOT / plugin.name / "meltano-hub.yml"] = definition(ROOT, plugin, meltano_settings(plugin))
    front = between((ROOT / "README.md").read_text(encoding="utf-8"), "schedules", costs.table())
    files[ROOT / "README.md"] = between(front, "speed", table.kept(MEASURED))
    files[ROOT / ".env.example"] = env_example()
    return files


def main() -> int:
    """Write what is out of date."""
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

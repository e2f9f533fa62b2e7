"""The project itself: what is generated is up to date, and what is promised about files holds."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from tests.generated import PLUGINS, ROOT, generated, meltano_setting, paths, settings_of
from tests.pins import with_pins

if TYPE_CHECKING:
    from pathlib import Path


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    return [ROOT / name for name in names.splitlines() if (ROOT / name).exists()]


@pytest.mark.parametrize("path", sorted(paths()), ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_parts_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run: uv run python -m tests.generated"


def test_all_that_is_generated_is_compared() -> None:
    assert set(generated()) == set(paths())


def test_meltano_yml_is_valid_against_meltanos_own_schema() -> None:
    schema = json.loads((files("meltano") / "schemas" / "meltano.schema.json").read_text())
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    problems = [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(project)
    ]
    assert problems == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_setting_is_user_documentation(plugin: type) -> None:
    for name, schema in settings_of(plugin).items():
        assert schema.get("title"), name
        assert len(schema.get("description", "")) > 20, name
        assert "number" not in str(schema.get("type")), f"{name}: Meltano cannot pass floats"
        secret = bool(re.search(r"password|secret$|token_value|refresh_token|_key$", name))
        assert not secret or meltano_setting(name, schema).get("sensitive"), name


def test_no_package_index_and_no_path_of_a_machine_is_in_the_project() -> None:
    forbidden = re.compile(r"pythonhosted|pypi\.org|/(?:root|home/\w+)/|registry\.npmjs")
    for path in tracked():
        if path.name != "test_project.py":
            assert not forbidden.search(path.read_bytes().decode(errors="replace")), path  # pictures too


def test_the_first_run_on_real_books_added_to_the_extracts_of_the_demo() -> None:
    environments = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["environments"]
    folders = [
        loader["config"].get("output_dir", "output")
        for environment in environments
        for loader in environment["config"]["plugins"]["loaders"]
        if loader["name"] == "target-tableau"
    ]
    assert len(folders) == len(set(folders)) == len(environments)


def test_a_line_of_env_that_was_left_empty_stopped_meltano_with_a_traceback() -> None:
    kinds = {
        f"{plugin.name.upper().replace('-', '_')}_{name.upper()}": meltano_setting(name, schema)["kind"]
        for plugin in PLUGINS
        for name, schema in settings_of(plugin).items()
    }
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    empty = [line.removesuffix("=") for line in lines if line.endswith("=") and not line.startswith("#")]
    assert len(empty) > 30
    assert {kinds[name] for name in empty} == {"string"}


def test_meltano_took_a_date_in_the_german_form_for_one_in_the_american() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    dates = [
        setting["kind"]
        for plugin in project["plugins"]["extractors"]
        for setting in plugin.get("settings", ())
        if setting["name"] in {"start_date", "end_date"}
    ]
    assert dates == ["string"] * 10  # so that the tap sees what was written, and refuses it


def test_what_is_private_is_read_only_by_name_wherever_streams_are_selected() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    included = yaml.safe_load((ROOT / "orchestrate" / "schedules.meltano.yml").read_text(encoding="utf-8"))
    own = {tap["name"]: tap.get("select", ["*.*"]) for tap in project["plugins"]["extractors"]}
    others = [
        *included["plugins"]["extractors"],
        *(
            tap
            for environment in project["environments"]
            for tap in environment.get("config", {}).get("plugins", {}).get("extractors", ())
        ),
    ]
    assert others
    for tap in others:
        base = own[tap.get("inherit_from", tap["name"])]
        private = {pattern for pattern in base if pattern.startswith("!")}
        assert private <= set(tap.get("select", base)), tap["name"]


def test_how_settings_are_checked_is_the_same_in_packages_that_are_released_apart() -> None:
    copies = [ROOT / plugin.name / plugin.name.replace("-", "_") / "checks.py" for plugin in PLUGINS]
    assert len({copy.read_text(encoding="utf-8") for copy in copies}) == 1


def test_every_dependency_of_every_package_is_pinned() -> None:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    pinned = {pin.partition("==")[0] for pin in pins}
    for path in [ROOT / "pyproject.toml", *(ROOT / plugin.name / "pyproject.toml" for plugin in PLUGINS)]:
        project = tomllib.loads(path.read_text())
        wanted = project["project"]["dependencies"] + project.get("dependency-groups", {}).get("dev", [])
        names = {re.split(r"[\[<>=~! ]", one)[0].lower() for one in wanted}
        assert names - {plugin.name for plugin in PLUGINS} <= pinned


def test_pins_are_replaced_as_a_whole() -> None:
    text = "a = 1\nconstraint-dependencies = []\n[b]\n"
    once = with_pins(text, ["x==1", "y==2"])
    assert once == 'a = 1\nconstraint-dependencies = [\n    "x==1",\n    "y==2",\n]\n[b]\n'
    assert with_pins(once, []) == text

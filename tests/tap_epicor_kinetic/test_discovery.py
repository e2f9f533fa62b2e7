"""What an instance offers: asked once, kept, and asked again where it is not enough."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_epicor_kinetic.discovery import EntitySet, calculated, parse, sample
from tap_epicor_kinetic.errors import CallBudgetSpentError
from tap_epicor_kinetic.store import Store
from tap_epicor_kinetic.streams import SOURCES
from tap_epicor_kinetic.tap import TapEpicorKinetic
from tests.sandbox.epicor_kinetic.switches import Switches
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import catalog_of, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap_epicor_kinetic.conftest import Instance

CSDL = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Epicor" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Base"><Key><PropertyRef Name="Company"/></Key>
<Property Name="Company" Type="Edm.String"/></EntityType>
<EntityType Name="Head" BaseType="Epicor.Base"><Key><PropertyRef Name="Company"/><PropertyRef Name="Num"/></Key>
<Property Name="Num" Type="Edm.Int32" Nullable="false"/><Property Name="BitFlag" Type="Edm.Int32"/>
<Property Name="NumName" Type="Edm.String"/>
<NavigationProperty Name="Lines" Type="Collection(Epicor.Line)"/></EntityType>
<EntityType Name="Line"><Property Name="Qty" Type="Edm.Decimal"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Heads" EntityType="Epicor.Head"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_sets_types_keys_and_child_rows_are_read_from_the_description() -> None:
    sets = parse(CSDL)
    assert sets["Heads"].keys == ("Company", "Num")
    assert sets["Heads"].columns[:2] == (("Company", "Edm.String"), ("Num", "Edm.Int32"))
    assert sets["Lines"] == EntitySet((("Qty", "Edm.Decimal"),))
    assert calculated(sets["Heads"]) == {"NumName"}


def test_all_streams_of_the_tap_are_offered_by_the_sandbox(instance: Instance) -> None:
    tap = TapEpicorKinetic(config=instance.config, setup_mapper=False)
    assert set(tap.streams) == {source.stream for source in SOURCES}
    assert tap.left_out == {}
    for source in SOURCES:
        keys = list(tap.streams[source.stream].primary_keys)
        assert keys[0] == "company"
        assert len(keys) == len(source.keys) + 1, source.stream
        if not source.nested:
            assert tap.streams[source.stream].replication_key == "sys_rev_id"


def test_useful_columns_of_the_declarations_exist_on_the_server(instance: Instance) -> None:
    """A name that nobody has, is a typo in the table of streams."""
    tap = TapEpicorKinetic(config=instance.config, setup_mapper=False)
    for source in SOURCES:
        known = {column.source for column in tap.streams[source.stream].columns}  # type: ignore[attr-defined]
        found = [name for name in source.useful if name in known]
        assert len(found) >= len(source.keys) + 2 or not source.useful, source.stream


def test_descriptions_are_kept_and_shared_by_runs(instance: Instance) -> None:
    run_tap(instance.config, "terms", "vendors")
    assert instance.script.count("metadata") == 2
    run_tap(instance.config, "terms", "vendors")
    assert instance.script.count("metadata") == 2
    run_tap(instance.with_(discovery_max_age_minutes=0), "terms")
    assert instance.script.count("metadata") == 4


def test_a_run_with_a_catalog_asks_for_the_selected_services_alone(instance: Instance) -> None:
    catalog = catalog_of(instance.config, "terms", "vendors")
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "vendors":
            for part in entry["metadata"]:
                if not part["breadcrumb"]:
                    part["metadata"]["selected"] = False
    instance.script.clear()
    run_tap(instance.with_(discovery_max_age_minutes=0), "terms", "vendors", catalog=catalog)
    asked = [call.path for call in instance.script.calls if call.path.endswith("metadata")]
    assert asked == ["/kinetic/api/v2/odata/EPIC06/Erp.BO.TermsSvc/$metadata"]


def test_a_service_that_this_release_lacks_is_left_out_and_named(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(switches=Switches(missing_services=frozenset({"Erp.BO.PartPlantSearchSvc"})))
    with caplog.at_level(logging.INFO):
        run = run_tap(instance.with_(companies=["EPIC06"]), "terms", "part_sites")
    assert "part_sites: left out." in caplog.text
    assert run.tap.exit_code == 0
    assert run.rows("terms")


def test_a_set_that_is_not_there_is_left_out_with_those_that_are(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    run_tap(instance.with_(sources={"vendors": "Erp.BO.VendorSvc/VendorHeaders"}), "terms", "vendors")
    assert "has no entity set VendorHeaders; it has: " in caplog.text
    assert "Vendors" in caplog.text


def test_a_service_that_one_company_lacks_is_described_by_another(instance: Instance) -> None:
    instance.script.add(Fault(r"EPIC06/Erp.BO.TermsSvc/\$metadata", status=403))
    assert run_tap(instance.config, "terms").rows("terms")


def test_discovery_that_runs_out_of_calls_goes_on_in_the_next_run(instance: Instance) -> None:
    config = instance.with_(max_calls_per_run=15)
    for _ in range(2):
        tap = TapEpicorKinetic(config=config, setup_mapper=False)
        with pytest.raises(CallBudgetSpentError):
            _ = tap.streams
    tap = TapEpicorKinetic(config=config, setup_mapper=False)
    assert len(tap.streams) == len(SOURCES)


def test_a_folder_that_cannot_be_written_costs_calls_and_no_data(
    instance: Instance, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    run = run_tap(instance.with_(cache_path=str(tmp_path / "file" / "cache")), "terms")
    assert run.rows("terms")
    assert "cache_path: cannot write" in caplog.text


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 0}'])
def test_a_kept_file_that_is_broken_or_of_another_version_is_ignored(
    instance: Instance, tmp_path: Path, content: str
) -> None:
    run_tap(instance.with_(cache_path=str(tmp_path)), "terms")
    files = list(tmp_path.glob("*-schema.json"))
    assert len(files) == 1
    files[0].write_text(content)
    assert run_tap(instance.with_(cache_path=str(tmp_path)), "terms").rows("terms")


def test_files_of_different_instances_stand_side_by_side(tmp_path: Path) -> None:
    one, other = Store(tmp_path, "a"), Store(tmp_path, "b")
    one.write("x", {"n": 1})
    other.write("x", {"n": 2})
    assert (one.read("x"), other.read("x")) == ({"n": 1}, {"n": 2})


def test_a_sample_tells_types_from_values() -> None:
    class Rows:
        """A client that gives these rows."""

        class site:  # noqa: N801 - stands in for an attribute
            @staticmethod
            def company(company: str, path: str) -> str:
                return f"{company}/{path}"

        def get(self, url: str, params: dict[str, Any]) -> dict[str, Any]:
            assert (url, params["P"]) == ("C/BaqSvc/X/Data", "1")
            rows = [
                {"A": None, "B": 1, "C": True, "D": "2026-01-02T00:00:00", "E": "x", "@odata.etag": "y"},
                {"A": "t", "B": 1.5, "C": None, "D": None, "E": "z"},
            ]
            return {"value": rows}

    found = sample(Rows(), "C", "BaqSvc/X/Data", {"P": "1"})  # type: ignore[arg-type]
    assert dict(found.columns) == {
        "A": "Edm.String",
        "B": "Edm.Decimal",
        "C": "Edm.Boolean",
        "D": "Edm.DateTimeOffset",
        "E": "Edm.String",
    }

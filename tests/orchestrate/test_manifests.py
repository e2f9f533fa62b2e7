"""The manifests for Kubernetes say what the local instance says, and their companies file is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from orchestrate.companies import read_companies
from orchestrate.runs import GRACE_SECONDS
from tests.end_to_end.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "orchestrate"


def manifests() -> dict[tuple[str, str], Any]:
    documents = [
        document
        for path in sorted((FOLDER / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def test_the_instance_on_kubernetes_has_the_settings_of_the_local_one() -> None:
    there = yaml.safe_load(manifests()["ConfigMap", "erp-dagster"]["data"]["dagster.yaml"])
    here = yaml.safe_load((FOLDER / "dagster.yaml").read_text(encoding="utf-8"))
    assert {name: there[name] for name in here} == here
    launcher = there["run_launcher"]["config"]["run_k8s_config"]
    assert launcher["pod_spec_config"]["termination_grace_period_seconds"] > GRACE_SECONDS


def test_the_companies_file_on_kubernetes_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "companies.yml"
    file.write_text(manifests()["ConfigMap", "erp-companies"]["data"]["companies.yml"], encoding="utf-8")
    companies = read_companies(file)
    assert set(companies.companies) == {"acme", "acme_east"}


def test_what_the_pods_mount_and_call_is_there() -> None:
    found = manifests()
    for (kind, _), manifest in found.items():
        if kind != "Deployment":
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert ("ServiceAccount", pod["serviceAccountName"]) in found
        for volume in pod["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in found
    workspace = yaml.safe_load(found["ConfigMap", "erp-dagster"]["data"]["workspace.yaml"])
    server = workspace["load_from"][0]["grpc_server"]
    assert found["Service", server["host"]]["spec"]["ports"][0]["port"] == server["port"]

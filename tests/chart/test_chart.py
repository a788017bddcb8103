"""The chart: what it installs, with which rights, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import binaries

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "trainingrun-operator"
GOLDEN = Path(__file__).parent / "golden"
RELEASE, NAMESPACE = "trainingrun-operator", "trainingrun-system"

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def helm() -> Path:
    return binaries.ensure("helm")["helm"]


@pytest.fixture(scope="session")
def kubectl() -> Path:
    return binaries.ensure("kubectl")["kubectl"]


def ask(helm: Path, *values: str) -> subprocess.CompletedProcess[str]:
    # A helm that is built from source takes its libraries' idea of a cluster's version otherwise.
    argv = [str(helm), "template", RELEASE, str(CHART), "-n", NAMESPACE, "--kube-version", "1.34.0"]
    for value in values:
        argv += ["--set", value]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=50)


def template(helm: Path, *values: str) -> list[Manifest]:
    done = ask(helm, *values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def aggregated(role: Manifest) -> bool:
    """Whether a role is for users, by way of `view`, `edit` and `admin`."""
    return any("/aggregate-to-" in label for label in role["metadata"]["labels"])


def rights(manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Each of the operator's roles with where it holds and what it allows, in a stable order."""
    return sorted(
        (
            {
                "role": f"{role['kind']} {role['metadata']['name']}",
                "namespace": role["metadata"].get("namespace", ""),
                "rules": role["rules"],
            }
            for role in of_kind(manifests, "Role", "ClusterRole")
            if not aggregated(role)
        ),
        key=lambda role: (role["role"], role["namespace"]),
    )


def operator_env(manifests: list[Manifest]) -> dict[str, str]:
    (deployment,) = of_kind(manifests, "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def test_the_chart_passes_helm_s_own_lint(helm: Path) -> None:
    argv = [str(helm), "lint", "--strict", str(CHART)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("golden", "values"),
    [("cluster-wide.yaml", ()), ("namespaced.yaml", ("watchNamespaces={research,vision}",))],
)
def test_the_operator_has_exactly_these_rights(
    helm: Path, golden: str, values: tuple[str, ...]
) -> None:
    assert rights(template(helm, *values)) == yaml.safe_load((GOLDEN / golden).read_text())


def test_no_right_is_a_wildcard(helm: Path) -> None:
    rules = [rule for role in rights(template(helm)) for rule in role["rules"]]
    words = {word for rule in rules for key in ("verbs", "resources") for word in rule[key]}
    assert "*" not in words


def test_secrets_are_read_in_the_operator_s_own_namespace_only(helm: Path) -> None:
    roles = rights(template(helm))
    reading = [
        role["namespace"]
        for role in roles
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    ]
    assert set(reading) == {NAMESPACE}


@pytest.mark.parametrize(
    ("part_of", "verbs"),
    [
        ("view", {"get", "list", "watch"}),
        ("edit", {"create", "delete", "deletecollection", "patch", "update"}),
    ],
)
def test_a_user_of_a_namespace_may_do_with_runs_what_they_may_with_workloads(
    helm: Path, part_of: str, verbs: set[str]
) -> None:
    label = f"rbac.authorization.k8s.io/aggregate-to-{part_of}"
    (role,) = (
        role
        for role in of_kind(template(helm), "ClusterRole")
        if label in role["metadata"]["labels"]
    )
    (rule,) = role["rules"]
    assert (rule["resources"], set(rule["verbs"])) == (["trainingruns"], verbs)


def test_roles_for_users_can_be_left_out(helm: Path) -> None:
    roles = of_kind(template(helm, "userRoles.create=false"), "ClusterRole")
    assert not any(map(aggregated, roles))


def test_in_namespaces_of_its_own_the_operator_watches_these(helm: Path) -> None:
    env = operator_env(template(helm, "watchNamespaces={research,vision}"))
    assert env["TRAININGRUN_NAMESPACES"] == "research,vision"


def test_workers_report_to_the_service(helm: Path) -> None:
    manifests = template(helm)
    (service,) = of_kind(manifests, "Service")
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert operator_env(manifests)["TRAININGRUN_PROGRESS_URL"] == f"https://{host}:8443"


def test_without_progress_there_is_no_service(helm: Path) -> None:
    assert of_kind(template(helm, "progress.enabled=false"), "Service") == []


def test_without_progress_no_secret_is_read(helm: Path) -> None:
    roles = rights(template(helm, "progress.enabled=false"))
    resources = {word for role in roles for rule in role["rules"] for word in rule["resources"]}
    assert "secrets" not in resources


def test_the_crd_survives_the_chart(helm: Path) -> None:
    (crd,) = of_kind(template(helm), "CustomResourceDefinition")
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_crd_goes_with_the_chart_where_told(helm: Path) -> None:
    (crd,) = of_kind(template(helm, "crds.keep=false"), "CustomResourceDefinition")
    assert "annotations" not in crd["metadata"]


def test_the_crd_can_be_left_out(helm: Path) -> None:
    assert of_kind(template(helm, "crds.enabled=false"), "CustomResourceDefinition") == []


def test_the_crd_is_the_generated_one(helm: Path) -> None:
    (crd,) = of_kind(template(helm), "CustomResourceDefinition")
    generated = yaml.safe_load((ROOT / "manifests" / "crds" / "trainingruns.yaml").read_text())
    assert crd["spec"] == generated["spec"]


def test_the_operator_runs_once(helm: Path) -> None:
    (deployment,) = of_kind(template(helm), "Deployment")
    spec = deployment["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


@pytest.mark.parametrize(
    "value",
    ["imag.tag=1", "image.tga=1", "watchNamespaces={A_b}", "log.format=xml", "crds.keep=maybe"],
)
def test_a_value_that_means_nothing_is_refused(helm: Path, value: str) -> None:
    assert "values don't meet the specifications of the schema" in ask(helm, value).stderr


def comparable(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    """By kind and name, without what names the tool that installs them."""
    for manifest in manifests:
        template_labels = (
            manifest.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
        )
        for labels in (manifest["metadata"].get("labels", {}), template_labels):
            labels.pop("helm.sh/chart", None)
            labels.pop("app.kubernetes.io/managed-by", None)
    return {(document["kind"], document["metadata"]["name"]): document for document in manifests}


def test_kustomize_installs_what_helm_does(helm: Path, kubectl: Path) -> None:
    argv = [str(kubectl), "kustomize", str(ROOT / "manifests" / "install")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=50)
    static = comparable(list(yaml.safe_load_all(done.stdout)))
    del static["Namespace", NAMESPACE]
    # The same file; kustomize writes its numbers in a form that PyYAML takes for text.
    del static["CustomResourceDefinition", "trainingruns.trainingrun.io"]
    assert static == comparable(template(helm, "crds.enabled=false"))


def test_monitoring_is_installed_only_when_it_is_asked_for(helm: Path) -> None:
    kinds = ("PodMonitor", "PrometheusRule")
    assert of_kind(template(helm), *kinds, "ConfigMap") == []

    asked = ("podMonitor=true", "rules=true", "dashboard=true", "labels.release=prometheus")
    made = template(helm, *(f"monitoring.{value}" for value in asked))

    assert [m["metadata"]["labels"]["release"] for m in of_kind(made, *kinds)] == ["prometheus"] * 2
    (rules,) = of_kind(made, "PrometheusRule")
    assert rules["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    (dashboard,) = of_kind(made, "ConfigMap")
    shown = json.loads(dashboard["data"]["trainingruns.json"])
    assert shown == json.loads((CHART / "files" / "dashboard.json").read_text())
    (monitor,) = of_kind(made, "PodMonitor")
    (deployment,) = of_kind(made, "Deployment")
    pod = deployment["spec"]["template"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {p["name"] for p in pod["spec"]["containers"][0]["ports"]}
    labels = monitor["spec"]["selector"]["matchLabels"]
    assert labels.items() <= pod["metadata"]["labels"].items()


def test_the_operator_is_told_of_an_image_for_xeon_only_where_there_is_one(helm: Path) -> None:
    def told(*values: str) -> str | None:
        (deployment,) = of_kind(template(helm, *values), "Deployment")
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        named = {variable["name"]: variable.get("value") for variable in container["env"]}
        return named.get("TRAININGRUN_IMAGE_XEON")

    assert told() is None
    assert told("trainerImages.xeon=registry.example.org/xeon:1") == "registry.example.org/xeon:1"

"""What a user writes is taken or refused alike by the API server, the operator and the plugin."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kubectl_trainingrun import check
from kubectl_trainingrun.documents import Document, UnreadableError, documents
from tests.api.cluster import Namespace
from tests.api.corpus import document
from tests.api.corpus.by_condition import BY_CONDITION
from tests.api.corpus.invalid import AT_APPLY
from tests.api.corpus.valid import VALID, Right
from tests.api.corpus.wrong import Wrong
from tests.api.running import CountingCluster
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import LaunchPlan, Settings
from trainingrun_operator.render import claims, render

SETTINGS = Settings(image_cpu="example.org/trainer:1", progress_url="https://example.org:8443")
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Service": "/api/v1/namespaces/{}/services",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "PyTorchJob": "/apis/kubeflow.org/v1/namespaces/{}/pytorchjobs",
}
CHANGES = {
    "task": "task: {type: causal-lm, blockSize: 64}",
    "model": "model: {name: another/model}",
    "data": "data: {train: /other}",
    "training": "training: {maxSteps: 101, globalBatchSize: 24}",
    "storage": "storage: {claimName: other}",
}
RULES_LEFT_OUT = "<nil>"
"""On it the server says that the schema's faults kept it from the rules."""
_UNREADABLE = re.compile(r'unknown field "([^"]+)"|Go struct field ObjectMeta\.(name)')
STRICT = {"fieldValidation": "Strict", "fieldManager": "test"}


def applied(namespace: Namespace, text: str, **more: str) -> httpx2.Response:
    """The API server's answer to a user's YAML, read as strictly as kubectl asks it to."""
    path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace.name}/trainingruns"
    yaml = {"Content-Type": "application/yaml"}
    return namespace.http.post(path, params={**STRICT, **more}, content=text, headers=yaml)


def fields(answer: httpx2.Response) -> list[str]:
    """The fields that a refusal names."""
    refusal = answer.json()
    if causes := (refusal.get("details") or {}).get("causes"):
        return sorted({_field(cause) for cause in causes} - {RULES_LEFT_OUT})
    found = _UNREADABLE.findall(refusal["message"])
    return [unknown or f"metadata.{name}" for unknown, name in found]


def _field(cause: dict[str, str]) -> str:
    # Of two equal entries the server names the second, where we name their list.
    duplicate = cause["reason"] == "FieldValueDuplicate"
    return re.sub(r"\[\d+\]$", "", cause["field"]) if duplicate else cause["field"]


def read(text: str, folder: Path) -> Document:
    """The document as the plugin reads it."""
    file = folder / "run.yaml"
    file.write_text(text)
    (only,) = documents(str(file))
    return only


def validated(text: str, folder: Path) -> LaunchPlan:
    """What the plugin makes of the same YAML."""
    return check.plan(read(text, folder), SETTINGS)


def named_by_plugin(text: str, folder: Path) -> list[str]:
    with pytest.raises(check.InvalidError) as caught:
        validated(text, folder)
    return [problem.path for problem in caught.value.problems]


def put(namespace: Namespace, manifest: dict[str, Any]) -> httpx2.Response:
    """The API server's answer to one of the objects that are made for a run."""
    manifest["metadata"]["namespace"] = namespace.name
    path = PATHS[manifest["kind"]].format(namespace.name)
    return namespace.http.post(path, params={**STRICT, "dryRun": "All"}, json=manifest)


def case(entry: Wrong | Right) -> str:
    return entry.what


@pytest.mark.parametrize("wrong", AT_APPLY, ids=case)
def test_what_the_schema_refuses_is_refused_by_the_plugin_for_the_same_field(
    wrong: Wrong, namespace: Namespace, tmp_path: Path
) -> None:
    text = document(wrong.groups, wrong.name)

    answer = applied(namespace, text, dryRun="All")

    assert answer.is_client_error
    assert wrong.word in answer.json()["message"]
    assert (fields(answer), named_by_plugin(text, tmp_path)) == ([wrong.field], [wrong.field])


@pytest.mark.parametrize("wrong", BY_CONDITION, ids=case)
def test_what_only_the_operator_refuses_is_refused_by_the_plugin_for_the_same_field(
    wrong: Wrong, started: CountingCluster, namespace: Namespace, tmp_path: Path
) -> None:
    text = document(wrong.groups, wrong.name)

    applied(namespace, text).raise_for_status()
    condition = namespace.until_condition("Accepted", "False", "InvalidSpec", wrong.name)

    field, _, rest = condition["message"].partition(": ")
    assert wrong.word in rest
    assert (field, named_by_plugin(text, tmp_path)) == (wrong.field, [wrong.field])


def test_a_field_that_is_given_twice_is_refused_by_server_and_plugin(
    namespace: Namespace, tmp_path: Path
) -> None:
    text = document("workers: {count: 1, count: 2}")

    assert 'key "count" already set' in applied(namespace, text).json()["message"]
    with pytest.raises(UnreadableError, match="count is given twice"):
        validated(text, tmp_path)


@pytest.mark.parametrize("right", VALID, ids=case)
def test_a_valid_run_means_the_same_to_the_server_and_to_the_plugin(
    right: Right, namespace: Namespace, tmp_path: Path
) -> None:
    text = document(right.groups, right.name)

    answer = applied(namespace, text, dryRun="All").raise_for_status()

    assert (
        TrainingRun.parse(answer.json()).spec
        == TrainingRun.parse(read(text, tmp_path).manifest).spec
    )


@pytest.mark.parametrize("right", VALID, ids=case)
def test_what_is_rendered_of_a_valid_run_is_taken_by_the_api_server(
    right: Right, namespace: Namespace, tmp_path: Path
) -> None:
    plan = validated(document(right.groups, right.name), tmp_path)
    made = (*claims(plan), *render(plan))

    answers = [put(namespace, manifest) for manifest in made]

    assert [answer.json()["message"] for answer in answers if answer.is_error] == []


def test_the_corpus_is_as_large_as_promised() -> None:
    assert (len(AT_APPLY) + len(BY_CONDITION) >= 60, len(VALID) >= 25) == (True, True)


@pytest.mark.parametrize(("group", "changed"), CHANGES.items(), ids=CHANGES)
def test_what_defines_a_run_cannot_change(group: str, changed: str, namespace: Namespace) -> None:
    applied(namespace, document()).raise_for_status()
    path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace.name}/trainingruns/squad"
    patch = {"Content-Type": "application/apply-patch+yaml"}

    answer = namespace.http.patch(
        path, params=STRICT | {"force": "true"}, content=document(changed), headers=patch
    )

    assert fields(answer) == [f"spec.{group}"]

"""What a user is told about a wrong TrainingRun."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.operator.runs import manifest
from trainingrun_operator.api.problems import problems
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_trainer.config import TaskType

MODEL = {"fromScratch": {}, "tokenizer": {"train": {}}}

TASKS = ", ".join(TaskType)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"task": {}}, f"spec.task.type: is required but absent; write one of {TASKS}"),
    ({"task": {"type": "chat"}}, f"spec.task.type: is 'chat'; write one of {TASKS}"),
    ({"task": None}, "spec.task: is empty; write a group of fields"),
    ({"cpu": []}, "spec.cpu: is a list; write a group of fields"),
    ({"runtime": "tpu"}, "spec.runtime: is 'tpu'; write one of cpu, xeon"),
    ({"traning": {}}, "spec.traning: is not a field; write training"),
    ({"cpu": {"thread_s": 1}}, "spec.cpu.thread_s: is not a field; write threads"),
    (
        {"training": {"maxSteps": 1, "learningRate": 0}},
        "spec.training.learningRate: is 0; write a number above 0, at most 10",
    ),
    (
        {"training": {"maxSteps": 1, "optimizer": {"beta1": 1}}},
        "spec.training.optimizer.beta1: is 1; write a number of at least 0, below 1",
    ),
    (
        {"sharedMemory": {"zzz": 1}},
        "spec.sharedMemory.zzz: is not a field; remove it, or use one of size",
    ),
    ({"workers": {"count": 0}}, "spec.workers.count: is 0; write a whole number from 1 to 1000"),
    (
        {"workers": {"count": "2"}},
        "spec.workers.count: is '2'; write a whole number from 1 to 1000",
    ),
    (
        {"workers": {"processesPerWorker": "two"}},
        "spec.workers.processesPerWorker: is 'two'; write a whole number from 1 to 128 or auto",
    ),
    (
        {"workers": {"resources": {"cpu": 0.5}}},
        "spec.workers.resources.cpu: is 0.5; write a value like 8 or 500m",
    ),
    (
        {"workers": {"env": [{"name": "A", "value": "1"}, {"name": "B"}]}},
        (
            "spec.workers.env[1]: value and secretKey exclude each other, and one is needed; "
            "give exactly one of them"
        ),
    ),
    (
        {"workers": {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}},
        "spec.workers.env: a variable is given more than once; remove all but one",
    ),
    (
        {"workers": {"nodeSelector": {"a b": "c"}}},
        "spec.workers.nodeSelector.a b: is 'a b'; write a value like kubernetes.io/arch",
    ),
    (
        {"image": {"pullSecrets": ["a"] * 9}},
        "spec.image.pullSecrets: has 9 entries; write at most 8",
    ),
    (
        {"data": {"train": "/x", "files": "x" * 300}},
        "spec.data.files: has 300 characters; write at most 256",
    ),
    (
        {"storage": {"claimName": "c", "mountPath": "/etc/passwd"}},
        (
            "spec.storage.mountPath: the image or the operator needs this folder; "
            "mount elsewhere, as at /runs"
        ),
    ),
    (
        {"workers": {"count": 5, "elastic": {"min": 1, "max": 4}}},
        "spec.workers.count: count is not between elastic.min and elastic.max; change one of them",
    ),
    (
        {"model": {**MODEL, "revision": "main"}},
        "spec.model.revision: revision belongs to a model that is named; remove it or give name",
    ),
]


def found(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TrainingRun.parse(document)
    return [str(problem) for problem in problems(caught.value)]


@pytest.mark.parametrize(("spec", "expected"), WRONG, ids=[line for _, line in WRONG])
def test_a_fault_is_told_by_field_and_mend(spec: dict[str, Any], expected: str) -> None:
    assert found(manifest(**spec)) == [expected]


def test_every_fault_is_told_at_once() -> None:
    said = found(manifest(workers={"count": 0}, cpu={"threads": 0}, task={}))
    assert [line.split(":")[0] for line in said] == [
        "spec.task.type",
        "spec.workers.count",
        "spec.cpu.threads",
    ]


def test_an_empty_document_lacks_metadata_and_spec() -> None:
    assert [line.split(":")[0] for line in found({})] == ["metadata", "spec"]


def test_a_name_that_no_service_can_have_is_refused() -> None:
    document = manifest()
    document["metadata"]["name"] = "7up"
    assert found(document) == ["metadata.name: is '7up'; write a value like python-lm"]


def test_python_s_own_field_names_are_not_the_user_s() -> None:
    said = found(manifest(training={"max_steps": 1}))
    assert "spec.training.max_steps: is not a field; write maxSteps" in said


def test_two_broken_rules_of_one_group_are_told_one_by_one() -> None:
    run = manifest(storage={"claimName": "c"})
    run["spec"]["model"] = {}
    run["spec"]["data"] = {"train": "/x", "evaluation": "/y", "evaluationPercent": 5}
    assert len(found(run)) == 2


def test_a_long_value_is_shown_in_part() -> None:
    (line,) = found(manifest(runtime="x" * 5000))
    assert len(line) < 120


@pytest.mark.parametrize("name", ["maxGradNorm", "max_grad_norm"])
def test_an_argument_that_another_field_decides_is_answered_with_that_field(name: str) -> None:
    training = {"maxSteps": 1, "arguments": {name: 1.0}}
    assert found(manifest(training=training)) == [
        f"spec.training.arguments.{name}: is decided by spec.training.maxGradientNorm; remove it"
    ]

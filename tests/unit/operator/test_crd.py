"""The API lint: what a CustomResourceDefinition of ours must and must not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from tests.unit.operator.runs import manifest
from trainingrun_operator.api.changes import (
    APPLIED_AT_ONCE,
    APPLIED_AT_ONCE_IF_ELASTIC,
    Change,
    change,
)
from trainingrun_operator.api.crd import custom_resource_definition, open_api_schema, structural
from trainingrun_operator.api.schema import fields, inlined
from trainingrun_operator.api.v1alpha1 import TrainingRun, TrainingRunSpec

Node = dict[str, Any]

# A quantity or a string serves elsewhere; these are read and written by numeric libraries, and
# nobody compares them for equality.
FLOATS = {
    "spec.task.maskProbability",
    "spec.training.learningRate",
    "spec.training.maxGradientNorm",
    "spec.training.optimizer.weightDecay",
    "spec.training.optimizer.beta1",
    "spec.training.optimizer.beta2",
    "spec.training.optimizer.epsilon",
    "spec.training.optimizer.momentum",
    "spec.training.arguments.labelSmoothingFactor",
    "spec.training.arguments.neftuneNoiseAlpha",
    "status.progress.epoch",
    "status.progress.loss",
    "status.progress.learningRate",
    "status.progress.samplesPerSecond",
    "status.progress.tokensPerSecond",
    "status.restarts.recent[].secondsToFirstStep",
    "status.evaluation{}",
    "status.summary.firstLoss",
    "status.summary.lastLoss",
    "status.summary.evaluation{}",
    "status.summary.firstEvaluation{}",
    "status.summary.tokensPerSecond",
    "status.summary.samplesPerSecond",
    "status.summary.wallSeconds",
}


# Values that users know by these names from elsewhere; the others are CamelCase.
ENUMS_OF_OTHERS = {
    "spec.resume.from": "words, and one of them a word of Git's and others'",
    "spec.runtime": "part of an image's name",
    "spec.task.type": "Hugging Face's names of tasks",
    "spec.task.packing": "lower case like the types beside it",
    "spec.task.lossOn": "lower case like the types beside it",
    "spec.task.problem": "Transformers' problem types, with hyphens as tasks have them",
    "spec.model.fromScratch.modelType": "Transformers' names of architectures",
    "spec.model.dtype": "torch's names of types",
    "spec.model.attention": "Transformers' names of attentions",
    "spec.data.format": "the usual endings of such files",
    "spec.training.schedule.type": "Transformers' names of schedules",
    "spec.training.optimizer.name": "Transformers' names of optimisers",
    "spec.training.precision": "torch's names of types, and auto",
    "spec.communication.backend": "torch.distributed's names, and auto",
    "spec.cpu.allocator": "names of libraries, and auto",
    "spec.cpu.openmp": "names of those who make them, and auto",
    "spec.cpu.ipex": "torch's name of a type, and auto",
    "spec.cpu.affinity": "lower case like its sisters, and auto",
    "spec.workers.elastic.rendezvous": "words of where, as torch writes its rendezvous back ends",
}


def nodes(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        if path or name in ("spec", "status"):
            yield from nodes(child, f"{path}.{name}".removeprefix("."))
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from nodes(node["additionalProperties"], f"{path}{{}}")


ALL = list(nodes(open_api_schema()))
SPEC = inlined(TrainingRun)["properties"]["spec"]
VALUES = [path for path, node in fields(SPEC) if "." in path or "properties" not in node]
REFERENCE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


def paths(condition: Any) -> list[str]:
    return [path for path, node in ALL if condition(node)]


def test_every_string_has_a_length() -> None:
    def unbounded(node: Node) -> bool:
        bounded = "maxLength" in node or "enum" in node or node.get("format") == "date-time"
        return node.get("type") == "string" and not bounded

    assert paths(unbounded) == []


def test_every_list_has_a_length() -> None:
    assert paths(lambda n: n.get("type") == "array" and "maxItems" not in n) == []


def test_every_map_has_a_length() -> None:
    assert paths(lambda n: "additionalProperties" in n and "maxProperties" not in n) == []


def test_every_list_says_how_it_is_merged() -> None:
    assert paths(lambda n: n.get("type") == "array" and "x-kubernetes-list-type" not in n) == []


def test_nothing_is_nullable() -> None:
    assert paths(lambda n: "nullable" in n) == []


def test_nothing_is_a_union_but_integer_or_string() -> None:
    assert paths(lambda n: {"anyOf", "oneOf", "allOf", "not"} & n.keys()) == []


def test_only_the_listed_fields_are_floats() -> None:
    assert set(paths(lambda n: n.get("type") == "number")) == FLOATS


def test_every_field_is_described() -> None:
    fields = [(path, node) for path, node in ALL if path and path[-1] not in "]}"]
    assert [path for path, node in fields if not node.get("description")] == []


def test_enumerations_are_camel_case_but_for_words_of_others() -> None:
    def foreign(node: Node) -> bool:
        return any(not re.fullmatch("([A-Z][a-z]*)+", value) for value in node.get("enum", ()))

    assert set(paths(foreign)) <= ENUMS_OF_OTHERS.keys()


def test_no_word_of_others_is_excused_in_vain() -> None:
    assert ENUMS_OF_OTHERS.keys() <= set(paths(lambda n: "enum" in n))


CHANGES = {
    Change.REFUSED: "Never",
    Change.AT_ONCE: "At once",
    Change.AT_ONCE_IF_ELASTIC: "At once if elastic, else pods anew",
    Change.PODS_ANEW: "Pods anew",
}


@pytest.mark.parametrize("path", VALUES)
def test_the_reference_says_of_each_field_what_a_change_does(path: str) -> None:
    row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| `{path}` |"))
    assert f" | {CHANGES[change(path)]} | " in row


@pytest.mark.parametrize("path", [path for path in VALUES if "[]" not in path])
def test_the_schema_says_of_each_field_what_a_change_does(path: str) -> None:
    assert dict(ALL)[f"spec.{path}"]["description"].endswith(f". {change(path)}")


def test_a_group_says_what_a_change_does_where_its_fields_agree() -> None:
    said = {path: dict(ALL)[f"spec.{path}"]["description"] for path in ("task", "cpu", "policy")}
    assert said["task"].endswith(Change.REFUSED)
    assert said["cpu"].endswith(Change.PODS_ANEW)
    assert not said["policy"].endswith(tuple(Change))


@pytest.mark.parametrize("fields", [APPLIED_AT_ONCE, APPLIED_AT_ONCE_IF_ELASTIC])
def test_what_is_applied_at_once_are_fields_that_exist(
    fields: Mapping[str, frozenset[str]],
) -> None:
    paths = [f"{group}.{to_camel(name)}" for group, names in fields.items() for name in names]
    assert set(paths) <= set(VALUES)


def test_every_integer_of_the_spec_is_bounded() -> None:
    unbounded = paths(lambda n: n.get("type") == "integer" and "minimum" not in n)
    assert [path for path in unbounded if path.startswith("spec")] == []


def test_every_node_has_a_type() -> None:
    assert paths(lambda n: "type" not in n and "x-kubernetes-int-or-string" not in n) == []


def test_conditions_come_first_and_merge_by_type() -> None:
    status = open_api_schema()["properties"]["status"]["properties"]
    assert next(iter(status)) == "conditions"
    assert status["conditions"]["x-kubernetes-list-map-keys"] == ["type"]


@pytest.mark.parametrize("name", TrainingRunSpec.IMMUTABLE)
def test_what_defines_a_run_has_a_transition_rule(name: str) -> None:
    rules = open_api_schema()["properties"]["spec"]["x-kubernetes-validations"]
    assert any(rule["fieldPath"] == f".{name}" and "oldSelf" in rule["rule"] for rule in rules)


def test_an_optional_field_that_is_immutable_may_neither_come_nor_go() -> None:
    rules = open_api_schema()["properties"]["spec"]["x-kubernetes-validations"]
    storage = next(rule["rule"] for rule in rules if "oldSelf.storage" in rule["rule"])
    assert storage.startswith("has(self.storage) == has(oldSelf.storage)")


def test_every_rule_names_the_mend() -> None:
    messages = [
        rule["message"] for _, node in ALL for rule in node.get("x-kubernetes-validations", ())
    ]
    assert [message for message in messages if "; " not in message] == []


def test_the_columns_are_those_of_the_design() -> None:
    columns = custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"].upper() for column in columns if not column.get("priority")] == (
        ["PHASE", "STEP", "LOSS", "ETA", "WORKERS", "RESTARTS", "CHECKPOINT", "AGE"]
    )


def test_every_column_shows_a_field_that_exists() -> None:
    columns = custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    shown = [column["jsonPath"].removeprefix(".") for column in columns]
    known = {path for path, _ in ALL} | {"metadata.creationTimestamp"}
    assert [path for path in shown if path not in known] == []


def test_a_group_s_default_is_empty_so_that_the_inner_defaults_fill_it() -> None:
    workers = open_api_schema()["properties"]["spec"]["properties"]["workers"]
    assert workers["default"] == {}


def test_a_quantity_may_be_a_number_or_a_string() -> None:
    cpu = dict(ALL)["spec.workers.resources.cpu"]
    assert (cpu["x-kubernetes-int-or-string"], cpu["minimum"]) == (True, 0)


def test_a_union_of_strings_and_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="integer or string"):
        structural({"anyOf": [{"type": "number"}, {"type": "string"}]})


def test_what_the_tests_call_a_valid_run_uses_known_fields_only() -> None:
    assert set(manifest()["spec"]) <= set(TrainingRunSpec.model_json_schema()["properties"])

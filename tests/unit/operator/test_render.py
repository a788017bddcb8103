"""What the manifests are, and what no user can make of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hack import generate
from tests.unit.operator.runs import SETTINGS, manifest, run
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import launch_plan
from trainingrun_operator.render import RenderError, claims, config_map, render, with_workers
from trainingrun_operator.render.config_map import ConfigMap
from trainingrun_operator.render.manifest import parse
from trainingrun_operator.render.templates import TEMPLATES, yaml_scalar
from trainingrun_trainer.config import RunConfig

GOLDEN = Path(__file__).parent / "golden"


def job(**spec: Any) -> dict[str, Any]:
    return render(launch_plan(run(**spec), SETTINGS))[-1]


def pod(**spec: Any) -> dict[str, Any]:
    made: dict[str, Any] = job(**spec)["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]
    return made


def env(made: dict[str, Any]) -> dict[str, Any]:
    return {variable["name"]: variable for variable in made["containers"][0]["env"]}


RUNS = (*sorted(GOLDEN.glob("runs/*.yaml")), *sorted(generate.SAMPLES.glob("*.yaml")))


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_run_renders_as_its_golden_file(path: Path) -> None:
    typed = TrainingRun.parse(generate.training_run(path))
    expected = list(yaml.safe_load_all((GOLDEN / path.name).read_text()))
    plan = launch_plan(typed, generate.SETTINGS)
    assert [*claims(plan), *render(plan)] == expected


def test_another_number_of_workers_is_all_that_changes_in_a_config() -> None:
    four = run(workers={"count": 2, "elastic": {"min": 1, "max": 4}})
    three = run(workers={"count": 3, "elastic": {"min": 1, "max": 4}})
    served = config_map(launch_plan(four, SETTINGS))
    served["metadata"] |= {"uid": "x", "resourceVersion": "7", "managedFields": []}

    assert with_workers(served, 3) == config_map(launch_plan(three, SETTINGS))


def test_the_job_comes_last() -> None:
    kinds = [document["kind"] for document in render(launch_plan(run(), SETTINGS))]
    assert kinds == ["ConfigMap", "NetworkPolicy", "PyTorchJob"]


DEDICATED = {"elastic": {"max": 1, "rendezvous": "dedicated"}}


def test_every_object_goes_with_its_run() -> None:
    owners = [
        document["metadata"]["ownerReferences"][0]
        for document in render(launch_plan(run(workers=DEDICATED), SETTINGS))
    ]
    assert {(owner["uid"], owner["blockOwnerDeletion"]) for owner in owners} == {("uid-1", True)}


def test_only_workers_of_the_run_may_connect_to_its_workers() -> None:
    spec = render(launch_plan(run(), SETTINGS))[1]["spec"]
    workers = {"matchLabels": {"trainingrun.io/run": "run"}}
    assert spec == {
        "podSelector": workers,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": workers}]}],
    }


def made_claim(**workers: Any) -> dict[str, Any]:
    storage = {"create": {"size": "5Gi", "storageClassName": "shared"}}
    (claim,) = claims(launch_plan(run(storage=storage, workers=workers), SETTINGS))
    return claim


def test_a_claim_that_is_made_outlives_its_run() -> None:
    assert "ownerReferences" not in made_claim()["metadata"]


def test_a_claim_is_shared_where_there_may_be_several_workers() -> None:
    modes = [made_claim(count=count)["spec"]["accessModes"] for count in (1, 2)]
    assert modes == [["ReadWriteOnce"], ["ReadWriteMany"]]


def test_a_run_s_own_claim_is_mounted() -> None:
    volume = next(v for v in pod(storage={"create": {"size": 1}})["volumes"] if v["name"] == "data")
    assert volume["persistentVolumeClaim"] == {"claimName": "run-data"}


def test_the_trainer_reads_what_the_config_map_holds(tmp_path: Path) -> None:
    plan = launch_plan(run(), SETTINGS)
    file = tmp_path / "run.json"
    file.write_text(render(plan)[0]["data"]["run.json"])
    assert RunConfig.read(file) == plan.config


def test_a_worker_is_guaranteed_its_resources() -> None:
    resources = pod()["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"]


def test_a_worker_has_no_token_for_the_api_server() -> None:
    assert pod()["automountServiceAccountToken"] is False


def test_the_progress_token_is_for_one_audience() -> None:
    volume = next(volume for volume in pod()["volumes"] if volume["name"] == "progress-token")
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert token["audience"] == "trainingrun.io/progress"


def test_a_literal_dollar_survives_the_kubelet() -> None:
    values = "$(HOME) $$(HOME) $HOME $"
    written = env(pod(workers={"env": [{"name": "A", "value": values}]}))["A"]["value"]
    assert written.replace("$$", "$") == values
    assert "$" not in written.replace("$$", "")


def test_a_secret_is_referred_to_and_never_copied() -> None:
    secret = {"name": "TOKEN", "secretKey": {"name": "hub", "key": "token"}}
    made = env(pod(workers={"env": [secret]}))["TOKEN"]
    assert made == {
        "name": "TOKEN",
        "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}},
    }


def test_logs_can_be_selected_by_the_run_s_name() -> None:
    template = job()["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]
    assert template["metadata"]["labels"]["trainingrun.io/run"] == "run"


def test_a_user_s_labels_stand_beside_the_operator_s() -> None:
    metadata = job(workers={"labels": {"team": "a"}, "annotations": {"note": "b"}})["spec"][
        "pytorchReplicaSpecs"
    ]["Worker"]["template"]["metadata"]
    assert metadata == {
        "labels": {
            "team": "a",
            "app.kubernetes.io/managed-by": "trainingrun-operator",
            "trainingrun.io/run": "run",
        },
        "annotations": {"note": "b"},
    }


def test_variables_can_come_from_whole_objects() -> None:
    made = pod(workers={"envFrom": [{"secret": "hub"}, {"configMap": "site"}]})
    assert made["containers"][0]["envFrom"] == [
        {"secretRef": {"name": "hub"}},
        {"configMapRef": {"name": "site"}},
    ]


def test_workers_go_to_different_nodes_where_there_are_several() -> None:
    assert pod()["topologySpreadConstraints"] == [
        {
            "topologyKey": "kubernetes.io/hostname",
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"trainingrun.io/run": "run"}},
        }
    ]


def test_the_scheduler_is_left_alone_if_asked_to_be() -> None:
    assert pod(workers={"topologySpread": []})["topologySpreadConstraints"] == []


def test_an_absent_affinity_is_not_written() -> None:
    assert "affinity" not in pod()


def test_workers_keep_apart_from_their_own_run_s_workers_only() -> None:
    made = pod(workers={"affinity": {"apart": [{"when": "Required"}]}})
    assert made["affinity"] == {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {"matchLabels": {"trainingrun.io/run": "run"}},
                }
            ]
        }
    }


def test_a_sub_path_is_all_of_the_claim_that_a_worker_sees() -> None:
    made = pod(storage={"claimName": "c", "subPath": "team/a"})
    mounts = made["containers"][0]["volumeMounts"]
    assert [(m["mountPath"], m["subPath"]) for m in mounts if "subPath" in m] == [
        ("/runs", "team/a")
    ]


@pytest.mark.parametrize(
    ("cache", "home"),
    [
        ({}, "/runs/.cache/huggingface"),
        ({"scope": "Run"}, "/runs/run/.cache/huggingface"),
        ({"subPath": "hub"}, "/runs/hub"),
    ],
)
def test_downloads_are_kept_on_the_claim(cache: dict[str, str], home: str) -> None:
    assert env(pod(cache=cache))["HF_HOME"]["value"] == home


def test_the_old_name_of_the_cache_is_read_as_the_present_one() -> None:
    old = {"name": "TRANSFORMERS_CACHE", "value": "/runs/hub"}
    made = env(pod(workers={"env": [old]}))
    assert made["HF_HUB_CACHE"] == {"name": "HF_HUB_CACHE", "value": "/runs/hub"}
    assert "TRANSFORMERS_CACHE" not in made


def test_the_present_name_of_the_cache_wins() -> None:
    names = ("TRANSFORMERS_CACHE", "HF_HUB_CACHE")
    made = env(pod(workers={"env": [{"name": name, "value": f"/{name}"} for name in names]}))
    assert made["HF_HUB_CACHE"]["value"] == "/HF_HUB_CACHE"


def test_an_absent_priority_class_is_not_written() -> None:
    assert "priorityClassName" not in pod()


def test_every_value_in_a_template_is_quoted_by_tojson() -> None:
    folder = Path(TEMPLATES.get_template("pytorch_job.yaml.j2").filename or "").parent
    values = [
        value for file in folder.glob("*.j2") for value in re.findall(r"{{.*?}}", file.read_text())
    ]
    assert [value for value in values if not value.endswith("| tojson }}")] == []


def test_templates_only_loop() -> None:
    folder = Path(TEMPLATES.get_template("pytorch_job.yaml.j2").filename or "").parent
    statements = {
        word
        for file in folder.glob("*.j2")
        for word in re.findall(r"{%-?\s*(\w+)", file.read_text())
    }
    assert statements <= {"for", "endfor"}


def test_an_object_with_a_field_that_no_model_knows_is_refused() -> None:
    plan = launch_plan(run(), SETTINGS)
    text = yaml.safe_dump({**render(plan)[0], "immutable": True})
    with pytest.raises(RenderError, match="immutable"):
        parse(text, ConfigMap, plan, plan.config_map)


def test_an_object_of_another_run_is_refused() -> None:
    plan = launch_plan(run(), SETTINGS)
    text = yaml.safe_dump(render(replace(plan, name="other"))[0])
    with pytest.raises(RenderError, match="is not the planned"):
        parse(text, ConfigMap, plan, plan.config_map)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_from_yaml_as_it_was(text: str) -> None:
    assert yaml.safe_load(f"key: {yaml_scalar(text)}") == {"key": text}


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.sampled_from(
        [
            *("$(id)", "`id`", "; rm -rf /", "--flag", "on", "null", "1e3", "~", "{{ plan }}"),
            *("x\nadmin: true", "'", '"', "\\", "# no", "*a", "&a", "!!python/object:os.system"),
            *("{% raw %}", "\u2028", "\x85", "\x7f", "\U0001f600", "</script>", "- a"),
        ]
    ),
)


def shape(value: Any) -> Any:
    """Keys, kinds and lengths, with every leaf replaced by its type."""
    if isinstance(value, dict):
        return {key: shape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [shape(child) for child in value]
    return type(value).__name__


def with_strings(text: str, value: str) -> dict[str, Any]:
    """A run whose every free string is hostile; the patterned ones cannot be."""
    path = f"/{text}"
    line = "/m" + text.replace("\n", " ")  # a model's name is one line
    return manifest(
        model={
            "name": line,
            "revision": text,
            "tokenizer": {"name": line},
        },
        data={
            "train": path,
            "evaluation": path,
            "files": text,
            "format": "jsonl",
            "columns": {"text": text},
        },
        workers={"env": [{"name": "A", "value": value}], "annotations": {"note": value}},
    )


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE)
def test_no_hostile_string_changes_what_is_made(text: str, value: str) -> None:
    plain = render(launch_plan(TrainingRun.parse(with_strings("x", "x")), SETTINGS))
    hostile = render(launch_plan(TrainingRun.parse(with_strings(text, value)), SETTINGS))
    assert shape(list(hostile)) == shape(list(plain))


LABELS = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
PATHS = st.from_regex(r"[.]?[A-Za-z0-9_][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9_]{1,8})?", fullmatch=True)


def with_words(label: str, path: str) -> dict[str, Any]:
    """A run whose every patterned string is any that the pattern takes."""
    return manifest(
        storage={"claimName": "c", "subPath": path},
        cache={"subPath": path},
        workers={
            "labels": {label: label},
            "nodeSelector": {label: label},
            "affinity": {
                "nodes": {
                    "required": [{"key": label, "values": [label]}],
                    "preferred": [{"expressions": [{"key": label, "values": [label]}]}],
                },
                "apart": [{"topologyKey": label}],
            },
            "topologySpread": [{"topologyKey": label}],
            "tolerations": [{"key": label, "value": label}],
        },
    )


@settings(max_examples=60, deadline=None)
@given(LABELS, PATHS)
def test_no_word_that_yaml_reads_as_something_else_changes_what_is_made(
    label: str, path: str
) -> None:
    made = render(launch_plan(TrainingRun.parse(with_words(label, path)), SETTINGS))[-1]
    worker = made["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]
    spec = worker["spec"]
    term = {"matchExpressions": [{"key": label, "operator": "In", "values": [label]}]}
    nodes = spec["affinity"]["nodeAffinity"]
    assert spec["nodeSelector"] == {label: label}
    assert worker["metadata"]["labels"][label] == label
    assert list(nodes.values()) == [
        {"nodeSelectorTerms": [term]},
        [{"weight": 1, "preference": term}],
    ]
    assert spec["tolerations"][0]["value"] == label
    assert [m["subPath"] for m in spec["containers"][0]["volumeMounts"] if "subPath" in m] == [path]
    assert env(spec)["HF_HOME"]["value"] == f"/runs/{path}"


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE)
def test_no_hostile_string_reaches_the_command_line(text: str, value: str) -> None:
    made = render(launch_plan(TrainingRun.parse(with_strings(text, value)), SETTINGS))[-1]
    worker = made["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]
    assert worker["containers"][0]["command"] == [
        *("python", "-m", "trainingrun_trainer", "--config", "/etc/trainingrun/run.json")
    ]

"""What is decided about a run before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.operator.runs import SETTINGS, manifest, run
from trainingrun_operator.api.problems import Problem
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import LaunchPlan, PlanError, launch_plan


def plan(**spec: Any) -> LaunchPlan:
    return launch_plan(run(**spec), SETTINGS)


def refusals(**spec: Any) -> tuple[Problem, ...]:
    with pytest.raises(PlanError) as caught:
        plan(**spec)
    return caught.value.problems


def refusal(**spec: Any) -> Problem:
    (only,) = refusals(**spec)
    return only


def cpus(cpu: str, **workers: Any) -> dict[str, Any]:
    return {"resources": {"cpu": cpu}, **workers}


@pytest.mark.parametrize(
    ("cpu", "processes", "threads"),
    [("8", "auto", 8), ("8", 2, 4), ("7", 2, 3), ("2500m", "auto", 2), ("500m", "auto", 1)],
)
def test_threads_are_the_cpus_of_a_worker_divided_by_its_ranks(
    cpu: str, processes: int | str, threads: int
) -> None:
    assert plan(workers=cpus(cpu, processesPerWorker=processes)).config.cpu.threads == threads


def test_one_rank_a_worker_unless_told_otherwise() -> None:
    assert plan(workers=cpus("8")).processes_per_worker == 1


def test_more_threads_than_cpus_are_refused() -> None:
    refused = refusal(workers=cpus("4", processesPerWorker=2), cpu={"threads": 3})
    assert (refused.path, "write at most 2" in refused.message) == ("spec.cpu.threads", True)


def test_more_ranks_than_cpus_are_refused() -> None:
    refused = refusal(workers=cpus("2", processesPerWorker=4))
    assert refused.path == "spec.workers.processesPerWorker"


def test_no_cpu_at_all_is_refused() -> None:
    assert refusal(workers=cpus("0")).path == "spec.workers.resources.cpu"


def test_shared_memory_that_fills_the_memory_is_refused() -> None:
    assert refusal(sharedMemory={"size": "2Gi"}).path == "spec.sharedMemory.size"


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    told = refusals(
        sharedMemory={"size": "8Gi"},
        communication={"backend": "mpi"},
        workers=cpus("4", processesPerWorker=2, count=5),
        cpu={"threads": 3, "interopThreads": 3, "affinity": "threads"},
    )
    assert [problem.path for problem in told] == [
        "spec.sharedMemory.size",
        "spec.communication.backend",
        "spec.cpu.threads",
        "spec.cpu.interopThreads",
        "spec.cpu.affinity",
        "spec.workers.count",
    ]


def test_every_problem_of_a_plan_stands_in_its_message() -> None:
    with pytest.raises(PlanError) as caught:
        plan(communication={"backend": "mpi"}, sharedMemory={"size": "8Gi"})
    assert str(caught.value) == "; ".join(map(str, caught.value.problems))


def elastic(count: int, low: int, high: int) -> dict[str, Any]:
    return {"count": count, "elastic": {"min": low, "max": high}}


@pytest.mark.parametrize(
    ("batch", "count", "low", "high", "expected"),
    [
        (24, 2, 1, 4, (1, 4)),  # 1, 2, 3 and 4 divide 24
        (32, 2, 1, 4, (1, 2)),  # 3 does not divide 32
        (32, 4, 1, 8, (4, 4)),  # neither 3 nor 5 divides 32
        (60, 4, 2, 8, (2, 6)),  # 7 does not divide 60
    ],
)
def test_the_elastic_range_has_no_number_that_cannot_share_the_batch(
    batch: int, count: int, low: int, high: int, expected: tuple[int, int]
) -> None:
    made = plan(
        workers=elastic(count, low, high), training={"maxSteps": 1, "globalBatchSize": batch}
    )
    assert (made.min_workers, made.max_workers) == expected


def test_a_narrowed_range_says_why() -> None:
    made = plan(workers=elastic(2, 1, 4), training={"maxSteps": 1, "globalBatchSize": 32})
    choice = next(choice for choice in made.choices if choice.name == "workers")
    assert "only these numbers share a global batch of 32" in choice.reason


def test_a_count_that_cannot_share_the_batch_is_refused_with_those_that_can() -> None:
    refused = refusal(workers={"count": 5}, training={"maxSteps": 1, "globalBatchSize": 24})
    assert "write one of 1, 2, 3, 4" in refused.message


def test_ranks_that_can_share_the_batch_at_no_number_of_workers_are_refused() -> None:
    refused = refusal(
        workers=cpus("8", processesPerWorker=5), training={"maxSteps": 1, "globalBatchSize": 24}
    )
    assert "change spec.workers.processesPerWorker" in refused.message


def test_a_fixed_run_has_a_range_of_one_number() -> None:
    made = plan(workers={"count": 3})
    assert (made.min_workers, made.workers, made.max_workers) == (3, 3, 3)


def test_the_run_s_folder_is_on_the_claim() -> None:
    assert plan().config.folder == "/runs/run"


def test_without_a_claim_the_folder_goes_with_the_pod() -> None:
    document = manifest()
    del document["spec"]["storage"]
    assert launch_plan(TrainingRun.parse(document), SETTINGS).config.folder == "/scratch/run"


def test_the_trainer_is_told_which_run_it_is() -> None:
    identity = plan().config.run
    assert (identity.namespace, identity.name, identity.uid) == ("research", "run", "uid-1")


def test_a_run_without_an_image_gets_the_operator_s() -> None:
    assert plan().image == SETTINGS.image_cpu


def test_a_variable_of_the_user_replaces_a_default_of_ours() -> None:
    made = plan(workers={"env": [{"name": "HF_HOME", "value": "/elsewhere"}]})
    values = [variable.value for variable in made.environment if variable.name == "HF_HOME"]
    assert values == ["/elsewhere"]


def test_nothing_reports_where_there_is_no_endpoint() -> None:
    made = launch_plan(run(), replace(SETTINGS, progress_url=""))
    assert [v.name for v in made.environment if v.name.startswith("KUBEFLOW")] == []


@pytest.mark.parametrize(
    "change",
    [
        {"workers": elastic(3, 1, 4)},
        {"workers": elastic(2, 1, 4), "policy": {"suspend": True}},
        {"workers": elastic(2, 1, 4), "policy": {"maxPodRestarts": 3}},
        {"workers": elastic(2, 1, 4), "runtime": "cpu"},
    ],
    ids=["the number of workers", "suspension", "a budget", "a default written out"],
)
def test_what_needs_no_new_job_leaves_the_hash(change: dict[str, Any]) -> None:
    assert plan(**change).spec_hash == plan(workers=elastic(2, 1, 4)).spec_hash


@pytest.mark.parametrize(
    "change",
    [
        {"workers": elastic(2, 1, 3)},
        {"workers": elastic(2, 1, 4), "image": {"name": "other"}},
        {"workers": elastic(2, 1, 4), "policy": {"terminationGracePeriodSeconds": 5}},
        {"workers": {"count": 2}},
    ],
    ids=["the elastic range", "the image", "the grace period", "a fixed number"],
)
def test_what_needs_a_new_job_changes_the_hash(change: dict[str, Any]) -> None:
    assert plan(**change).spec_hash != plan(workers=elastic(2, 1, 4)).spec_hash


def test_a_new_default_image_does_not_disturb_runs_that_train() -> None:
    newer = replace(SETTINGS, image_cpu="registry.example.org/trainer:2")
    assert launch_plan(run(), newer).spec_hash == plan().spec_hash


def test_a_run_made_again_under_the_same_name_has_another_hash() -> None:
    document = manifest()
    document["metadata"]["uid"] = "uid-2"
    assert launch_plan(TrainingRun.parse(document), SETTINGS).spec_hash != plan().spec_hash


def test_every_choice_has_a_reason() -> None:
    assert [choice.name for choice in plan().choices if not choice.reason] == []


XEON = replace(SETTINGS, image_xeon="registry.example.org/xeon:1")


def test_runtime_xeon_has_an_image_of_its_own() -> None:
    made = launch_plan(run(runtime="xeon"), XEON)
    assert (made.image, made.config.communication.backend) == (XEON.image_xeon, "ccl")


def test_a_runtime_without_an_image_is_refused_with_both_mends() -> None:
    refused = refusal(runtime="xeon")
    assert str(refused) == (
        "spec.runtime: this operator has no image for runtime xeon; write spec.image.name, or "
        "install the operator with trainerImages.xeon"
    )


@pytest.mark.parametrize(("asked", "done"), [("auto", "off"), ("off", "off"), ("float32",) * 2])
def test_ipex_does_what_is_asked_and_nothing_by_itself(asked: str, done: str) -> None:
    assert launch_plan(run(runtime="xeon", cpu={"ipex": asked}), XEON).config.cpu.ipex == done

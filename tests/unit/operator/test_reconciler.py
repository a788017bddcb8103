"""One look at a run: what it costs, what it writes, and what it makes of refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.clusters import KEY, Clock, FakeCluster, FakeWorld
from trainingrun_operator.cluster.protocol import (
    ConflictError,
    ForbiddenError,
    NameTakenError,
    RefusedError,
)
from trainingrun_operator.lifecycle.observed import Job, Pod, Termination
from trainingrun_operator.plan import Settings
from trainingrun_operator.progress.store import ReportStore
from trainingrun_operator.reconciler import Reconciler
from trainingrun_trainer.report import Report

RUN: dict[str, Any] = {
    "apiVersion": "trainingrun.io/v1alpha1",
    "kind": "TrainingRun",
    "metadata": {
        "namespace": "ml", "name": "squad", "uid": "run-uid", "generation": 1,
        "resourceVersion": "1",
    },
    "spec": {
        "task": {"type": "causal-lm"},
        "model": {"fromScratch": {}, "tokenizer": {"train": {}}},
        "data": {"train": "builtin://python-stdlib"},
        "training": {"globalBatchSize": 16, "maxSteps": 40},
        "storage": {"claimName": "data"},
    },
}  # fmt: skip


@dataclass
class Bench:
    """A reconciler with all that is around it."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(RUN, claims={"data": "Bound"}))
    world: FakeWorld = field(default_factory=lambda: FakeWorld(RUN))
    store: ReportStore = field(default_factory=ReportStore)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        settings = Settings(image_cpu="trainer:1")
        self.reconciler = Reconciler(
            self.world, self.cluster, self.store, lambda: settings, self.clock
        )

    async def look(self) -> timedelta | None:
        self.cluster.calls.clear()
        return await self.reconciler.reconcile(KEY)

    def show(self) -> None:
        """The watch catches up with the run."""
        self.world.shown = self.cluster.run

    async def start(self) -> None:
        """Bring the run to one running worker."""
        await self.look()
        self.show()
        made = self.reconciler._memories[KEY].made
        assert made is not None
        created = {"Created": ("", self.clock.now), "Running": ("", self.clock.now)}
        self.world.shown_job = replace(made, conditions=created)
        self.world.shown_pods = (
            Pod("squad-worker-0", "pod-0", "squad", made.uid, 0, "Running", running=True),
        )
        await self.look()
        self.show()

    def report(self, step: int) -> None:
        block = {"step": step, "totalSteps": 40}
        report = Report.model_validate({"trainerStatus": {}, "trainingRun": block})
        self.store.put(KEY, "run-uid", report, self.clock.now)

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.cluster.run["status"])

    def condition(self, kind: str) -> tuple[str, str, str]:
        found = next(c for c in self.status["conditions"] if c["type"] == kind)
        return found["status"], found["reason"], found["message"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_new_run_costs_two_reads_its_objects_and_one_status(bench: Bench) -> None:
    await bench.look()

    assert bench.cluster.calls == [
        "read data", "list quotas", "apply ConfigMap", "apply NetworkPolicy", "apply PyTorchJob",
        "status Starting",
    ]  # fmt: skip


async def test_a_look_at_a_run_that_goes_well_costs_nothing(bench: Bench) -> None:
    await bench.start()

    await bench.look()

    assert bench.cluster.calls == []


async def test_a_job_just_made_is_not_made_again_before_the_watch_shows_it(bench: Bench) -> None:
    await bench.look()

    await bench.look()

    assert bench.cluster.calls == []


async def test_a_job_that_never_shows_up_is_made_again(bench: Bench) -> None:
    await bench.look()
    bench.show()
    bench.clock.forward(60)

    await bench.look()

    assert "apply PyTorchJob" in bench.cluster.calls


async def test_a_look_at_an_old_run_does_not_write_over_a_newer_status(bench: Bench) -> None:
    await bench.start()
    bench.world.shown = RUN

    bench.report(step=12)
    bench.clock.forward(10)
    await bench.look()

    assert bench.status["phase"] == "Running"
    assert bench.status["startTime"] == "2026-01-01T00:00:00Z"


async def test_a_run_that_somebody_else_has_changed_is_looked_at_again(bench: Bench) -> None:
    bench.cluster.version = 7

    with pytest.raises(ConflictError):
        await bench.look()

    assert bench.cluster.events == []


async def test_progress_alone_is_written_every_five_seconds_at_most(bench: Bench) -> None:
    await bench.start()
    bench.report(step=1)
    bench.clock.forward(6)
    await bench.look()
    bench.show()

    bench.report(step=2)
    bench.clock.forward(2)
    again = await bench.look()

    assert bench.cluster.calls == []
    assert again == timedelta(seconds=3)
    bench.clock.forward(3)
    await bench.look()
    assert bench.cluster.calls == ["status Running"]
    assert bench.status["progress"]["steps"] == "2/40"


async def test_an_event_is_told_only_when_a_reason_changes(bench: Bench) -> None:
    await bench.start()
    bench.world.shown_pods = ()
    await bench.look()
    bench.show()
    bench.clock.forward(5)
    bench.reconciler.note_pod(KEY, Pod("squad-worker-0", "x", termination=Termination("p", 137)))
    await bench.look()

    reasons = [event.reason for event in bench.cluster.events]
    assert reasons == ["WorkersRunning", "Restarting"]


async def test_a_missing_claim_keeps_the_job_unmade_until_it_is_there(bench: Bench) -> None:
    bench.cluster.claims.clear()
    again = await bench.look()
    bench.show()
    assert bench.condition("Accepted")[:2] == ("False", "ClaimNotFound")
    assert again == timedelta(seconds=2)

    bench.cluster.claims["data"] = "Pending"
    await bench.look()

    assert "apply PyTorchJob" in bench.cluster.calls


async def test_an_invalid_spec_is_told_by_field_and_costs_no_read(bench: Bench) -> None:
    bench.world.shown = {**RUN, "spec": {**RUN["spec"], "training": {"globalBatchSize": 0}}}

    await bench.look()

    assert bench.cluster.calls == ["status Invalid", "event InvalidSpec"]
    assert "spec.training.globalBatchSize" in bench.condition("Accepted")[2]


async def test_a_name_that_is_taken_is_told_and_tried_again(bench: Bench) -> None:
    bench.cluster.apply_error = NameTakenError("ConfigMap", "squad-config")

    again = await bench.look()

    assert bench.condition("Accepted")[:2] == ("False", "NameConflict")
    assert "ConfigMap squad-config" in bench.condition("Accepted")[2]
    assert again is not None


@pytest.mark.parametrize("error", [RefusedError("webhook says no"), ForbiddenError("no rights")])
async def test_a_refusal_is_told_in_its_own_words(bench: Bench, error: Any) -> None:
    bench.cluster.apply_error = error

    again = await bench.look()

    status, reason, message = bench.condition("JobCreated")
    assert (status, reason, message) == ("False", "JobRefused", str(error))
    assert again is not None


async def test_a_status_nobody_can_read_does_not_stop_a_run(bench: Bench) -> None:
    bench.world.shown = {**RUN, "status": {"phase": 7, "conditions": "none"}}

    await bench.look()

    assert bench.status["phase"] == "Starting"


async def test_a_failure_is_remembered_though_its_pod_is_gone(bench: Bench) -> None:
    await bench.start()
    killed = Termination("squad-worker-0", 137, reason="OOMKilled")
    bench.reconciler.note_pod(KEY, Pod("squad-worker-0", "pod-0", termination=killed))
    bench.world.shown_pods = ()

    await bench.look()

    assert "out of memory" in bench.condition("Running")[2]


async def test_pods_of_another_job_are_not_looked_at(bench: Bench) -> None:
    await bench.start()
    stranger = replace(bench.world.shown_pods[0], uid="other", owner_uid="other-job")
    bench.world.shown_pods = (*bench.world.shown_pods, stranger)

    await bench.look()

    assert bench.cluster.calls == []


async def test_what_is_kept_of_a_run_goes_with_it(bench: Bench) -> None:
    await bench.start()
    bench.report(step=1)
    bench.world.shown = None

    assert await bench.look() is None
    assert bench.store.newest(KEY, "run-uid") is None
    assert bench.reconciler._memories == {}


async def test_a_job_of_a_labelled_stranger_is_left_alone(bench: Bench) -> None:
    bench.world.shown_job = Job("squad", "job", owner_uid="theirs")

    await bench.look()

    assert [call for call in bench.cluster.calls if not call.startswith(("status", "event"))] == []
    assert bench.condition("Accepted")[:2] == ("False", "NameConflict")


async def test_a_failed_run_is_retried_with_a_job_of_the_next_attempt(bench: Bench) -> None:
    await bench.start()
    assert bench.world.shown_job is not None
    failed = {"Failed": ("gone", bench.clock.now - timedelta(minutes=1))}
    bench.world.shown_job = replace(bench.world.shown_job, conditions=failed)
    await bench.look()
    bench.show()
    annotated = {**bench.cluster.run["metadata"], "annotations": {"trainingrun.io/retry": "1"}}
    bench.cluster.run = bench.world.shown = {**bench.cluster.run, "metadata": annotated}

    await bench.look()
    assert bench.cluster.calls == [
        "delete job PyTorchJob-uid",
        "status Restarting",
        "event Retried",
    ]
    bench.show()
    bench.world.shown_job, bench.world.shown_pods = None, ()
    await bench.look()

    made = bench.reconciler._memories[KEY].made
    assert made is not None
    assert made.attempt == 1
    assert bench.status["phase"] == "Starting"


ELASTIC = {"elastic": {"min": 1, "max": 4}}


async def started_with(bench: Bench, **groups: Any) -> None:
    """Bring a run to one running worker."""
    run = {**RUN, "spec": {**RUN["spec"], **groups}}
    bench.world.shown = bench.cluster.run = run
    await bench.start()


async def resize(bench: Bench, count: int) -> None:
    spec = {**bench.cluster.run["spec"], "workers": {**ELASTIC, "count": count}}
    bench.world.shown = bench.cluster.run = {**bench.cluster.run, "spec": spec}
    await bench.look()


async def test_a_resize_changes_nothing_but_the_number_in_the_config(bench: Bench) -> None:
    await started_with(bench, workers={**ELASTIC, "count": 1})
    made = bench.cluster.config_maps["squad-config"]
    older = {"processes": {"workers": 1, "perWorker": 3}, "gone": "a field of another version"}
    made["data"] = {"run.json": json.dumps(older), "ca.crt": "old"}

    await resize(bench, 2)

    assert bench.cluster.calls[:3] == ["read squad-config", "apply ConfigMap", "adjust 2 False"]
    data = bench.cluster.config_maps["squad-config"]["data"]
    assert json.loads(data["run.json"]) == {**older, "processes": {"workers": 2, "perWorker": 3}}
    assert data["ca.crt"] == "old"


@pytest.mark.parametrize("left", [None, {"data": {"run.json": "{"}}, {"data": {"run.json": "[]"}}])
async def test_a_resize_makes_a_config_that_is_lost_anew(bench: Bench, left: Any) -> None:
    await started_with(bench, workers={**ELASTIC, "count": 1})
    bench.cluster.config_maps = {} if left is None else {"squad-config": left}

    await resize(bench, 2)

    config = json.loads(bench.cluster.config_maps["squad-config"]["data"]["run.json"])
    assert (config["processes"]["workers"], config["processes"]["maxWorkers"]) == (2, 2)


async def test_a_resize_beyond_what_the_job_takes_makes_it_anew(bench: Bench) -> None:
    await started_with(bench, workers={**ELASTIC, "count": 2})  # 3 cannot share a batch of 16

    await resize(bench, 4)

    assert bench.cluster.calls[0] == "delete job PyTorchJob-uid"


async def test_a_stuck_pod_is_deleted_by_name_and_uid(bench: Bench) -> None:
    await bench.start()
    (pod,) = bench.world.shown_pods
    gone = replace(pod, running=False, deleting=True, deletion_due=bench.clock.now)
    bench.world.shown_pods = (gone,)
    bench.clock.forward(61)

    await bench.look()

    assert "delete pod squad-worker-0 pod-0 at once" in bench.cluster.calls


async def test_a_change_that_is_refused_is_told_and_tried_again(bench: Bench) -> None:
    await bench.start()
    spec = {**RUN["spec"], "policy": {"suspend": True}}
    bench.world.shown = bench.cluster.run = {**bench.cluster.run, "spec": spec}
    bench.cluster.adjust_error = RefusedError("adjust PyTorchJob squad: spec.x: Invalid value")

    again = await bench.look()
    bench.show()

    assert again == timedelta(seconds=2)
    assert bench.condition("Accepted") == (
        "False", "JobRefused", "adjust PyTorchJob squad: spec.x: Invalid value",
    )  # fmt: skip
    assert bench.status["phase"] == "Running"

    bench.cluster.adjust_error = None
    await bench.look()

    assert bench.status["phase"] == "Suspended"
    assert bench.condition("Accepted")[0] == "True"

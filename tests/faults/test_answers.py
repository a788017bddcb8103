"""The API server says no, says nothing, or says it badly: the run arrives all the same."""

from __future__ import annotations

import dataclasses
import itertools
import time

import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import Object, training_run
from tests.api.running import CountingCluster
from tests.faults.faults import (
    Call,
    Delay,
    Refuse,
    Reset,
    Script,
    Silence,
    every,
    first,
    for_seconds,
    making,
    never,
    some,
    status_write,
)
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, live, succeed, train
from tests.faults.proxy import Proxy
from tests.faults.recovery import Recorder

CONFLICT = Refuse(409, "Conflict", "the object has been modified")
INVALID = Refuse(422, "Invalid", "status.phase: Invalid value")
PEACE = 2
BUSY = Refuse(429, "TooManyRequests", "too many requests", retry_after_seconds=PEACE)
BROKEN = Refuse(500, "InternalError", "etcd is out of breath")
AWAY = Refuse(503, "ServiceUnavailable", "no endpoints")

OTHERS = 20
AT_ONCE = 8
"""Runs that the operator works on at a time."""


def test_a_job_that_was_made_although_its_creation_got_no_answer_is_not_made_twice(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.script = first(1, making("pytorchjobs"), Reset(after=True))
    with recorder.within(20, 6, "409 on create: it had arrived before"):
        begin(namespace)
        train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken


@pytest.mark.parametrize("answer", [CONFLICT, INVALID], ids=["409", "422"])
def test_a_job_that_cannot_be_changed_is_changed_later(
    answer: Refuse, proxy: Proxy, started: CountingCluster, namespace: Namespace,
    witness: Witness, recorder: Recorder,
) -> None:  # fmt: skip
    begin(namespace)
    train(namespace)
    proxy.script = first(2, _job_patch, answer)
    with recorder.within(20, 6, f"{answer.status} on two patches of the PyTorchJob"):
        namespace.edit_run({"spec": {"policy": {"suspend": True}}})
        if answer is INVALID:
            refused = namespace.until_condition("Accepted", "False", "JobRefused")
            assert answer.message in refused["message"]
        namespace.until_condition("Suspended", "True", "Suspended")
    namespace.until_condition("Accepted", "True", "Valid")
    witness.check()
    assert namespace.job()["spec"]["runPolicy"]["suspend"] is True


@pytest.mark.parametrize("answer", [CONFLICT, INVALID], ids=["409", "422"])
def test_a_status_that_is_refused_is_written_again(
    answer: Refuse, proxy: Proxy, started: CountingCluster, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.script = first(2, status_write, answer)
    with recorder.within(20, 6, f"{answer.status} on two status writes"):
        begin(namespace)
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken


@pytest.mark.timeout(300)
def test_a_server_that_asks_for_peace_is_left_alone_until_then(
    storm_seconds: int, proxy: Proxy, started: CountingCluster, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.until_watching()
    proxy.script = every(lambda call: call.verb != "watch", BUSY)
    before, began = len(proxy.calls), time.monotonic()
    begin(namespace)
    for number in range(OTHERS):
        namespace.create(training_run(f"other-{number}"))
    proxy.until(lambda calls: calls[-1].at >= began + storm_seconds, storm_seconds + 60)
    storm = [call.at for call in proxy.calls[before:] if call.verb != "watch"]
    proxy.script = never
    with recorder.within(
        30, 8, f"429 with Retry-After {PEACE} s to all requests of {OTHERS + 1} runs for "
        f"{storm_seconds} s; {60 * len(storm) / storm_seconds:.0f} requests a minute"
    ):  # fmt: skip
        patient = dataclasses.replace(namespace, patience_seconds=30)
        patient.until_condition("JobCreated", "True", "JobCreated")
        for number in range(OTHERS):
            patient.until_condition("JobCreated", "True", "JobCreated", f"other-{number}")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert {**end_state(namespace), "children": None} == {**unbroken, "children": None}
    bursts = [at for last, at in itertools.pairwise([0.0, *storm]) if at - last > PEACE / 2]
    assert all(later - at >= PEACE for at, later in itertools.pairwise(bursts)), bursts
    # What was under way when the first refusal came, and then one to see whether it is over.
    assert len(storm) <= AT_ONCE * len(bursts), storm


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("script", "seconds", "what"),
    [
        (every(lambda call: call.writes, Delay(1)), 30, "every write takes a second longer"),
        (first(1, making("pytorchjobs"), Silence()), 45, "a create never answered (limit 30 s)"),
    ],
    ids=["late", "never"],
)
def test_a_life_with_late_answers_ends_as_any_other(
    script: Script, seconds: float, what: str, proxy: Proxy, started: CountingCluster,
    namespace: Namespace, witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.script = script
    with recorder.within(seconds, 9, what):
        live(dataclasses.replace(namespace, patience_seconds=60))
    witness.check()
    assert end_state(namespace) == unbroken


@pytest.mark.timeout(600)
def test_a_life_among_errors_at_every_second_request_ends_as_any_other(
    errors_seconds: int, proxy: Proxy, started: CountingCluster, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    # While half of all fails, a job that takes nine requests in a row need not come to be.
    patient = dataclasses.replace(namespace, patience_seconds=errors_seconds + 120)
    end = time.monotonic() + errors_seconds
    proxy.script = for_seconds(errors_seconds, some(0.5, BROKEN, AWAY, Reset()))
    begin(patient)
    train(patient)
    for suspend in itertools.cycle([True, False]):
        # In the end the run goes on, and the errors are over while it is on its way to it.
        if time.monotonic() > end and suspend:
            break
        patient.edit_run({"spec": {"policy": {"suspend": suspend}}})
        patient.until_condition("Suspended", str(suspend), _SUSPENDED[suspend])
    patient.until_condition("Running", "True", "WorkersRunning")
    succeed(patient)
    what = f"500, 503 or a reset at half of all requests for {errors_seconds} s"
    recorder.took(time.monotonic() - end, 120, 9, what)
    witness.check()
    ended = end_state(namespace)
    ended["conditions"].pop("Suspended", None)
    assert ended == unbroken


def test_a_run_with_absurd_conditions_and_a_huge_annotation_holds_nobody_up(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    recorder: Recorder,
) -> None:  # fmt: skip
    with recorder.within(20, 15, "absurd conditions, 200 KB annotation"):
        namespace.make_claim()
        absurd = training_run("absurd")
        absurd["metadata"]["annotations"] = {
            "example.org/huge": "x" * 200_000,
            "trainingrun.io/retry": "\u0000{{7*7}}",
        }
        namespace.create(absurd)
        namespace.until_condition("JobCreated", "True", "JobCreated", "absurd")
        path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace.name}/trainingruns/absurd"
        conditions = [
            {
                "type": kind,
                "status": "Unknown",
                "reason": "Absurd",
                "message": "m" * 1000,
                "lastTransitionTime": "0001-01-01T00:00:00Z",
            }
            for kind in ("Accepted", "JobCreated", "Running")
        ]
        answer = namespace.http.patch(
            f"{path}/status",
            json={"status": {"phase": "Running", "attempt": 0, "conditions": conditions}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200, answer.text
        namespace.create(training_run("good"))
        namespace.until_condition("JobCreated", "True", "JobCreated", "good")
        namespace.until_condition("JobCreated", "True", "JobCreated", "absurd")
    witness.check()


_SUSPENDED = {True: "Suspended", False: "NotSuspended"}


def _job_patch(call: Call) -> bool:
    return call.verb == "patch" and call.resource == "pytorchjobs"

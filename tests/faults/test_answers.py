"""The API server says no, says nothing, or says it badly: the run arrives all the same."""

from __future__ import annotations

import dataclasses

import pytest

from tests.api.cluster import Namespace, Object, training_run
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
BUSY = Refuse(429, "TooManyRequests", "too many requests", retry_after_seconds=1)
BROKEN = Refuse(500, "InternalError", "etcd is out of breath")
AWAY = Refuse(503, "ServiceUnavailable", "no endpoints")

SOME_TRIES = 3
"""The second comes with the echo of the status, the third by the operator's own waiting."""


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


def test_a_server_that_asks_for_peace_is_asked_less_and_less_often(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.until_watching()
    proxy.script = every(lambda call: call.verb != "watch", BUSY)
    before = len(proxy.calls)
    begin(namespace)
    proxy.until(lambda calls: len(calls) >= before + 4)
    storm = [call.at for call in proxy.calls[before : before + 4]]
    proxy.script = never
    with recorder.within(20, 8, "429 with Retry-After to all requests"):
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    assert storm[-1] - storm[0] >= 1.5, "a hot loop"


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


@pytest.mark.timeout(120)
def test_a_life_among_errors_at_every_second_request_ends_as_any_other(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    proxy.script = for_seconds(10, some(0.5, BROKEN, AWAY, Reset()))
    what = "500, 503 or a reset at half of all requests for 10 s, measured from their begin"
    with recorder.within(90, 9, what):
        live(dataclasses.replace(namespace, patience_seconds=60))
    witness.check()
    assert end_state(namespace) == unbroken


def test_a_webhook_that_is_down_is_named_and_the_job_is_made_when_it_is_back(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    down = 'failed calling webhook "validator.pytorchjob.training-operator.kubeflow.org"'
    proxy.script = every(making("pytorchjobs"), Refuse(500, "InternalError", down))
    begin(namespace)
    refused = namespace.until_condition("JobCreated", "False", "JobRefused")
    proxy.until(lambda calls: len([*filter(making("pytorchjobs"), calls)]) >= SOME_TRIES)
    proxy.script = never
    with recorder.within(35, 13, "training operator's webhook down"):
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    assert down in refused["message"]


def test_an_operator_without_the_right_to_make_jobs_says_so_until_it_has_it(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    forbidden = 'pytorchjobs.kubeflow.org is forbidden: User "operator" cannot create resource'
    proxy.script = every(_of_jobs, Refuse(403, "Forbidden", forbidden))
    begin(namespace)
    refused = namespace.until_condition("JobCreated", "False", "JobRefused")
    proxy.until(lambda calls: len([*filter(making("pytorchjobs"), calls)]) >= SOME_TRIES)
    proxy.script = never
    with recorder.within(35, 11, "403: the right to make jobs removed"):
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    assert forbidden in refused["message"]


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


def _of_jobs(call: Call) -> bool:
    return call.resource == "pytorchjobs" and call.verb not in {"watch", "list"}

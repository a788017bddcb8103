"""`retry`: a run that has failed goes on from its last checkpoint."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.options import Verbs, add_run, verb
from kubectl_trainingrun.run_view import RunView
from trainingrun_operator.api.conditions import Phase
from trainingrun_operator.api.v1alpha1 import RETRIES_AT_MOST, RETRY_ANNOTATION


def add(verbs: Verbs) -> None:
    add_run(verb(verbs, "retry", _run, "let a run that failed go on from its last checkpoint"))


def next_attempt(run: RunView) -> int:
    """The attempt after the last one.

    Raises:
        RefusedError: the run has not failed, or was retried too often.
    """
    name, status = run.name, run.status
    if status.phase is Phase.SUCCEEDED:
        raise RefusedError(f"{name} has succeeded; make a new TrainingRun to train more")
    if status.phase is not Phase.FAILED:
        phase = status.phase or "not looked at by the operator yet"
        raise RefusedError(f"{name} is {phase}; only a run that has failed is retried")
    if status.attempt >= RETRIES_AT_MOST:
        raise RefusedError(
            f"{name} was retried {RETRIES_AT_MOST} times; make a new TrainingRun in its place"
        )
    return status.attempt + 1


def _run(options: argparse.Namespace) -> int:
    cluster = given.cluster(options)
    attempt = next_attempt(RunView.of(cluster.get(RUNS, options.name)))
    annotations = {RETRY_ANNOTATION: str(attempt)}
    cluster.patch(RUNS, options.name, {"metadata": {"annotations": annotations}})
    print(f"retry {attempt} of {options.name} is asked for")
    return Exit.DONE

"""Which number the retry annotation gets, so that a run that has failed goes on."""

from __future__ import annotations

from typing import Any

from trainingrun_operator.api.conditions import Phase
from trainingrun_operator.api.status import Status
from trainingrun_operator.api.v1alpha1 import RETRIES_AT_MOST


class CannotRetryError(Exception):
    """The run is not to be retried; the message says what to do instead."""


def next_attempt(run: dict[str, Any]) -> int:
    """The attempt after the last one of a run as the API server gives it.

    Raises:
        CannotRetryError: the run has not failed, or was retried too often.
    """
    name, status = run["metadata"]["name"], Status.model_validate(run.get("status", {}))
    if status.phase is Phase.SUCCEEDED:
        raise CannotRetryError(f"{name} has succeeded; make a new TrainingRun to train more")
    if status.phase is not Phase.FAILED:
        phase = status.phase or "not looked at by the operator yet"
        raise CannotRetryError(f"{name} is {phase}; only a run that has failed is retried")
    if status.attempt >= RETRIES_AT_MOST:
        raise CannotRetryError(
            f"{name} was retried {RETRIES_AT_MOST} times; make a new TrainingRun in its place"
        )
    return status.attempt + 1

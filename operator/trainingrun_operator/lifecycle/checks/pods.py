"""Checks of the workers' pods: why they do not start, and whether enough of them run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.decision import Decision
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish

IMAGE_REASONS: Final = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
    }
)
SCHEDULING_PATIENCE: Final = timedelta(seconds=10)
"""The scheduler refuses every pod whose claim is not bound yet, and takes it a moment later."""
CONFIG_REASONS: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)


def image_pull_failed(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """Too few workers run, and the image of one cannot be pulled.

    Says: Running=False ImagePullFailed.
    Does: nothing.
    """
    return _cannot_start(seen, wish, IMAGE_REASONS, Reason.IMAGE_PULL_FAILED)


def container_config_error(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """Too few workers run, and the container of one cannot be made.

    Says: Running=False SecretNotFound, ConfigMapNotFound or ContainerConfigError.
    Does: nothing.
    """
    return _cannot_start(seen, wish, CONFIG_REASONS, Reason.CONTAINER_CONFIG_ERROR)


def pods_missing(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """Fewer pods are there than training needs, not only for a moment.

    Says: Running=False PodsRefused with what the API server told the training operator, or
    Running=False PodsMissing.
    Does: nothing; looks again, less and less often.
    """
    since, told = seen.pods_missing_since, seen.pods_refused
    if since is None or told is None:
        return None
    wait = say.patience(seen, now, ConditionType.RUNNING)
    if told:
        reason = Reason.PODS_REFUSED
        message = f"{told}; lower spec.workers, or have what refuses it changed"
    else:
        reason = Reason.PODS_MISSING
        message = (
            f"nobody makes the pods of PyTorchJob {wish.name}; see whether the training operator "
            "runs, and what `kubectl describe pytorchjob` says"
        )
    return replace(say.not_running(seen, wish, reason, message), recheck_after=wait)


def unschedulable(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """Too few workers run, and one fits on no node, not only for a moment.

    Says: Running=False Unschedulable; for the first seconds what the checks below say, or
    JobCreated=True JobCreated.
    Does: nothing.
    """
    stuck = [pod for pod in seen.pods if pod.unschedulable is not None and not pod.deleting]
    if not stuck or seen.running >= wish.min_workers:
        return None
    since = [pod.unschedulable_since for pod in stuck if pod.unschedulable_since is not None]
    if since and (left := min(since) + SCHEDULING_PATIENCE - now) > timedelta():
        quiet = restarting(seen, wish, now) or waiting(seen, wish, now)
        return replace(quiet, recheck_after=left)
    message = (
        f"{len(stuck)} of {wish.workers} workers fit on no node: {stuck[0].unschedulable}; "
        "lower spec.workers.resources, or free or add a node"
    )
    return say.not_running(seen, wish, Reason.UNSCHEDULABLE, message)


def running(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """Enough workers run to train.

    Says: Running=True WorkersRunning, with Progressing=True Training or Progressing=False
    NoProgressYet.
    Does: nothing.
    """
    if seen.running < wish.min_workers:
        return None
    return say.running(seen, wish)


def restarting(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """Enough workers ran before, and too few do now.

    Says: Running=False Restarting or BelowMinimumWorkers.
    Does: nothing.
    """
    known = seen.condition(ConditionType.RUNNING)
    was_up = known is not None and (
        known.status == "True" or known.reason in {Reason.RESTARTING, Reason.BELOW_MINIMUM}
    )
    if not was_up:
        return None
    if seen.running:
        message = f"{seen.running} workers run, training needs {wish.min_workers}"
        return say.not_running(seen, wish, Reason.BELOW_MINIMUM, message)
    message = f"no worker runs; the training operator makes {wish.workers} anew"
    if seen.last_failure is not None:
        message = f"{message}, after {say.cause(seen.last_failure)}"
    return say.not_running(seen, wish, Reason.RESTARTING, message)


def waiting(seen: Observed, wish: Wish, _now: datetime) -> Decision:
    """Nothing of the above: the job is there, and its pods are not yet up.

    Says: JobCreated=True JobCreated.
    Does: nothing.
    """
    return say.starting(seen, wish)


def _cannot_start(
    seen: Observed, wish: Wish, reasons: frozenset[str], reason: Reason
) -> Decision | None:
    if seen.running >= wish.min_workers:
        return None
    stuck = next((p for p in seen.pods if p.waiting and p.waiting.reason in reasons), None)
    if stuck is None or stuck.waiting is None:
        return None
    return say.cannot_start(seen, wish, reason, stuck.name, stuck.waiting)

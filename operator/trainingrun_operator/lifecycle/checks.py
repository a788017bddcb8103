"""The life of a run, as a list of questions in the order in which they matter.

Each check looks at what is seen and what is wished, and either decides or leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.decision import (
    Activity,
    AdjustJob,
    ApplyChildren,
    Decision,
    DeleteJob,
    DeleteRun,
)
from trainingrun_operator.lifecycle.observed import Claim, Observed
from trainingrun_operator.lifecycle.restarts import lost_pods
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.lifecycle.words import duration
from trainingrun_trainer.report import ExitCode

Check = Callable[[Observed, Wish, datetime], Decision | None]

LAST_WORDS: Final = timedelta(seconds=5)
"""How long a job's end waits for its pods' termination messages, which come by another watch."""
RETRIED_FROM: Final = 128
"""Under the restart policy ExitCode, pods that end with this code or a higher one are made anew."""
STOPPED_BY_US: Final = frozenset({Reason.DEADLINE_EXCEEDED, Reason.POD_RESTARTS_EXHAUSTED})
"""Ends that the training operator knows nothing of: the job must be stopped."""
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
CONFIG_REASONS: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)


def already_finished(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    if not seen.finished:
        return None
    ended, ttl = seen.status.completion_time, wish.policy.ttl_seconds_after_finished
    if ttl is not None and ended is not None:
        left = ended + timedelta(seconds=ttl) - now
        if left <= timedelta():
            return Decision(actions=(DeleteRun(wish.name, seen.uid),))
        return Decision(actions=_stop_if_ours_to_stop(seen, wish), recheck_after=left)
    return Decision(actions=_stop_if_ours_to_stop(seen, wish))


def being_deleted(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    # The garbage collector takes what the run owns; anything made now would race with it.
    return Decision() if seen.deleting else None


def not_accepted(_seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    if wish.problem is None:
        return None
    return say.refused(Reason.INVALID_SPEC, wish.problem)


def claim_missing(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    if seen.claim is Claim.MISSING:
        message = (
            f"claim {wish.claim} of spec.storage.claimName does not exist in namespace "
            f"{wish.namespace}; create it, and the run starts by itself"
        )
        return say.refused(Reason.CLAIM_NOT_FOUND, message, say.patience(seen, now))
    if seen.claim is Claim.LOST:
        message = (
            f"claim {wish.claim} of spec.storage.claimName has lost its volume; "
            "make the claim anew, and the run starts by itself"
        )
        return say.refused(Reason.CLAIM_LOST, message, say.patience(seen, now))
    return None


def suspended(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    if not wish.policy.suspend:
        return None
    job = seen.job
    pause = job is not None and not job.suspended and not job.finished and not job.deleting
    if job is not None and job.finished:
        return None
    actions = (AdjustJob(wish.name, wish.workers, suspend=True),) if pause else ()
    return say.suspended(actions)


def deadline_exceeded(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    limit = wish.policy.active_deadline_seconds
    if limit is None or (active := seen.active_for(now)) < timedelta(seconds=limit):
        return None
    if seen.job is not None and seen.job.holds("Succeeded"):
        return None
    message = (
        f"active for {duration(active)}, spec.policy.activeDeadlineSeconds is {limit}; "
        "raise it in a new run, which goes on from the last checkpoint"
    )
    return say.failed(Reason.DEADLINE_EXCEEDED, message, _stop(seen, wish))


def job_is_a_strangers(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    if seen.job is None or seen.job.owner_uid == seen.uid:
        return None
    return say.name_taken("PyTorchJob", wish.name, say.patience(seen, now))


def job_going(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    if seen.job is None or not seen.job.deleting:
        return None
    return say.replacing(f"PyTorchJob {seen.job.name} is being deleted; it is made anew after that")


def job_missing(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    if seen.job is not None:
        return None
    return say.starting(seen, wish, (ApplyChildren(),))


def job_outdated(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    job = seen.job
    if job is None or job.finished or job.spec_hash == wish.spec_hash:
        return None
    message = f"the spec has changed; PyTorchJob {job.name} is made anew from the last checkpoint"
    return say.replacing(message, (DeleteJob(job.name, job.uid),))


def job_differs(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    job = seen.job
    if job is None or job.finished or (job.workers == wish.workers and not job.suspended):
        return None
    actions = (AdjustJob(job.name, wish.workers, suspend=False),)
    return Decision(say.resumed(seen), activity=Activity.ACTIVE, actions=actions)


def job_succeeded(seen: Observed, _wish: Wish, now: datetime) -> Decision | None:
    if seen.job is None or not seen.job.holds("Succeeded"):
        return None
    summary = seen.summary()
    if summary is None and (wait := _last_words_due(seen, "Succeeded", now)):
        return Decision(recheck_after=wait)
    return say.succeeded(summary)


def user_error(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    found = seen.failure(ExitCode.USER_ERROR)
    return None if found is None else say.failed(Reason.USER_ERROR, say.cause(found))


def restarts_exhausted(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    found = seen.failure(ExitCode.RESTARTS_EXHAUSTED)
    return None if found is None else say.failed(Reason.RESTARTS_EXHAUSTED, say.cause(found))


def pod_restarts_exhausted(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    lost = seen.status.restarts.pods + lost_pods(seen, wish)
    if lost <= wish.policy.max_pod_restarts:
        return None
    message = f"{lost} pods were lost, spec.policy.maxPodRestarts is {wish.policy.max_pod_restarts}"
    if seen.last_failure is not None:
        message = f"{message}; the last one: {say.cause(seen.last_failure)}"
    return say.failed(Reason.POD_RESTARTS_EXHAUSTED, message, _stop(seen, wish))


def job_failed(seen: Observed, _wish: Wish, now: datetime) -> Decision | None:
    if seen.job is None or not seen.job.holds("Failed"):
        return None
    found = seen.failure()
    if found is None and (wait := _last_words_due(seen, "Failed", now)):
        return Decision(recheck_after=wait)
    found = found or seen.last_failure
    message = seen.job.message("Failed") if found is None else say.cause(found)
    return say.failed(Reason.JOB_FAILED, message)


def job_ending(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    # A worker that is done, or failed for good, ends the job; only the job does not say so yet.
    decisive = any(ended.exit_code < RETRIED_FROM for ended in seen.terminations())
    return Decision(activity=Activity.ACTIVE) if decisive else None


def image_pull_failed(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    return _cannot_start(seen, wish, IMAGE_REASONS, Reason.IMAGE_PULL_FAILED)


def container_config_error(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    return _cannot_start(seen, wish, CONFIG_REASONS, Reason.CONTAINER_CONFIG_ERROR)


def unschedulable(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    stuck = [pod for pod in seen.pods if pod.unschedulable is not None and not pod.deleting]
    if not stuck or seen.running >= wish.min_workers:
        return None
    message = (
        f"{len(stuck)} of {wish.workers} workers fit on no node: {stuck[0].unschedulable}; "
        "lower spec.workers.resources, or free or add a node"
    )
    return say.not_running(seen, wish, Reason.UNSCHEDULABLE, message)


def running(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    if seen.running < wish.min_workers:
        return None
    return say.running(seen, wish)


def restarting(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
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
    return say.starting(seen, wish)


CHECKS: Final[tuple[Check, ...]] = (
    already_finished,  # never back from a terminal state
    being_deleted,
    job_is_a_strangers,
    job_succeeded,  # what is achieved is not taken back by a later wish
    user_error,
    restarts_exhausted,
    not_accepted,
    deadline_exceeded,
    suspended,
    pod_restarts_exhausted,
    job_failed,
    claim_missing,
    job_going,
    job_missing,
    job_outdated,
    job_differs,
    job_ending,
    image_pull_failed,
    container_config_error,
    unschedulable,
    running,
    restarting,
    waiting,
)


def decide(seen: Observed, wish: Wish, now: datetime) -> Decision:
    """The first check that has something to say decides; `waiting` always has."""
    decided = next(d for check in CHECKS if (d := check(seen, wish, now)) is not None)
    return _before_the_deadline(decided, seen, wish, now)


def _before_the_deadline(decided: Decision, seen: Observed, wish: Wish, now: datetime) -> Decision:
    limit = wish.policy.active_deadline_seconds
    if limit is None or decided.activity is not Activity.ACTIVE:
        return decided
    left = max(timedelta(seconds=limit) - seen.active_for(now), timedelta())
    sooner = left if decided.recheck_after is None else min(left, decided.recheck_after)
    return replace(decided, recheck_after=sooner)


def _cannot_start(
    seen: Observed, wish: Wish, reasons: frozenset[str], reason: Reason
) -> Decision | None:
    if seen.running >= wish.min_workers:
        return None
    stuck = next((p for p in seen.pods if p.waiting and p.waiting.reason in reasons), None)
    if stuck is None or stuck.waiting is None:
        return None
    return say.cannot_start(seen, wish, reason, stuck.name, stuck.waiting)


def _stop(seen: Observed, wish: Wish) -> tuple[AdjustJob, ...]:
    """Stop the pods in order, with their grace period; the job stays to be looked at."""
    job = seen.job
    if job is None or job.finished or job.suspended or job.deleting or job.owner_uid != seen.uid:
        return ()
    return (AdjustJob(job.name, wish.workers, suspend=True),)


def _stop_if_ours_to_stop(seen: Observed, wish: Wish) -> tuple[AdjustJob, ...]:
    failed = seen.condition(ConditionType.FAILED)
    return _stop(seen, wish) if failed is not None and failed.reason in STOPPED_BY_US else ()


def _last_words_due(seen: Observed, condition: str, now: datetime) -> timedelta | None:
    """How much longer to wait for a termination message, None if long enough."""
    since = seen.job.since(condition) if seen.job else None
    if since is None or not timedelta() <= now - since < LAST_WORDS:
        return None
    return LAST_WORDS - (now - since)

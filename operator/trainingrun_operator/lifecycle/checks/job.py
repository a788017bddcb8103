"""Checks of the PyTorchJob: whose it is, whether it is there, and whether it is the right one."""

from __future__ import annotations

from datetime import datetime

from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.decision import (
    Activity,
    AdjustJob,
    ApplyChildren,
    Decision,
    DeleteJob,
)
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish


def job_is_a_strangers(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """A PyTorchJob of the run's name has another owner.

    Says: Accepted=False NameConflict.
    Does: nothing; looks again, less and less often.
    """
    if seen.job is None or seen.job.owner_uid == seen.uid:
        return None
    return say.name_taken(seen, "PyTorchJob", wish.name, say.patience(seen, now))


def job_of_an_earlier_attempt(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """The job was made before the run was retried.

    Says: Running=False Restarting.
    Does: deletes the job, to make it anew.
    """
    job = seen.job
    if job is None or job.attempt >= seen.status.attempt:
        return None
    actions = () if job.deleting else (DeleteJob(job.name, job.uid),)
    return say.replacing(f"PyTorchJob {job.name} of an earlier attempt goes", actions)


def job_going(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """The run's PyTorchJob is being deleted.

    Says: Running=False Restarting.
    Does: nothing.
    """
    if seen.job is None or not seen.job.deleting:
        return None
    return say.replacing(f"PyTorchJob {seen.job.name} is being deleted; it is made anew after that")


def job_missing(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The run has no PyTorchJob.

    Says: JobCreated=True JobCreated, or Suspended=True Suspended where spec.policy.suspend is true;
    Accepted=False NameConflict or JobCreated=False JobRefused where it cannot be made.
    Does: makes the run's objects, the job last.
    """
    if seen.job is not None:
        return None
    if wish.policy.suspend:
        return say.suspended(wish, (ApplyChildren(),))
    return say.starting(seen, wish, (ApplyChildren(),))


def job_outdated(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The job was made from another spec, or for other numbers of workers.

    Says: Running=False Restarting.
    Does: deletes the job, to make it anew.
    """
    job = seen.job
    if job is None or job.finished:
        return None
    if job.spec_hash == wish.spec_hash and job.takes(wish.workers):
        return None
    message = f"the spec has changed; PyTorchJob {job.name} is made anew from the last checkpoint"
    return say.replacing(message, (DeleteJob(job.name, job.uid),))


def job_differs(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The job has another number of workers, or is still suspended.

    Says: Suspended=False NotSuspended.
    Does: adjusts the job.
    """
    job = seen.job
    if job is None or job.finished or (job.workers == wish.workers and not job.suspended):
        return None
    actions = (AdjustJob(job.name, wish.workers, suspend=False),)
    return Decision(say.resumed(seen), activity=Activity.ACTIVE, actions=actions)

"""Checks of what the user wants, and of what the run needs before it can start."""

from __future__ import annotations

from datetime import datetime

from trainingrun_operator.api.conditions import Reason
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.decision import AdjustJob, Decision
from trainingrun_operator.lifecycle.observed import Claim, Observed
from trainingrun_operator.lifecycle.quota import shortfall
from trainingrun_operator.lifecycle.wish import Wish


def not_accepted(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The spec is wrong, or asks for what does not fit together, and the run has no job.

    Says: Accepted=False InvalidSpec.
    Does: nothing.
    """
    if wish.problem is None:
        return None
    return say.refused(seen, Reason.INVALID_SPEC, wish.problem)


def claim_missing(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """The claim is not there, or has lost its volume.

    Says: Accepted=False ClaimNotFound or ClaimLost.
    Does: nothing; looks again, less and less often.
    """
    if seen.claim is Claim.MISSING and not wish.makes_claim:
        message = (
            f"claim {wish.claim} of spec.storage does not exist in namespace "
            f"{wish.namespace}; create it, and the run starts by itself"
        )
        return say.refused(seen, Reason.CLAIM_NOT_FOUND, message, say.patience(seen, now))
    if seen.claim is Claim.LOST:
        message = (
            f"claim {wish.claim} of spec.storage has lost its volume; "
            "make the claim anew, and the run starts by itself"
        )
        return say.refused(seen, Reason.CLAIM_LOST, message, say.patience(seen, now))
    return None


def priority_class_missing(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """The priority class is not there.

    Says: Accepted=False PriorityClassNotFound.
    Does: nothing; looks again, less and less often.
    """
    if not seen.priority_class_missing:
        return None
    message = (
        f"spec.workers.priorityClassName: the cluster has no PriorityClass {wish.priority_class}; "
        "write the name of one that `kubectl get priorityclasses` lists, or have it made"
    )
    wait = say.patience(seen, now)
    return say.refused(seen, Reason.PRIORITY_CLASS_NOT_FOUND, message, wait)


def quota_exceeded(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """A quota of the namespace has no room for the workers that training needs.

    Says: Accepted=False QuotaExceeded.
    Does: nothing; looks again, less and less often.
    """
    short = shortfall(seen.quotas, wish.min_workers, wish.share)
    if short is None:
        return None
    return say.refused(seen, Reason.QUOTA_EXCEEDED, str(short), say.patience(seen, now))


def suspended(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """spec.policy.suspend is true, and the run has its job.

    Says: Suspended=True Suspended.
    Does: suspends the job, whose pods save and go.
    """
    job = seen.job
    if not wish.policy.suspend or job is None or job.finished or job.deleting:
        return None
    pause = () if job.suspended else (AdjustJob(wish.name, wish.workers, suspend=True),)
    return say.suspended(wish, pause)

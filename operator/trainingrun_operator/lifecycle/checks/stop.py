"""How a run is stopped that the training operator would go on with."""

from __future__ import annotations

from trainingrun_operator.lifecycle.decision import AdjustJob
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish


def stop(seen: Observed, wish: Wish) -> tuple[AdjustJob, ...]:
    """Stop the pods in order, with their grace period; the job stays to be looked at."""
    job = seen.job
    if job is None or job.finished or job.suspended or job.deleting or job.owner_uid != seen.uid:
        return ()
    return (AdjustJob(job.name, wish.workers, suspend=True),)

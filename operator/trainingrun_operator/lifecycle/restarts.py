"""Counting pods that were lost, each once, also across restarts of the operator.

The status carries the UIDs of the pods that were alive at the last write. A pod of that list that
has failed, is being deleted or is gone was lost, unless the number of workers was lowered.
"""

from __future__ import annotations

from trainingrun_operator.api.status import Restarts, Status
from trainingrun_operator.lifecycle.observed import Observed, Pod
from trainingrun_operator.lifecycle.wish import Wish


def lost_pods(seen: Observed, wish: Wish) -> int:
    """Pods lost since the last status write, while the run was active."""
    if any(pod.phase == "Succeeded" for pod in seen.pods):
        # Any worker's success is the job's: the training operator now removes the others.
        return 0
    present = {pod.uid: pod for pod in seen.pods}
    gone = 0
    for uid in seen.status.pod_uids:
        pod = present.get(uid)
        if pod is None or (not _alive(pod) and pod.index < wish.workers):
            gone += 1
    given_up = max(0, seen.status.workers.desired - wish.workers)
    return max(0, gone - given_up)


def live_pods(seen: Observed, wish: Wish) -> tuple[str, ...]:
    """UIDs of the pods whose loss would be a restart from now on."""
    alive = (pod for pod in seen.pods if _alive(pod) and pod.index < wish.workers)
    return tuple(sorted(pod.uid for pod in alive))


def with_lost_pods(status: Status, lost: int, healthy_steps: int | None) -> Restarts:
    """The counts after so many more pods were lost.

    `healthy_steps` without a loss, and the budget is whole again; None for never.
    """
    restarts = status.restarts
    if not lost:
        return restarts
    step = status.progress.step if status.progress else 0
    healed = healthy_steps is not None and step - restarts.pods_charged_at_step >= healthy_steps
    pods = restarts.pods + lost
    return restarts.model_copy(
        update={
            "pods": pods,
            "total": pods + restarts.ranks,
            "pods_charged": lost if healed else restarts.pods_charged + lost,
            "pods_charged_at_step": step,
        }
    )


def _alive(pod: Pod) -> bool:
    return not pod.ended and not pod.deleting

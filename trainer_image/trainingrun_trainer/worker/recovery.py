"""What rank 0 records of a restart. Pure."""

from __future__ import annotations

from datetime import datetime

from trainingrun_trainer.handover import Orders, PendingRestart
from trainingrun_trainer.report import Restart, RestartCause
from trainingrun_trainer.state import RunState


def pending(
    orders: Orders, state: RunState, resumed_step: int, now: datetime
) -> PendingRestart | None:
    """The restart that this round is; None if it is the run's start.

    When no launcher survived, only the run's folder knows that there was a life before, and when
    it last did a step: the time without training is counted from there.
    """
    if orders.restart is not None:
        return orders.restart
    if resumed_step == 0 and state.last_step == 0:
        return None
    if state.left_in_order:
        cause, detail = RestartCause.PREEMPTED, "all workers had been asked to leave"
    else:
        cause, detail = RestartCause.WORKER_LOST, "all workers were lost"
    return PendingRestart(
        at=state.last_step_at or now, cause=cause, detail=detail, from_step=state.last_step
    )


def completed(restart: PendingRestart, resumed_step: int, now: datetime) -> Restart:
    """The restart after its first step."""
    from_step = max(restart.from_step, resumed_step)
    return Restart(
        at=restart.at,
        cause=restart.cause,
        detail=restart.detail,
        rank=restart.rank,
        from_step=from_step,
        resumed_step=resumed_step,
        lost_steps=from_step - resumed_step,
        seconds_to_first_step=max((now - restart.at).total_seconds(), 0.0),
    )

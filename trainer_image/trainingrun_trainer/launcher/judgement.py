"""What a new round means: a restart to record, or the end of the run.

Pure: every member of a round has the same arrivals before it, so all come to the same judgement
without another word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trainingrun_trainer.handover import PendingRestart
from trainingrun_trainer.launcher.arrivals import Arrival, EndKind, History, RoundEnd, Verdict
from trainingrun_trainer.report import ExitCode, Failure, RestartCause

_CAUSES: Final = (
    (EndKind.FAILED, RestartCause.RANK_FAILED),
    (EndKind.HUNG, RestartCause.RANK_HUNG),
    (EndKind.LEFT, RestartCause.PREEMPTED),
    (EndKind.WAITED, RestartCause.RANK_HUNG),
    # Nobody is missing and nobody failed by himself: the connection did.
    (EndKind.VICTIM, RestartCause.RANK_FAILED),
    (EndKind.CUT_OFF, RestartCause.WORKER_LOST),
    (EndKind.ASKED, RestartCause.WORKERS_CHANGED),
)
"""Nearest to the root first."""
_CAUSES_WITH_A_LOSS: Final = (
    (EndKind.FAILED, RestartCause.RANK_FAILED),
    (EndKind.HUNG, RestartCause.RANK_HUNG),
    (EndKind.LEFT, RestartCause.PREEMPTED),
    (None, RestartCause.WORKER_LOST),
)
"""The same when a member of the last round has not come back."""


_CHARGED: Final = frozenset({RestartCause.RANK_FAILED, RestartCause.RANK_HUNG})
"""Nobody pays for workers that are lost, come, or are asked to leave."""


@dataclass(frozen=True)
class Budget:
    """How many failures of ranks a run may have. `reset_after_steps` steps without one, and what
    was counted is forgotten; None for never."""

    max_restarts: int
    reset_after_steps: int | None = None


@dataclass(frozen=True)
class Judgement:
    """Exactly one of `verdict` and a new round; `restart` is None when this is the run's start."""

    history: History
    restart: PendingRestart | None = None
    verdict: Verdict | None = None


def judge(arrivals: Sequence[Arrival], budget: Budget) -> Judgement:
    """The meaning of a round that these workers form."""
    before = max((a.history for a in arrivals), key=lambda h: (h.charged, h.workers))
    first = _first_cause(arrivals, before)
    if first is None:
        return Judgement(History(workers=len(arrivals)))
    cause, end = first
    step = max(a.end.step for a in arrivals)
    history = _charged(before, cause in _CHARGED, step, budget).model_copy(
        update={"signature": end.signature, "workers": len(arrivals)}
    )
    if end.signature and end.signature == before.signature:
        return Judgement(history, verdict=_repeated(end))
    if history.charged > budget.max_restarts:
        return Judgement(history, verdict=_exhausted(end, budget.max_restarts))
    restart = PendingRestart(
        at=datetime.fromtimestamp(end.at, UTC),
        cause=cause,
        detail=end.detail,
        rank=end.rank,
        from_step=step,
    )
    return Judgement(history, restart=restart)


def _charged(before: History, charged: bool, step: int, budget: Budget) -> History:
    healthy = budget.reset_after_steps
    forgiven = healthy is not None and step - before.charged_at >= healthy
    return before.model_copy(
        update={
            "charged": (0 if forgiven else before.charged) + charged,
            "charged_at": step if charged else before.charged_at,
        }
    )


def _first_cause(
    arrivals: Sequence[Arrival], before: History
) -> tuple[RestartCause, RoundEnd] | None:
    """The cause nearest to the root, with the end that tells of it; None at the run's start."""
    survivors = sorted(
        (a.end for a in arrivals if a.end.kind is not EndKind.FRESH), key=lambda end: end.at
    )
    causes = _CAUSES_WITH_A_LOSS if len(survivors) < before.workers else _CAUSES
    return next(
        ((cause, end) for kind, cause in causes for end in survivors if kind in (end.kind, None)),
        None,
    )


def _repeated(end: RoundEnd) -> Verdict:
    failure = Failure(
        reason="UserError",
        message=f"rank {end.rank} failed twice in a row at the same place: {end.detail}",
        rank=end.rank,
        retryable=False,
    )
    return Verdict(exit_code=ExitCode.USER_ERROR, failure=failure)


def _exhausted(end: RoundEnd, max_restarts: int) -> Verdict:
    failure = Failure(
        reason="RestartsExhausted",
        message=f"ranks failed more than {max_restarts} times, at last: {end.detail}",
        field="spec.workers.elastic.maxRestarts",
        rank=end.rank,
        retryable=False,
    )
    return Verdict(exit_code=ExitCode.RESTARTS_EXHAUSTED, failure=failure)

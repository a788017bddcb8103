"""How a run's history grows with its reports, and stays small. Pure."""

from __future__ import annotations

from typing import Final

from trainingrun_operator.api.history import History, Point, RestartMark
from trainingrun_operator.lifecycle.observed import ReceivedReport
from trainingrun_operator.lifecycle.progress import progress
from trainingrun_trainer.report import Restart

POINTS: Final = 160
"""About 8 KiB as JSON; more than a plot of this many pixels a curve can show apart."""
MARKS: Final = 64


def extended(history: History, received: ReceivedReport) -> History:
    """The history with a report more; of the reports that share a point the newest stays."""
    point = _point(received)
    block = received.report.training_run
    if block is not None:
        history = _with_marks(
            history,
            tuple(map(_mark, block.restarts)),
            tuple(record.step for record in block.checkpoints if record.verified),
        )
    points = history.points
    if points and point.step == points[-1].step:
        return history.model_copy(update={"points": (*points[:-1], point)})
    if points and point.step > points[-1].step and history.pending < history.stride:
        update = {"points": (*points[:-1], point), "pending": history.pending + 1}
        return history.model_copy(update=update)
    return _bounded(history.model_copy(update={"points": (*points, point), "pending": 1}))


def joined(before: History, after: History) -> History:
    """What was kept before the operator was started again, and what came since."""
    since = after.points[0].at if after.points else 0
    kept = tuple(point for point in before.points if point.at < since or not after.points)
    both = History(
        stride=max(before.stride, after.stride),
        pending=after.pending,
        points=(*kept, *after.points),
        restarts=before.restarts,
        checkpoints=before.checkpoints,
    )
    return _bounded(_with_marks(both, after.restarts, after.checkpoints))


def _bounded(history: History) -> History:
    """Every second point goes when there are too many; the newest always stays."""
    while len(history.points) > POINTS:
        thinned = history.points[::-1][::2][::-1]
        history = history.model_copy(
            update={
                "points": thinned,
                "stride": 2 * history.stride,
                # The last point stands for the one before it as well, which has gone.
                "pending": history.pending + history.stride,
            }
        )
    return history


def _with_marks(
    history: History, restarts: tuple[RestartMark, ...], checkpoints: tuple[int, ...]
) -> History:
    by_time = {mark.at: mark for mark in (*history.restarts, *restarts)}
    steps = sorted({*history.checkpoints, *checkpoints})
    update = {
        "restarts": tuple(by_time[at] for at in sorted(by_time))[-MARKS:],
        "checkpoints": tuple(steps)[-MARKS:],
    }
    return history.model_copy(update=update)


def _mark(restart: Restart) -> RestartMark:
    return RestartMark(
        restart.at,
        restart.cause,
        restart.from_step,
        restart.resumed_step,
        restart.seconds_to_first_step,
    )


def _point(received: ReceivedReport) -> Point:
    now = progress(None, received)
    block = received.report.training_run
    return Point(
        at=round(received.at.timestamp()),
        step=now.step,
        loss=now.loss,
        learning_rate=_short(now.learning_rate),
        samples_per_second=_short(now.samples_per_second),
        world_size=block.world_size if block else 0,
    )


def _short(value: float | None) -> float | None:
    """Four digits are more than a plot shows."""
    return None if value is None else float(f"{value:.4g}")

"""A run's status as a page to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubectl_trainingrun.text import aligned, number
from trainingrun_operator.api.status import Status


def page(run: dict[str, Any]) -> str:
    """The page for a TrainingRun as the API server gives it: plain text, one section a subject."""
    metadata, status = run["metadata"], Status.model_validate(run.get("status", {}))
    phase = status.phase or "no status yet: is the operator running?"
    lines = [f"{metadata['name']} in {metadata['namespace']}: {phase}"]
    if status.message:
        lines.append(f"  {status.message}")
    if status.attempt:
        lines.append(f"  retried: this is attempt {status.attempt}")
    sections = (
        ("Progress", _progress(status)),
        ("Result", _summary(status)),
        ("Workers", _workers(status)),
        ("Restarts", _restarts(status)),
        ("Checkpoints", _checkpoints(status)),
        ("Conditions", _conditions(status)),
        ("Plan", _plan(status)),
    )
    for title, entries in sections:
        if rows := list(entries):
            lines += ["", title, *aligned(rows, "  ")]
    return "\n".join(lines) + "\n"


Row = tuple[str, ...]


def _progress(status: Status) -> Iterator[Row]:
    if (progress := status.progress) is None:
        return
    yield "step", progress.steps or f"{progress.step}/{progress.total_steps}"
    yield "loss", number(progress.loss)
    yield "learning rate", number(progress.learning_rate)
    if progress.tokens_per_second is not None:
        yield "throughput", f"{progress.tokens_per_second:.0f} tokens/s"
    if progress.eta:
        yield "time left", progress.eta
    for name, value in status.evaluation.items():
        yield f"held-out {name}", number(value)


def _summary(status: Status) -> Iterator[Row]:
    if (summary := status.summary) is None:
        return
    yield "steps", str(summary.steps)
    yield "loss", f"{number(summary.first_loss)} -> {number(summary.last_loss)}"
    for name, value in summary.evaluation.items():
        first = summary.first_evaluation.get(name)
        change = number(value) if first is None else f"{number(first)} -> {number(value)}"
        yield f"held-out {name}", change
    if summary.tokens_per_second is not None:
        yield "throughput", f"{summary.tokens_per_second:.0f} tokens/s"
    if summary.wall_seconds is not None:
        yield "wall time", f"{summary.wall_seconds:.0f} s"
    if summary.model:
        yield "model", summary.model


def _workers(status: Status) -> Iterator[Row]:
    if status.workers.desired:
        yield "running", f"{status.workers.running} of {status.workers.desired}"


def _restarts(status: Status) -> Iterator[Row]:
    restarts = status.restarts
    if restarts.total:
        yield "total", f"{restarts.total} (ranks {restarts.ranks}, pods {restarts.pods})"
    for restart in restarts.recent:
        took = restart.seconds_to_first_step
        back = "" if took is None else f", back in {took:.1f} s"
        yield (
            f"{restart.at:%Y-%m-%d %H:%M:%S}",
            f"{restart.cause}: resumed at step {restart.resumed_step}, "
            f"{restart.lost_steps} step(s) lost{back} {restart.detail}".rstrip(),
        )


def _checkpoints(status: Status) -> Iterator[Row]:
    for record in status.checkpoints.recent:
        state = "verified" if record.verified else f"set aside: {record.problem or 'damaged'}"
        yield f"step {record.step}", f"{record.size_bytes / 1e6:.1f} MB", record.path, state


def _conditions(status: Status) -> Iterator[Row]:
    for condition in status.conditions:
        yield condition.type, condition.status, condition.reason, condition.message


def _plan(status: Status) -> Iterator[Row]:
    for choice in status.plan:
        yield choice.name, choice.value, choice.reason

"""The lines of the training log. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from trainingrun_trainer.report import CheckpointRecord, Restart


def duration(seconds: float) -> str:
    """Hours, minutes and seconds in short: 1h02m, 1m10s, 9s."""
    whole = round(max(seconds, 0))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def training(
    *,
    step: int,
    total: int,
    loss: float,
    learning_rate: float,
    samples_per_second: float | None,
    tokens_per_second: float | None,
    eta_seconds: float | None,
) -> str:
    """One logging step; what is not known yet is left out."""
    parts = [
        f"step {step:>{len(str(total))}}/{total}",
        f"loss {loss:.3f}",
        f"lr {learning_rate:.1e}",
    ]
    if samples_per_second is not None:
        parts.append(f"{samples_per_second:.1f} samples/s")
    if tokens_per_second is not None:
        parts.append(f"{tokens_per_second:.0f} tokens/s")
    if eta_seconds is not None:
        parts.append(f"eta {duration(eta_seconds)}")
    return "  ".join(parts)


def evaluation(step: int, metrics: Mapping[str, float]) -> str:
    numbers = "  ".join(
        f"{name} {value:.0f}" if value.is_integer() else f"{name} {value:.3f}"
        for name, value in metrics.items()
    )
    return f"evaluation at step {step}  {numbers}"


def checkpoint(record: CheckpointRecord) -> str:
    if record.problem is not None:
        return f"checkpoint {record.step} set aside: {record.problem}"
    return f"checkpoint {record.step} saved and verified, {record.size_bytes / 1e6:.1f} MB"


def restart(record: Restart) -> str:
    seconds = record.seconds_to_first_step
    took = f", first step after {seconds:.1f}s" if seconds is not None else ""
    return (
        f"resumed from step {record.resumed_step}: {record.lost_steps} steps lost to "
        f"{record.cause}{took}"
    )

"""Whose fault an exception in a rank is, and what to write down about it."""

from __future__ import annotations

import re
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

import torch.distributed as dist

from trainingrun_trainer.batching import IndivisibleBatchError
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.handover import FailureNote, FaultKind

_PACKAGE: Final = Path(__file__).parents[1]

_GLOO_WORDS: Final = ("gloo/", "Connection closed by peer", "Connection reset by peer")
"""What gloo's exceptions say when a peer is gone; they are plain RuntimeErrors."""

_CCL_TRANSFER: Final = re.compile(r"oneCCL: \w*(?:send|recv)\w*_entry\.hpp:")
"""How oneCCL's exceptions begin when data could not be sent or received, by its sources; seen in
others' reports, not in a run of ours. They are plain RuntimeErrors too."""


def note(error: BaseException, rank: int, step: int) -> FailureNote:
    """What the launcher needs to know of a failed rank."""
    return FailureNote(
        kind=kind(error),
        rank=rank,
        at=time.time(),
        step=step,
        message=_message(error)[:1024],
        field=_field(error),
        signature=f"{type(error).__qualname__} at {_own_frame(error.__traceback__)}"[:1024],
    )


def kind(error: BaseException) -> FaultKind:
    """Whose fault it is, as far as the exception shows."""
    if isinstance(error, UserError | IndivisibleBatchError):
        return FaultKind.USER
    if isinstance(error, dist.DistError):
        return FaultKind.PEER
    if isinstance(error, RuntimeError) and _tells_of_a_peer(str(error)):
        return FaultKind.PEER
    return FaultKind.OWN


def _tells_of_a_peer(text: str) -> bool:
    return any(word in text for word in _GLOO_WORDS) or bool(_CCL_TRANSFER.search(text))


def _message(error: BaseException) -> str:
    if isinstance(error, UserError):
        return error.message
    return traceback.format_exception_only(error)[-1].strip()


def _field(error: BaseException) -> str | None:
    if isinstance(error, UserError):
        return error.field
    return "spec.training.globalBatchSize" if isinstance(error, IndivisibleBatchError) else None


def _own_frame(trace: TracebackType | None) -> str:
    """The innermost place in our or the user's code; the innermost at all if there is none."""
    frames = traceback.extract_tb(trace)
    ours = [f for f in frames if "site-packages" not in f.filename or _is_ours(f.filename)]
    return next((f"{f.filename}:{f.lineno}" for f in reversed(ours or frames)), "nowhere")


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(_PACKAGE)

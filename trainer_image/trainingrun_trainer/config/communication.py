"""How ranks talk to each other, as the operator decided it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainingrun_trainer.rules import Group


class Communication(Group):
    """How ranks talk to each other."""

    backend: Literal["gloo", "ccl", "nccl"] = "gloo"
    interface: str | None = Field(
        None, description="The network interface to talk over; the host name's if absent."
    )
    timeout_seconds: int = Field(
        300, ge=5, description="A collective that takes longer has failed."
    )

"""How ranks talk to each other: `spec.communication`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainingrun_trainer.rules import Group


class CommunicationSpec(Group):
    """How ranks talk to each other."""

    backend: Literal["auto", "gloo"] = Field(
        "auto", description="torch.distributed backend; auto: gloo on CPUs."
    )
    timeout_seconds: int = Field(
        300, ge=5, le=86400, description="A collective that takes longer has failed."
    )

"""How ranks talk to each other, as the operator decided it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from trainingrun_trainer.rules import Group


class BackendName(StrEnum):
    """A backend of torch.distributed, by the name that torch knows it by."""

    GLOO = "gloo"
    CCL = "ccl"
    MPI = "mpi"
    NCCL = "nccl"


class Communication(Group):
    """How ranks talk to each other."""

    backend: BackendName = BackendName.GLOO
    required: bool = Field(
        False, description="Fail where the backend cannot be had, instead of using gloo."
    )
    interface: str | None = Field(
        None, description="The network interface to talk over; the host name's if absent."
    )
    timeout_seconds: int = Field(
        300, ge=5, description="A collective that takes longer has failed."
    )

"""How ranks talk to each other: `spec.communication`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from trainingrun_trainer.rules import Group, Rule

InterfaceName = Annotated[
    str,
    # The kernel's own limit is 15 bytes and a zero.
    StringConstraints(min_length=1, max_length=15, pattern=r"^[a-zA-Z0-9._-]+$"),
    Field(examples=["eth0"]),
]


class CommunicationSpec(Group):
    """How ranks talk to each other."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.required) || !self.required || self.backend != 'auto'",
            holds=lambda c: not c.required or c.backend != "auto",
            message="auto takes what there is; name the backend that is required, or remove it",
            field="required",
        ),
    )

    backend: Literal["auto", "gloo", "ccl", "mpi"] = Field(
        "auto",
        description="torch.distributed backend; auto: gloo on CPUs. ccl where the runtime has none "
        "becomes gloo, and condition StackVerified says so.",
    )
    required: bool = Field(
        False, description="Refuse the run where the runtime lacks the backend, in place of gloo."
    )
    interface: InterfaceName | None = Field(
        None,
        description="The pod's network interface that ranks talk over; the one of its host name "
        "if absent.",
    )
    timeout_seconds: int = Field(
        300, ge=5, le=86400, description="A collective that takes longer has failed."
    )

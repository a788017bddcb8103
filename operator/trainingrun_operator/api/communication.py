"""How ranks talk to each other: `spec.communication`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel

from trainingrun_trainer.rules import Group, Rule

InterfaceName = Annotated[
    str,
    # The kernel's own limit is 15 bytes and a zero.
    StringConstraints(min_length=1, max_length=15, pattern=r"^[a-zA-Z0-9._-]+$"),
    Field(examples=["eth0"]),
]


CpuList = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=r"^[0-9]+([,-][0-9]+)*$"),
    Field(examples=["3,7"]),
]


def _of_oneccl(name: str) -> Rule:
    """Other backends have no such threads."""
    field = to_camel(name)
    return Rule(
        cel=f"!has(self.{field}) || self.backend in ['auto', 'ccl']",
        holds=lambda c: getattr(c, name) is None or c.backend in {"auto", "ccl"},
        message="only oneCCL has workers; remove it, or write backend: ccl",
        field=field,
    )


class CommunicationSpec(Group):
    """How ranks talk to each other."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.required) || !self.required || self.backend != 'auto'",
            holds=lambda c: not c.required or c.backend != "auto",
            message="auto takes what there is; name the backend that is required, or remove it",
            field="required",
        ),
        *map(_of_oneccl, ("ccl_workers", "ccl_worker_affinity")),
    )

    backend: Literal["auto", "gloo", "ccl", "mpi"] = Field(
        "auto",
        description="torch.distributed backend; auto: ccl in runtime xeon, else gloo. ccl where "
        "the runtime has none becomes gloo, and condition StackVerified says so.",
    )
    required: bool = Field(
        False, description="Refuse the run where the runtime lacks the backend, in place of gloo."
    )
    interface: InterfaceName | None = Field(
        None,
        description="The pod's network interface that ranks talk over; the one of its host name "
        "if absent.",
    )
    ccl_workers: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Threads of each rank in which oneCCL moves data, at the cost of a thread "
        "each; 1 if absent.",
    )
    ccl_worker_affinity: CpuList | None = Field(
        None,
        description="CPUs of oneCCL's threads, for all ranks of a worker one after another; if "
        "absent the last of those that each rank may use.",
    )
    timeout_seconds: int = Field(
        300, ge=5, le=86400, description="A collective that takes longer has failed."
    )

"""What a run starts from: `spec.resume`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from trainingrun_trainer.rules import Group, Rule


class ResumeFrom(StrEnum):
    """Whose checkpoints a run that has none of its own starts from."""

    NONE = "none"
    LATEST = "latest"
    RUN = "run"


class Resume(Group):
    """What a run starts from. Once it has a checkpoint of its own, it goes on from that."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.run) == (has(self.from) && self.from == 'run')",
            holds=lambda r: (r.run is not None) == (r.source is ResumeFrom.RUN),
            message="run names whose checkpoints to start from; give from: run and run, or neither",
            field="run",
        ),
        Rule(
            cel="!has(self.step) || has(self.run)",
            holds=lambda r: r.step is None or r.run is not None,
            message="step chooses among the checkpoints of another run; remove it, or give run",
            field="step",
        ),
    )

    source: ResumeFrom = Field(
        ResumeFrom.NONE,
        alias="from",
        description="none: from the beginning; what an earlier run of this name left is set aside. "
        "latest: from the newest whole checkpoint of an earlier run of this name, which becomes "
        "this run's. run: from one of another run, which is only read.",
    )
    run: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=50, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$"),
            Field(examples=["python-lm"]),
        ]
        | None
    ) = Field(
        None,
        description="A run whose folder is on the same claim, in the same sub-path. Its model and "
        "global batch must be this run's.",
    )
    step: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="The step of its checkpoint; its newest that is whole if absent.",
    )

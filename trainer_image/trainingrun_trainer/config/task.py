"""What the model is trained to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from trainingrun_trainer.config.sources import LocalPath
from trainingrun_trainer.rules import Group, Rule

BLOCK_SIZE: Final = 256
"""Tokens in one training sample when the user names no number."""

ModuleName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=256,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$",
    ),
    Field(examples=["my_package.train"]),
]
Argument = Annotated[str, StringConstraints(max_length=4096)]


class TaskType(StrEnum):
    """What the model is trained to do."""

    CAUSAL_LM = "causal-lm"
    SCRIPT = "script"
    """The user's own program."""


class Task(Group):
    """What the model is trained to do, and the settings of that task."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.type == 'script' ? has(self.program) != has(self.module) : true",
            holds=lambda t: t.type is not TaskType.SCRIPT or bool(t.program) != bool(t.module),
            message="a script is either a program or a module; give exactly one of them",
            field="program",
        ),
        Rule(
            cel="self.type == 'script' || "
            "!(has(self.program) || has(self.module) || has(self.arguments))",
            holds=lambda t: (
                t.type is TaskType.SCRIPT
                or (t.program is None and t.module is None and t.arguments is None)
            ),
            message="program, module and arguments belong to the task script; remove them, or "
            "write type: script",
            field="type",
        ),
        Rule(
            cel="self.type != 'script' || !has(self.blockSize)",
            holds=lambda t: t.type is not TaskType.SCRIPT or t.block_size is None,
            message="a script packs its own samples; remove blockSize",
            field="blockSize",
        ),
    )

    type: TaskType = Field(
        description="The task: causal-lm trains a model to predict the next token; script runs "
        "a program of your own in every rank."
    )
    block_size: int | None = Field(
        None,
        ge=8,
        le=131072,
        description="Tokens in one training sample; texts are packed to this length. "
        f"{BLOCK_SIZE} if absent. Not for script.",
    )
    program: LocalPath | None = Field(
        None, description="A Python file in the pod, for script. Each rank runs it as __main__."
    )
    module: ModuleName | None = Field(
        None, description="A Python module of the image, for script, in place of program."
    )
    arguments: tuple[Argument, ...] | None = Field(
        None,
        max_length=256,
        description="What the program finds in sys.argv; no shell reads them.",
    )

    @property
    def tokens(self) -> int:
        """Tokens in one training sample."""
        return BLOCK_SIZE if self.block_size is None else self.block_size

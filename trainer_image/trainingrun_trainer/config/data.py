"""What to train on, and what to hold out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from trainingrun_trainer.config.sources import BUILTIN_PYTHON_STDLIB, DataSource
from trainingrun_trainer.rules import Group, Rule


class DataFormat(StrEnum):
    """What a file holds."""

    TEXT = "text"
    JSON_LINES = "jsonl"


class Data(Group):
    """What to train on, and what to hold out."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.evaluation) && has(self.evaluationPercent))",
            holds=lambda d: d.evaluation is None or d.evaluation_percent is None,
            message="the held-out data is already given by evaluation; remove one of the two",
            field="evaluationPercent",
        ),
        Rule(
            cel="has(self.column) == (self.format == 'jsonl')",
            holds=lambda d: (d.column is not None) == (d.format is DataFormat.JSON_LINES),
            message="column names the text in each line of jsonl, and plain text has none; "
            "give format: jsonl and column, or neither",
            field="column",
        ),
    )

    train: DataSource = Field(
        description=f"A folder or file in the pod, or {BUILTIN_PYTHON_STDLIB}: the source text of "
        "the Python standard library."
    )
    evaluation: DataSource | None = Field(
        None, description="Held-out data: a folder or file in the pod."
    )
    evaluation_percent: int | None = Field(
        None,
        ge=1,
        le=50,
        description="Hold out this share of the files of train, chosen by a hash of their names.",
    )
    files: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        "**/*", description="Which files of a folder to read, as a glob pattern relative to it."
    )
    format: DataFormat = Field(
        DataFormat.TEXT,
        description="text: a file is one text, in UTF-8. jsonl: each line is a JSON object with a "
        "text in it.",
    )
    column: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        None, description="jsonl: the key of the text in each object."
    )
    max_samples: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="Train on at most so many samples of task.blockSize tokens, the first ones.",
    )
    max_megabytes: int | None = Field(
        None, ge=1, le=1048576, description="Read at most this much training text, in 10^6 bytes."
    )

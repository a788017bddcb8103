"""What to train on, and what to hold out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from trainingrun_trainer.config.columns import Columns
from trainingrun_trainer.config.sources import BUILTIN_PYTHON_STDLIB, DataSource
from trainingrun_trainer.rules import Group, Rule


class DataFormat(StrEnum):
    """What a file holds."""

    TEXT = "text"
    JSON_LINES = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    ARROW = "arrow"


class Data(Group):
    """What to train on, and what to hold out."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.evaluation) && has(self.evaluationPercent))",
            holds=lambda d: d.evaluation is None or d.evaluation_percent is None,
            message="the held-out data is already given by evaluation; remove one of the two",
            field="evaluationPercent",
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
        description="Hold out this share of train, chosen by a hash: of the files' names where "
        "texts are packed, else of the rows' places.",
    )
    files: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        "**/*", description="Which files of a folder to read, as a glob pattern relative to it."
    )
    format: DataFormat | None = Field(
        None,
        description="What the files hold; by their names if absent: those that end in .jsonl, "
        ".json, .csv, .tsv, .parquet or .arrow are tables, all others texts in UTF-8.",
    )
    columns: Columns | None = Field(
        None, description="The data's names of the columns that the task reads."
    )
    max_samples: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="Train on at most so many samples, the first ones: blocks of packed text, or "
        "rows of a table.",
    )
    max_megabytes: int | None = Field(
        None, ge=1, le=1048576, description="Read at most this much training text, in 10^6 bytes."
    )

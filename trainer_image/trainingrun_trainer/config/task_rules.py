"""Rules that a task puts on the groups beside it, for the spec and the RunConfig alike."""

from __future__ import annotations

from typing import Any, Final

from pydantic.alias_generators import to_camel

from trainingrun_trainer.config.columns import PARTS, Columns
from trainingrun_trainer.config.data import DataFormat
from trainingrun_trainer.config.task import Problem, TaskType
from trainingrun_trainer.rules import Rule

_DECODERS: Final = ("llama", "mistral", "qwen2")
_EVERY_LABEL: Final = (
    TaskType.QUESTION_ANSWERING,
    TaskType.TEXT_CLASSIFICATION,
    TaskType.TOKEN_CLASSIFICATION,
)
_TASKS_OF: Final[dict[str, tuple[TaskType, ...]]] = {
    **dict.fromkeys(_DECODERS, (TaskType.CAUSAL_LM, *_EVERY_LABEL)),
    "bert": (TaskType.MASKED_LM, *_EVERY_LABEL),
    "bart": (TaskType.SEQ2SEQ,),
}
"""The tasks that an architecture can be trained for from scratch."""


def _reads_column(part: str) -> Rule:
    camel, tasks = to_camel(part), Columns.TASKS[part]
    names = [task.value for task in tasks]

    def holds(run: Any) -> bool:
        columns = run.data.columns if run.data is not None else None
        return columns is None or getattr(columns, part) is None or run.task.type in tasks

    return Rule(
        cel="!has(self.data) || !has(self.data.columns) || "
        f"!has(self.data.columns.{camel}) || "
        f"self.task.type in {names!r}",
        holds=holds,
        message=f"{camel} belongs to {' and '.join(names)}; remove it or change task.type",
        field=f"data.columns.{camel}",
    )


def _suits(architecture: str) -> Rule:
    tasks = _TASKS_OF[architecture]
    names = [task.value for task in tasks]

    def holds(run: Any) -> bool:
        shape = run.model.from_scratch if run.model is not None else None
        return shape is None or shape.model_type != architecture or run.task.type in tasks

    return Rule(
        cel="!has(self.model) || !has(self.model.fromScratch) || "
        f"self.model.fromScratch.modelType != '{architecture}' || self.task.type in {names!r}",
        holds=holds,
        message=f"{architecture} can be trained for {', '.join(names)}; "
        "write another modelType or another task.type",
        field="model.fromScratch.modelType",
    )


_READS_TEXT: Final = (TaskType.CAUSAL_LM, TaskType.MASKED_LM)
_TABLES_ONLY: Final = Rule(
    cel="!has(self.data) || !has(self.data.format) || self.data.format != 'text' || "
    f"self.task.type in {[task.value for task in _READS_TEXT]!r}",
    holds=lambda run: (
        run.data is None or run.data.format is not DataFormat.TEXT or run.task.type in _READS_TEXT
    ),
    message="this task reads tables with the columns of data.columns; write another format",
    field="data.format",
)
_SMOOTHED: Final = Rule(
    cel="!has(self.training) || !has(self.task.problem) || self.task.problem == 'single-label' || "
    "self.training.arguments.labelSmoothingFactor == 0.0",
    holds=lambda run: (
        run.training is None
        or run.task.problem in (None, Problem.SINGLE_LABEL)
        or run.training.arguments.label_smoothing_factor == 0
    ),
    message="only the choice of one label can be smoothed; write 0",
    field="training.arguments.labelSmoothingFactor",
)

TASK_RULES: Final = (
    *map(_reads_column, PARTS),
    *map(_suits, _TASKS_OF),
    _TABLES_ONLY,
    _SMOOTHED,
)

"""Which recipe a task has, for those whose examples are rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trainingrun_trainer.config import Task, TaskType
from trainingrun_trainer.tasks.instructions import Instructions
from trainingrun_trainer.tasks.question_answering import QuestionAnswering
from trainingrun_trainer.tasks.recipe import Recipe
from trainingrun_trainer.tasks.seq2seq import Seq2Seq
from trainingrun_trainer.tasks.text_classification import TextClassification
from trainingrun_trainer.tasks.token_classification import TokenClassification

_RECIPES: Final[dict[TaskType, Callable[[Task], Recipe]]] = {
    TaskType.CAUSAL_LM: Instructions,
    TaskType.QUESTION_ANSWERING: QuestionAnswering,
    TaskType.TEXT_CLASSIFICATION: TextClassification,
    TaskType.TOKEN_CLASSIFICATION: TokenClassification,
    TaskType.SEQ2SEQ: Seq2Seq,
}


def recipe(task: Task) -> Recipe:
    """The recipe of a task."""
    return _RECIPES[task.type](task)

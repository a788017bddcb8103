"""Which column of the data plays which part in a task."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from trainingrun_trainer.config.task import TaskType
from trainingrun_trainer.rules import Group

Column = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Columns(Group):
    """The data's own names of the columns that a task reads; absent: as the part is called."""

    TASKS: ClassVar[dict[str, tuple[TaskType, ...]]] = {
        "text": (TaskType.TEXT_CLASSIFICATION, TaskType.CAUSAL_LM, TaskType.MASKED_LM),
        "text_pair": (TaskType.TEXT_CLASSIFICATION,),
        "label": (TaskType.TEXT_CLASSIFICATION,),
        "tokens": (TaskType.TOKEN_CLASSIFICATION,),
        "tags": (TaskType.TOKEN_CLASSIFICATION,),
        "id": (TaskType.QUESTION_ANSWERING,),
        "question": (TaskType.QUESTION_ANSWERING,),
        "context": (TaskType.QUESTION_ANSWERING,),
        "answers": (TaskType.QUESTION_ANSWERING,),
        "source": (TaskType.SEQ2SEQ,),
        "target": (TaskType.SEQ2SEQ,),
        "prompt": (TaskType.CAUSAL_LM,),
        "completion": (TaskType.CAUSAL_LM,),
        "messages": (TaskType.CAUSAL_LM,),
    }
    """The tasks that read each column."""

    text: Column | None = Field(None, description="The text.")
    text_pair: Column | None = Field(
        None, description="text-classification: a second text; without it there is none."
    )
    label: Column | None = Field(
        None, description="text-classification: a label, a list of them, or a number."
    )
    tokens: Column | None = Field(None, description="token-classification: a list of words.")
    tags: Column | None = Field(
        None, description="token-classification: a label for each word, such as B-PER, I-PER and O."
    )
    id: Column | None = Field(
        None, description="question-answering: a name for the question in the predictions."
    )
    question: Column | None = Field(None, description="question-answering: the question.")
    context: Column | None = Field(
        None, description="question-answering: the text that holds the answer."
    )
    answers: Column | None = Field(
        None,
        description="question-answering: {text: [...], answer_start: [...]}, as SQuAD has it.",
    )
    source: Column | None = Field(None, description="seq2seq: the text to read.")
    target: Column | None = Field(None, description="seq2seq: the text to write.")
    prompt: Column | None = Field(None, description="causal-lm, separate: what is given.")
    completion: Column | None = Field(
        None, description="causal-lm, separate: what follows on the prompt."
    )
    messages: Column | None = Field(
        None,
        description="causal-lm, separate: a conversation, a list of {role, content}.",
    )

    def named(self, part: str) -> str:
        """The data's name of a part, given in snake_case."""
        name: str | None = getattr(self, part)
        return name if name is not None else part


PARTS: Final = tuple(Columns.TASKS)

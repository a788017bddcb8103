"""What the model is trained to do, with the settings of each task in one group."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel

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
    """What the model is trained to do, by Hugging Face's name of the task."""

    CAUSAL_LM = "causal-lm"
    MASKED_LM = "masked-lm"
    QUESTION_ANSWERING = "question-answering"
    TEXT_CLASSIFICATION = "text-classification"
    TOKEN_CLASSIFICATION = "token-classification"  # noqa: S105 - the name of a task
    SEQ2SEQ = "seq2seq"
    SCRIPT = "script"
    """The user's own program."""


class Packing(StrEnum):
    """How texts become samples of causal-lm."""

    BLOCKS = "blocks"
    SEPARATE = "separate"


class LossOn(StrEnum):
    """Which tokens of an example of causal-lm are learnt."""

    ALL = "all"
    COMPLETION = "completion"


class Problem(StrEnum):
    """What kind of answer text-classification gives."""

    SINGLE_LABEL = "single-label"
    MULTI_LABEL = "multi-label"
    REGRESSION = "regression"


def _belongs(field: str, *tasks: TaskType) -> Rule:
    """The rule that a field is given only for the tasks that read it."""
    camel, names = to_camel(field), [task.value for task in tasks]
    return Rule(
        cel=f"!has(self.{camel}) || self.type in {names!r}",
        holds=lambda task: getattr(task, field) is None or task.type in tasks,
        message=f"{camel} belongs to {' and '.join(names)}; remove it or change type",
        field=camel,
    )


def _with_labels(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda task: task.labels is None or holds(task)


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
        _belongs("packing", TaskType.CAUSAL_LM),
        _belongs("loss_on", TaskType.CAUSAL_LM),
        _belongs("chat_template", TaskType.CAUSAL_LM),
        _belongs("mask_probability", TaskType.MASKED_LM),
        _belongs("stride", TaskType.QUESTION_ANSWERING),
        _belongs("unanswerable", TaskType.QUESTION_ANSWERING),
        _belongs("best_answers", TaskType.QUESTION_ANSWERING),
        _belongs("max_answer_tokens", TaskType.QUESTION_ANSWERING),
        _belongs("problem", TaskType.TEXT_CLASSIFICATION),
        _belongs("labels", TaskType.TEXT_CLASSIFICATION, TaskType.TOKEN_CLASSIFICATION),
        _belongs("max_target_tokens", TaskType.SEQ2SEQ),
        _belongs("beams", TaskType.SEQ2SEQ),
        Rule(
            cel="!has(self.lossOn) || self.lossOn != 'completion' || "
            "(has(self.packing) && self.packing == 'separate')",
            holds=lambda t: t.loss_on is not LossOn.COMPLETION or t.packing is Packing.SEPARATE,
            message="blocks of packed text have no completion; write packing: separate as well",
            field="lossOn",
        ),
        Rule(
            cel="!has(self.chatTemplate) || (has(self.packing) && self.packing == 'separate')",
            holds=lambda t: t.chat_template is None or t.packing is Packing.SEPARATE,
            message="blocks of packed text have no turns; write packing: separate as well",
            field="chatTemplate",
        ),
        Rule(
            cel="!has(self.stride) || "
            f"self.stride < (has(self.blockSize) ? self.blockSize : {BLOCK_SIZE})",
            holds=lambda t: t.stride is None or t.stride < t.tokens,
            message="windows that overlap by their whole length never end; "
            "write less than blockSize",
            field="stride",
        ),
        Rule(
            cel="!has(self.labels) || !has(self.problem) || self.problem != 'regression'",
            holds=_with_labels(lambda t: t.problem is not Problem.REGRESSION),
            message="regression predicts a number and has no labels; remove them",
            field="labels",
        ),
    )

    type: TaskType = Field(
        description="The task: causal-lm predicts the next token, masked-lm the hidden ones; "
        "question-answering finds an answer in a context; text-classification and "
        "token-classification give labels; seq2seq writes a target text; "
        "script runs a program of your own in every rank."
    )
    block_size: int | None = Field(
        None,
        ge=8,
        le=131072,
        description="Tokens in one training sample. Texts are packed to this length by masked-lm "
        "and packed causal-lm, contexts of question-answering cut into overlapping windows of it, "
        f"and other texts cut after it. {BLOCK_SIZE} if absent. Not for script.",
    )
    packing: Packing | None = Field(
        None,
        description="causal-lm: blocks packs texts one after another, separate makes one sample "
        "of each example; blocks if absent.",
    )
    loss_on: LossOn | None = Field(
        None,
        description="causal-lm: learn all tokens of an example, or only those of its completion "
        "(the assistant's turns of a conversation); all if absent.",
    )
    chat_template: LocalPath | None = Field(
        None,
        description="causal-lm: a file in the pod with the Jinja template that writes "
        "conversations; the tokenizer's own if absent.",
    )
    mask_probability: float | None = Field(
        None, gt=0, lt=1, description="masked-lm: share of tokens to predict; 0.15 if absent."
    )
    stride: int | None = Field(
        None,
        ge=0,
        le=131072,
        description="question-answering: tokens of context that neighbouring windows share; a "
        "third of blockSize if absent.",
    )
    unanswerable: bool | None = Field(
        None,
        description="question-answering: whether questions may have no answer in their context; "
        "false if absent, and such a question is refused.",
    )
    best_answers: int | None = Field(
        None,
        ge=1,
        le=100,
        description="question-answering: answers to write for each question, best first; 20 if "
        "absent.",
    )
    max_answer_tokens: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="question-answering: the longest answer to consider; 30 if absent.",
    )
    problem: Problem | None = Field(
        None,
        description="text-classification: one label for each text, any number of them, or a "
        "number; single-label if absent.",
    )
    labels: (
        Annotated[
            tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...],
            Field(min_length=1, max_length=1024),
        ]
        | None
    ) = Field(
        None,
        description="text-classification, token-classification: the labels in their order in the "
        "model; those of the training data, sorted, if absent.",
    )
    max_target_tokens: int | None = Field(
        None,
        ge=2,
        le=131072,
        description="seq2seq: tokens of the longest target; blockSize if absent.",
    )
    beams: int | None = Field(
        None, ge=1, le=64, description="seq2seq: beams of the search in evaluation; 1 if absent."
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

"""Extractive question answering: the span of a context that answers a question, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForQuestionAnswering, PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import Task
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import losses, spans
from trainingrun_trainer.tasks.collate import TOKENS, Batch, for_model
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample
from trainingrun_trainer.tasks.recipe import Answers

_NO_ANSWER: Final = 0
"""The token that start and end fall on where a window holds no answer: the first, as in BERT's
treatment of SQuAD 2."""
_BEST_ANSWERS: Final = 20
_MAX_ANSWER_TOKENS: Final = 30


@dataclass(frozen=True)
class QuestionAnswering:
    """The recipe. A context longer than a sample is cut into windows that overlap."""

    task: Task

    NEEDS: ClassVar[tuple[str, ...]] = ("pad_token",)
    ALIGNED: ClassVar[tuple[str, ...]] = (*TOKENS, "offsets")
    AUTO_MODEL: ClassVar[Any] = AutoModelForQuestionAnswering

    def example(self, row: Row) -> Example:
        question, context = row.text("question"), row.text("context")
        texts, starts = _answers(row)
        for text, start in zip(texts, starts, strict=True):
            if context[start : start + len(text)] != text:
                raise row.refusal(
                    "answers",
                    f"has the answer {text!r} at character {start}, where the context has "
                    f"{context[start : start + len(text)]!r}; mend answer_start",
                )
        if not texts and not self.task.unanswerable:
            raise row.refusal(
                "answers",
                "has a question without an answer; drop the row or write task.unanswerable: true",
            )
        name = row.value("id") if row.has("id") else row.where
        return {
            "where": row.where,
            "id": str(name),
            "question": question.strip(),
            "context": context,
            "answers": texts,
            "starts": starts,
        }

    def texts(self, example: Example) -> Iterator[str]:
        yield example["question"]
        yield example["context"]

    def labels(self, example: Example) -> Iterable[str]:
        return ()

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        """Every question is checked on its own when it is encoded."""

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        size = self.task.tokens
        stride = self.task.stride if self.task.stride is not None else size // 3
        asked = len(tokenizer(example["question"], add_special_tokens=False)["input_ids"])
        room = size - asked - tokenizer.num_special_tokens_to_add(pair=True)
        if room <= stride:
            raise UserError(
                f"{example['where']} has a question of {asked} tokens, which leaves {max(room, 0)} "
                f"of a sample for its context, of which windows share {stride}; raise "
                "task.blockSize or lower task.stride",
                "spec.task.blockSize",
            )
        encoded = tokenizer(
            example["question"],
            example["context"],
            truncation="only_second",
            max_length=size,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding="max_length",
        )
        for window in range(len(encoded["input_ids"])):
            offsets = _context_offsets(encoded, window)
            sample = {name: np.array(encoded[name][window]) for name in TOKENS if name in encoded}
            sample["labels"] = np.array(_span(offsets, example))
            if held_out:
                sample["offsets"] = offsets
            yield sample

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        return {}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return for_model(batch)

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return losses.of_spans(outputs, labels, smoothing)

    def count(self, labels: torch.Tensor) -> int:
        return losses.count(labels)

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        return {"start": outputs.start_logits, "end": outputs.end_logits}

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        windows = [
            spans.Window(answer["start"], answer["end"], sample["offsets"].numpy())
            for sample, answer in zip(samples, answers, strict=True)
        ]
        best = spans.best_answers(
            example["context"],
            windows,
            at_most=self.task.best_answers or _BEST_ANSWERS,
            max_tokens=self.task.max_answer_tokens or _MAX_ANSWER_TOKENS,
            no_answer=bool(self.task.unanswerable),
        )
        return {
            "id": example["id"],
            "question": example["question"],
            "answer": best[0].text,
            "expected": example["answers"],
            "best": [{"text": found.text, "probability": found.probability} for found in best],
        }

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """Exact match and F1 in percent, as SQuAD's own script counts them."""
        from torchmetrics.functional.text import squad  # noqa: PLC0415 - seconds to load

        found = list(predictions)
        # By number: the data's own names need not be unique.
        given: Any = [{"id": str(n), "prediction_text": p["answer"]} for n, p in enumerate(found)]
        wanted: Any = [
            {"id": str(n), "answers": {"text": p["expected"] or [""], "answer_start": [0]}}
            for n, p in enumerate(found)
        ]
        scores = {name: float(value) for name, value in squad(given, wanted).items()}
        return {**scores, "questions": float(len(found))}


def _answers(row: Row) -> tuple[list[str], list[int]]:
    """Texts and first characters of the answers of a row, as SQuAD has them."""
    given = row.value("answers")
    try:
        texts, starts = list(given["text"]), [int(start) for start in given["answer_start"]]
    except (TypeError, KeyError, ValueError) as error:
        raise row.refusal(
            "answers", "has answers that are not {text: [...], answer_start: [...]}"
        ) from error
    if len(texts) != len(starts) or not all(isinstance(text, str) for text in texts):
        raise row.refusal(
            "answers",
            f"has {len(texts)} texts of answers and {len(starts)} places; give one for each",
        )
    return texts, starts


def _context_offsets(encoded: Any, window: int) -> npt.NDArray[np.int32]:
    """(tokens, 2): first and last character of each token of the context, -1 for others."""
    offsets = np.array(encoded["offset_mapping"][window], dtype=np.int32)
    of_context = np.array([part == 1 for part in encoded.sequence_ids(window)])
    return np.where(of_context[:, None], offsets, np.int32(-1))


def _span(offsets: npt.NDArray[np.int32], example: Example) -> tuple[int, int]:
    """First and last token of the first answer that stands whole in a window."""
    for text, start in zip(example["answers"], example["starts"], strict=True):
        end = start + len(text)
        first = np.flatnonzero((offsets[:, 0] <= start) & (offsets[:, 1] > start))
        last = np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] >= end))
        if first.size and last.size:
            return int(first[0]), int(last[-1])
    return _NO_ANSWER, _NO_ANSWER

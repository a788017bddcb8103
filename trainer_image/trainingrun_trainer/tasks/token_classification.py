"""Token classification: a label for each word, scored by whole entities where labels name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import Task
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import losses
from trainingrun_trainer.tasks.collate import TOKENS, Batch, for_model
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample
from trainingrun_trainer.tasks.recipe import Answers
from trainingrun_trainer.tasks.text_classification import named

_OUTSIDE: Final = "O"
_ENTITY: Final = re.compile(r"[BIES]-.+")


@dataclass(frozen=True)
class TokenClassification:
    """The recipe: the first token of each word is learnt and read, words after the sample's end
    count as outside."""

    task: Task

    NEEDS: ClassVar[tuple[str, ...]] = ("pad_token",)
    ALIGNED: ClassVar[tuple[str, ...]] = (*TOKENS, "labels", "words")
    AUTO_MODEL: ClassVar[Any] = AutoModelForTokenClassification

    def example(self, row: Row) -> Example:
        tokens, tags = row.texts("tokens"), row.texts("tags")
        if len(tokens) != len(tags):
            raise row.refusal(
                "tags", f"has {len(tokens)} tokens and {len(tags)} tags; give one tag for each"
            )
        return {"where": row.where, "tokens": tokens, "tags": tags}

    def texts(self, example: Example) -> Iterator[str]:
        yield " ".join(example["tokens"])

    def labels(self, example: Example) -> Iterable[str]:
        tags: list[str] = example["tags"]
        return tags

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        plain = [label for label in labels if not _ENTITY.fullmatch(label) and label != _OUTSIDE]
        if plain and len(plain) < len(labels) - (_OUTSIDE in labels):
            raise UserError(
                f"some tags name entities, such as {next(filter(_ENTITY.fullmatch, labels))!r}, "
                f"and {plain[0]!r} does not; write B-, I- or O, or none of them",
                "spec.data.columns.tags",
            )
        if len(labels) < 2:
            raise UserError(
                f"every token has the same tag, {''.join(labels)!r}; there is nothing to learn",
                "spec.data.columns.tags",
            )

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        encoded = tokenizer(
            example["tokens"],
            is_split_into_words=True,
            truncation=True,
            max_length=self.task.tokens,
            padding="max_length",
        )
        words = np.array(
            [
                -1 if word is None or word == before else word
                for before, word in _neighbours(encoded.word_ids())
            ]
        )
        numbers = np.array([labels.index(tag) for tag in example["tags"]])
        sample = {name: np.array(encoded[name]) for name in TOKENS if name in encoded}
        sample["labels"] = np.where(words >= 0, numbers[words], losses.IGNORED)
        if held_out:
            sample["words"] = words
        yield sample

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        return named(labels)

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return for_model(batch)

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return losses.of_classes(outputs.logits, labels, smoothing)

    def count(self, labels: torch.Tensor) -> int:
        return losses.count(labels)

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        return {"best": outputs.logits.argmax(dim=-1)}

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        blank = _OUTSIDE if _OUTSIDE in labels else labels[0]
        tags = [blank] * len(example["tokens"])
        best = answers[0]["best"]
        for word, number in zip(samples[0]["words"].tolist(), best.tolist(), strict=False):
            if word >= 0:
                tags[word] = labels[number]
        return {
            "where": example["where"],
            "tokens": example["tokens"],
            "tags": tags,
            "expected": example["tags"],
        }

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """Accuracy over words; precision, recall and F1 over entities, or F1 over plain tags."""
        # Seconds to load.
        from seqeval import metrics as entities  # type: ignore[import-untyped]  # noqa: PLC0415
        from sklearn import metrics as words  # type: ignore[import-untyped]  # noqa: PLC0415

        found = list(predictions)
        wanted = [prediction["expected"] for prediction in found]
        given = [prediction["tags"] for prediction in found]
        flat_wanted, flat_given = (
            [tag for tags in side for tag in tags] for side in (wanted, given)
        )
        scores = {"accuracy": words.accuracy_score(flat_wanted, flat_given)}
        if any(map(_ENTITY.fullmatch, labels)):
            scores |= {
                "precision": entities.precision_score(wanted, given, zero_division=0),
                "recall": entities.recall_score(wanted, given, zero_division=0),
                "f1": entities.f1_score(wanted, given, zero_division=0),
            }
        else:
            scores["f1_macro"] = words.f1_score(
                flat_wanted, flat_given, average="macro", zero_division=0
            )
        return {name: float(score) for name, score in scores.items()}


def _neighbours(words: Sequence[int | None]) -> Iterator[tuple[int | None, int | None]]:
    return zip([None, *words], words, strict=False)

"""Text classification: one label for a text or a pair of them, several labels, or a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch.nn import functional
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainingrun_trainer.config import Problem, Task
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import losses
from trainingrun_trainer.tasks.collate import TOKENS, Batch, for_model
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample
from trainingrun_trainer.tasks.recipe import Answers


@dataclass(frozen=True)
class TextClassification:
    """The recipe; `task.problem` says which kind of answer is learnt."""

    task: Task

    NEEDS: ClassVar[tuple[str, ...]] = ("pad_token",)
    ALIGNED: ClassVar[tuple[str, ...]] = TOKENS
    AUTO_MODEL: ClassVar[Any] = AutoModelForSequenceClassification

    @property
    def problem(self) -> Problem:
        return self.task.problem or Problem.SINGLE_LABEL

    def example(self, row: Row) -> Example:
        texts = [row.text("text")]
        if row.columns.text_pair is not None:
            texts.append(row.text("text_pair"))
        return {"where": row.where, "texts": texts, "answer": self._answer(row)}

    def texts(self, example: Example) -> Iterator[str]:
        yield from example["texts"]

    def labels(self, example: Example) -> Iterable[str]:
        match self.problem:
            case Problem.SINGLE_LABEL:
                return (example["answer"],)
            case Problem.MULTI_LABEL:
                labels: list[str] = example["answer"]
                return labels
            case Problem.REGRESSION:
                return ()

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        if self.problem is Problem.SINGLE_LABEL and len(labels) < 2:
            raise UserError(
                f"every text has the same label, {''.join(labels)!r}; there is nothing to learn",
                "spec.data.columns.label",
            )
        if self.problem is Problem.MULTI_LABEL and not labels:
            raise UserError("no text has any label", "spec.data.columns.label")

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        encoded = tokenizer(
            *example["texts"],
            truncation=True,
            max_length=self.task.tokens,
            padding="max_length",
        )
        sample = {name: np.array(encoded[name]) for name in TOKENS if name in encoded}
        yield {**sample, "labels": self._target(example["answer"], labels)}

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        if self.problem is Problem.REGRESSION:
            return {"num_labels": 1, "problem_type": "regression"}
        kind = "multi" if self.problem is Problem.MULTI_LABEL else "single"
        return {**named(labels), "problem_type": f"{kind}_label_classification"}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return for_model(batch)

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        logits = outputs.logits
        match self.problem:
            case Problem.SINGLE_LABEL:
                return losses.of_classes(logits, labels, smoothing)
            case Problem.MULTI_LABEL:
                return functional.binary_cross_entropy_with_logits(
                    logits.float(), labels, reduction="sum"
                )
            case Problem.REGRESSION:
                return functional.mse_loss(logits.squeeze(-1).float(), labels, reduction="sum")

    def count(self, labels: torch.Tensor) -> int:
        return labels.numel()

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        return {"logits": outputs.logits}

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        logits = answers[0]["logits"]
        said = {"where": example["where"], "expected": example["answer"]}
        match self.problem:
            case Problem.SINGLE_LABEL:
                shares = np.exp(logits - logits.max())
                best = int(logits.argmax())
                probability = float(shares[best] / shares.sum())
                return {**said, "label": labels[best], "probability": probability}
            case Problem.MULTI_LABEL:
                chosen = [label for label, logit in zip(labels, logits, strict=True) if logit > 0]
                return {**said, "labels": chosen}
            case Problem.REGRESSION:
                return {**said, "value": float(logits[0])}

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """Accuracy and F1 of labels; errors and R2 of numbers."""
        # Seconds to load.
        from sklearn import (  # type: ignore[import-untyped]  # noqa: PLC0415
            metrics,
            preprocessing,
        )

        found = list(predictions)
        wanted = [prediction["expected"] for prediction in found]
        match self.problem:
            case Problem.SINGLE_LABEL:
                given = [prediction["label"] for prediction in found]
                scores = {
                    "accuracy": metrics.accuracy_score(wanted, given),
                    "f1_macro": metrics.f1_score(wanted, given, average="macro", zero_division=0),
                }
            case Problem.MULTI_LABEL:
                table = preprocessing.MultiLabelBinarizer(classes=list(labels)).fit(wanted)
                truth = table.transform(wanted)
                guess = table.transform([prediction["labels"] for prediction in found])
                scores = {
                    "accuracy": metrics.accuracy_score(truth, guess),
                    "f1_micro": metrics.f1_score(truth, guess, average="micro", zero_division=0),
                    "f1_macro": metrics.f1_score(truth, guess, average="macro", zero_division=0),
                }
            case Problem.REGRESSION:
                values = [prediction["value"] for prediction in found]
                scores = {
                    "mean_squared_error": metrics.mean_squared_error(wanted, values),
                    "mean_absolute_error": metrics.mean_absolute_error(wanted, values),
                    **({"r2": metrics.r2_score(wanted, values)} if len(found) > 1 else {}),
                }
        return {name: float(score) for name, score in scores.items()}

    def _answer(self, row: Row) -> Any:
        match self.problem:
            case Problem.SINGLE_LABEL:
                return _label(row, row.value("label"))
            case Problem.MULTI_LABEL:
                value = row.value("label")
                if not isinstance(value, list):
                    raise row.refusal(
                        "label", f"has {value!r} for label; multi-label needs a list of labels"
                    )
                return [_label(row, label) for label in value]
            case Problem.REGRESSION:
                return row.number("label")

    def _target(self, answer: Any, labels: Sequence[str]) -> np.typing.NDArray[Any]:
        match self.problem:
            case Problem.SINGLE_LABEL:
                return np.array(labels.index(answer))
            case Problem.MULTI_LABEL:
                return np.array([float(label in answer) for label in labels])
            case Problem.REGRESSION:
                return np.array(answer, dtype=np.float64)


def named(labels: Sequence[str]) -> dict[str, Any]:
    """The labels as a model's configuration carries them."""
    numbers = dict(enumerate(labels))
    return {
        "num_labels": len(labels),
        "id2label": numbers,
        "label2id": {label: number for number, label in numbers.items()},
    }


def _label(row: Row, value: Any) -> str:
    if not isinstance(value, (str, int)) or value == "":
        raise row.refusal(
            "label", f"has {value!r} for label; a name or a whole number belongs there"
        )
    return str(value)

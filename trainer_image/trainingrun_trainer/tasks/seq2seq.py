"""Sequence to sequence: write a target text for a source text, measured by what is generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForSeq2SeqLM, PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import Task
from trainingrun_trainer.tasks import losses
from trainingrun_trainer.tasks.collate import TOKENS, Batch
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample
from trainingrun_trainer.tasks.recipe import Answers

_ROUGE: Final = ("rouge1", "rouge2", "rougeL")
"""Not rougeLsum: it splits sentences by rules that are downloaded."""


@dataclass(frozen=True)
class Seq2Seq:
    """The recipe. The decoder is fed the target moved on by one, as the model itself would."""

    task: Task

    NEEDS: ClassVar[tuple[str, ...]] = ("pad_token", "eos_token")
    ALIGNED: ClassVar[tuple[str, ...]] = TOKENS
    AUTO_MODEL: ClassVar[Any] = AutoModelForSeq2SeqLM

    @property
    def target_tokens(self) -> int:
        return self.task.max_target_tokens or self.task.tokens

    def example(self, row: Row) -> Example:
        return {"where": row.where, "source": row.text("source"), "target": row.text("target")}

    def texts(self, example: Example) -> Iterator[str]:
        yield example["source"]
        yield example["target"]

    def labels(self, example: Example) -> Iterable[str]:
        return ()

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        """Source and target are cut to their lengths: there is nothing to fit."""

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        encoded = tokenizer(
            example["source"],
            truncation=True,
            max_length=self.task.tokens,
            padding="max_length",
        )
        target = tokenizer(
            text_target=example["target"], truncation=True, max_length=self.target_tokens
        )["input_ids"]
        learnt = np.full(self.target_tokens, losses.IGNORED)
        learnt[: len(target)] = target
        yield {
            "input_ids": np.array(encoded["input_ids"]),
            "attention_mask": np.array(encoded["attention_mask"]),
            "labels": learnt,
        }

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        return {}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        learnt = batch["labels"]
        longest = int(learnt.ne(losses.IGNORED).sum(dim=1).max())
        labels = learnt[:, :longest]
        decoder: Any = model
        moved = decoder.prepare_decoder_input_ids_from_labels(labels=labels)
        return {
            "input_ids": batch["input_ids"],
            "attention_mask": batch["attention_mask"],
            "decoder_input_ids": moved,
            "labels": labels,
        }

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return losses.of_classes(outputs.logits, labels, smoothing)

    def count(self, labels: torch.Tensor) -> int:
        return losses.count(labels)

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        generator: Any = model
        written = generator.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            num_beams=self.task.beams or 1,
            do_sample=False,
            max_new_tokens=self.target_tokens,
        )
        # Passes end with their longest text; batches of several are put together by the caller.
        missing = self.target_tokens + 1 - written.shape[1]
        padding = model.generation_config.pad_token_id or model.config.pad_token_id
        return {"tokens": functional.pad(written, (0, missing), value=padding)}

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        text = tokenizer.decode(answers[0]["tokens"], skip_special_tokens=True)
        return {
            "where": example["where"],
            "source": example["source"],
            "text": text,
            "expected": example["target"],
        }

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """ROUGE's F-measures and the share of texts written to the letter."""
        from torchmetrics.functional.text import rouge_score  # noqa: PLC0415 - seconds to load

        found = list(predictions)
        given = [prediction["text"] for prediction in found]
        wanted = [prediction["expected"] for prediction in found]
        scores = rouge_score(given, wanted, rouge_keys=_ROUGE)
        alike = sum(text == expected for text, expected in zip(given, wanted, strict=True))
        return {
            **{name: float(scores[f"{name}_fmeasure"]) for name in _ROUGE},
            "exact_match": alike / len(found),
        }

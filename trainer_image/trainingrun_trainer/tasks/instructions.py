"""Causal language modelling on examples of their own: instructions, conversations, single texts.

Each example is one sample. What of it is learnt is all of it, or the completion alone: what the
model is to write, not what it is given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import LossOn, Task
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import losses
from trainingrun_trainer.tasks.collate import TOKENS, Batch, for_model
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample
from trainingrun_trainer.tasks.recipe import Answers

Piece = tuple[str, bool]
"""A part of an example's text, and whether it is the model's to write."""


@dataclass(frozen=True)
class Instructions:
    """The recipe. A row has `messages`, or `prompt` and `completion`, or `text`."""

    task: Task

    NEEDS: ClassVar[tuple[str, ...]] = ("eos_token",)
    ALIGNED: ClassVar[tuple[str, ...]] = (*TOKENS, "labels")
    AUTO_MODEL: ClassVar[Any] = AutoModelForCausalLM

    def example(self, row: Row) -> Example:
        if row.has("messages"):
            return {"where": row.where, "messages": _messages(row)}
        if row.has("prompt") or row.has("completion"):
            pieces = [(row.text("prompt"), False), (row.text("completion"), True)]
            return {"where": row.where, "pieces": pieces}
        if self.task.loss_on is LossOn.COMPLETION:
            raise row.refusal(
                "completion",
                "has neither prompt and completion nor messages; name their columns, or learn all",
            )
        return {"where": row.where, "pieces": [(row.text("text"), True)]}

    def texts(self, example: Example) -> Iterator[str]:
        yield from (text for text, _ in example.get("pieces", ()))
        yield from (message["content"] for message in example.get("messages", ()))

    def labels(self, example: Example) -> Iterable[str]:
        return ()

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        """Reads the template for conversations into the tokenizer, which carries it from here on.

        Raises:
            UserError: there is no such file.
        """
        if self.task.chat_template is None:
            return
        try:
            tokenizer.chat_template = Path(self.task.chat_template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"the template {self.task.chat_template} cannot be read: {error}",
                "spec.task.chatTemplate",
            ) from error

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        size = self.task.tokens
        conversation = "messages" in example
        pieces = _turns(tokenizer, example) if conversation else example["pieces"]
        ids: list[int] = [] if conversation else _beginning(tokenizer)
        learnt = [losses.IGNORED] * len(ids)
        for text, own in pieces:
            tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids += tokens
            everything = self.task.loss_on is not LossOn.COMPLETION
            learnt += tokens if own or everything else [losses.IGNORED] * len(tokens)
        if not conversation:
            ids.append(tokenizer.eos_token_id)
            learnt.append(tokenizer.eos_token_id)
        learnt[0] = losses.IGNORED  # nothing comes before it to tell it by
        if all(label == losses.IGNORED for label in learnt[:size]):
            raise UserError(
                f"{example['where']} has nothing to learn in its first {size} tokens; raise "
                "task.blockSize or drop the row",
                "spec.task.blockSize",
            )
        yield {
            "input_ids": _filled(ids, size, tokenizer.pad_token_id),
            "attention_mask": _filled([1] * len(ids), size, 0),
            "labels": _filled(learnt, size, losses.IGNORED),
        }

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        return {}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return for_model(batch)

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return losses.of_next_tokens(outputs.logits, labels, smoothing)

    def count(self, labels: torch.Tensor) -> int:
        return losses.count(labels)

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        shifted, labels = outputs.logits[:, :-1].float(), batch["labels"][:, 1:]
        each = torch.nn.functional.cross_entropy(
            shifted.transpose(1, 2), labels, ignore_index=losses.IGNORED, reduction="none"
        )
        return {"nats": each.sum(dim=1), "tokens": labels.ne(losses.IGNORED).sum(dim=1)}

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        nats, tokens = float(answers[0]["nats"]), int(answers[0]["tokens"])
        return {"where": example["where"], "loss": nats / tokens, "tokens": tokens}

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """Perplexity of what is learnt, and over how many tokens."""
        nats = tokens = 0.0
        for prediction in predictions:
            nats += prediction["loss"] * prediction["tokens"]
            tokens += prediction["tokens"]
        loss = nats / tokens
        return {"perplexity": math.exp(loss) if loss < 700 else math.inf, "tokens": tokens}


def _messages(row: Row) -> list[dict[str, str]]:
    value = row.value("messages")
    if not isinstance(value, list) or not value:
        raise row.refusal("messages", "has no list of messages; write [{role, content}, ...]")
    for number, message in enumerate(value, start=1):
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise row.refusal("messages", f"has a message {number} without role or content")
    if not any(message["role"] == "assistant" for message in value):
        raise row.refusal("messages", "has no message of the assistant; there is nothing to learn")
    return [{key: message[key] for key in ("role", "content")} for message in value]


def _turns(tokenizer: PreTrainedTokenizerBase, example: Example) -> Iterator[Piece]:
    """A conversation as its template writes it, cut where the assistant's turns begin and end."""
    if tokenizer.chat_template is None:
        raise UserError(
            f"{example['where']} is a conversation, and the tokenizer has no template for it; "
            "give task.chatTemplate",
            "spec.task.chatTemplate",
        )
    messages, written = example["messages"], ""

    def told(number: int, *, prompt: bool) -> str:
        try:
            text = str(
                tokenizer.apply_chat_template(
                    messages[:number], tokenize=False, add_generation_prompt=prompt
                )
            )
        except TemplateError as error:
            raise UserError(
                f"{example['where']}: the template refuses the conversation: {error}",
                "spec.task.chatTemplate",
            ) from error
        if not text.startswith(written):
            raise UserError(
                f"{example['where']}: the template writes a turn otherwise once another follows; "
                "what the assistant says cannot be told apart",
                "spec.task.chatTemplate",
            )
        return text

    for number, message in enumerate(messages):
        own = message["role"] == "assistant"
        if own:
            before = told(number, prompt=True) if number else ""
            yield before[len(written) :], False
            written = before
        after = told(number + 1, prompt=False)
        yield after[len(written) :], own
        written = after


def _beginning(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """What the tokenizer puts before every text."""
    marks: list[int] = tokenizer("")["input_ids"]
    return marks[:1] if marks[:1] == [tokenizer.bos_token_id] else []


def _filled(values: Sequence[int], size: int, padding: int) -> np.typing.NDArray[Any]:
    cut = list(values[:size])
    return np.array(cut + [padding] * (size - len(cut)))

"""A task whose examples are rows of a table: any recipe, trained and measured in the same way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import models, predictions
from trainingrun_trainer.tasks.collate import Batch, trimmed, unvaried
from trainingrun_trainer.tasks.data.samples import Samples, batches
from trainingrun_trainer.tasks.prepared import Prepared, prepared
from trainingrun_trainer.tasks.recipe import Recipe
from trainingrun_trainer.worker.distributed import Group

_EVALUATION_BATCH: Final = 16
"""Examples in one evaluation pass."""


@dataclass(frozen=True)
class TableTask:
    """One recipe with its data ready on this machine."""

    config: RunConfig
    recipe: Recipe
    group: Group
    data: Prepared
    _evaluations: Iterator[int] = field(default_factory=count)

    @classmethod
    def prepare(cls, config: RunConfig, recipe: Recipe, group: Group, cache: Path) -> TableTask:
        """A collective; see `prepared`.

        Raises:
            UserError: data or tokenizer are not what the config says.
        """
        return cls(config, recipe, group, prepared(config, recipe, group, cache))

    @property
    def samples(self) -> Samples:
        return self.data.train

    @property
    def tokens_per_sample(self) -> int:
        return self.config.task.tokens

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return self.data.tokenizer

    @property
    def can_evaluate(self) -> bool:
        return len(self.data.examples) > 0

    def model(self) -> PreTrainedModel:
        head = self.recipe.head(self.data.labels)
        return models.model(self.config, self.recipe.AUTO_MODEL, self.tokenizer, head)

    @property
    def variation(self) -> Callable[[Batch, int], Batch]:
        return unvaried

    @property
    def collator(self) -> Callable[[Sequence[Batch]], Batch]:
        return partial(trimmed, aligned=self.recipe.ALIGNED)

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return self.recipe.inputs(model, batch)

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        smoothing = self.config.training.arguments.label_smoothing_factor
        return self.recipe.loss(outputs, labels, smoothing)

    @torch.no_grad()
    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Every rank predicts the examples it is dealt in turn; rank 0 writes and measures all."""
        if not isinstance(model, PreTrainedModel):
            raise TypeError("a task evaluates the model that it made")
        folder = Path(self.config.folder)
        was_training = model.training
        model.train(False)
        totals = [0.0, 0.0]
        predictions.write_part(folder, self.group, self._predicted(model, totals))
        model.train(was_training)
        loss, labels = self.group.sums(*totals)

        def measured() -> str:
            path = predictions.merge(folder, self.group.world_size)
            return json.dumps(self.recipe.metrics(predictions.read(path), self.data.labels))

        text = self.group.from_leader(f"evaluation/{next(self._evaluations)}", measured)
        return {"loss": loss / max(labels, 1.0), **json.loads(text)}

    def _predicted(self, model: PreTrainedModel, totals: list[float]) -> Iterator[dict[str, Any]]:
        """The predictions of this rank; adds loss and number of labels to `totals`."""
        own = range(self.group.rank, len(self.data.examples), self.group.world_size)
        for examples in batches(own, _EVALUATION_BATCH):
            places = [place for example in examples for place in self.data.evaluation.of(example)]
            answers: list[dict[str, Any]] = []
            for part in batches(places, _EVALUATION_BATCH):
                answers += self._forward(model, part, totals)
            for example in examples:
                number = len(self.data.evaluation.of(example))
                samples = [self.data.evaluation[place] for place in places[:number]]
                yield self.recipe.prediction(
                    self.tokenizer,
                    self.data.examples[example],
                    samples,
                    answers[:number],
                    self.data.labels,
                )
                del places[:number], answers[:number]

    def _forward(
        self, model: PreTrainedModel, places: Sequence[int], totals: list[float]
    ) -> list[dict[str, Any]]:
        held_out = [self.data.evaluation[place] for place in places]
        batch = trimmed(held_out, self.recipe.ALIGNED)
        batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
        inputs = self.recipe.inputs(model, batch)
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        totals[0] += float(self.recipe.loss(outputs, labels).double())
        totals[1] += self.recipe.count(labels)
        kept = {
            name: tensor.float().cpu().numpy()
            if tensor.is_floating_point()
            else tensor.cpu().numpy()
            for name, tensor in self.recipe.outputs(model, batch, outputs).items()
        }
        return [{name: array[n] for name, array in kept.items()} for n in range(len(places))]

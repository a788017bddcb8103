"""What a user writes under `training` and `model` is what the Trainer does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainingArguments

from trainingrun_trainer.config import (
    DECIDED,
    Arguments,
    OptimizerName,
    Precision,
    RunConfig,
    ScheduleType,
)
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks.causal_lm import CausalLM
from trainingrun_trainer.tasks.token_cache import Blocks
from trainingrun_trainer.worker import trainer
from trainingrun_trainer.worker.arguments import training_arguments
from trainingrun_trainer.worker.start import StartingPoint
from trainingrun_trainer.worker.trainer import RunTrainer

SHAPE = {"hiddenSize": 16, "layers": 1, "attentionHeads": 2}
SCHEDULES: dict[ScheduleType, dict[str, Any]] = {
    ScheduleType.COSINE_WITH_MINIMUM: {"minimumPercent": 10},
    ScheduleType.COSINE_WITH_RESTARTS: {"cycles": 2},
    ScheduleType.WARMUP_STABLE_DECAY: {"decayPercent": 50, "minimumPercent": 10},
    ScheduleType.CONSTANT_WITH_WARMUP: {"warmupSteps": 1},
    ScheduleType.LINEAR: {"warmupPercent": 50},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that spin on a busy machine cost more than so small a model."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Words:
    """As much of a tokenizer as a model needs."""

    eos_token_id = pad_token_id = 0
    bos_token_id = None

    def __len__(self) -> int:
        return 32


class Texts:
    """A task of a few fixed samples; its model is made as the real task makes it."""

    samples: Sequence[Any] = Blocks((torch.arange(256) % 32).numpy(), 8)
    tokens_per_sample = 8
    can_evaluate = False
    tokenizer: PreTrainedTokenizerBase = Words()  # type: ignore[assignment]

    def __init__(self, config: RunConfig) -> None:
        real = CausalLM(config, None, self.tokenizer, self.samples, None)  # type: ignore[arg-type]
        self.model, self.variation = real.model, real.variation
        self.collator, self.inputs, self.loss = real.collator, real.inputs, real.loss

    def evaluate(self, _: torch.nn.Module) -> dict[str, float]:
        return {}


def run(model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    return RunConfig.model_validate(
        {
            "run": {"name": "test"},
            "folder": "/run",
            "task": {"type": "causal-lm", "blockSize": 8},
            "model": {"fromScratch": SHAPE, "tokenizer": {"train": {}}, **(model or {})},
            "data": {"train": "/texts"},
            "training": {
                "globalBatchSize": 4,
                "perDeviceBatchSize": 2,
                "maxSteps": 4,
                "learningRate": 0.1,
                "loggingSteps": 1,
                **training,
            },
        }
    )


def arguments(**training: Any) -> TrainingArguments:
    config = run(**training)
    return training_arguments(config, Texts(config), 4, 1, Path("/run"), Precision.FLOAT32)


class SavesNothing:
    """One rank alone that keeps no checkpoints."""

    world_size = 1

    def save(self, *_: object) -> None:
        pass


def built(config: RunConfig, task: Texts, model: PreTrainedModel, folder: Path) -> RunTrainer:
    start, saving = StartingPoint(folder, None), SavesNothing()
    precision = Precision.FLOAT32
    return trainer.build(config, task, model, 4, start, saving, [], precision)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Trained:
    model: PreTrainedModel
    losses: list[float]
    rates: list[float]


def trained(folder: Path, model: dict[str, Any] | None = None, **training: Any) -> Trained:
    config = run(model, **training)
    task = Texts(config)
    fresh = task.model()
    made = built(config, task, fresh, folder)
    made.train()
    logged = [entry for entry in made.state.log_history if "loss" in entry]
    return Trained(
        fresh, [entry["loss"] for entry in logged], [entry["learning_rate"] for entry in logged]
    )


def test_every_training_argument_is_offered_or_decided_by_something_that_is_named() -> None:
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    assert sorted([*Arguments.model_fields, *DECIDED]) == sorted(known)


@pytest.mark.parametrize("name", OptimizerName)
def test_every_optimiser_that_is_offered_learns(name: str, tmp_path: Path) -> None:
    rate = 0.5 if name == "sgd" else 0.005
    losses = trained(tmp_path, optimizer={"name": name}, learningRate=rate).losses
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", ScheduleType)
def test_every_schedule_that_is_offered_gives_rates(kind: ScheduleType, tmp_path: Path) -> None:
    rates = trained(tmp_path, schedule={"type": kind, **SCHEDULES.get(kind, {})}).rates
    assert max(rates) == pytest.approx(0.1)


def test_a_minimum_is_where_the_learning_rate_ends(tmp_path: Path) -> None:
    schedule = {"type": "warmup_stable_decay", "decayPercent": 100, "minimumPercent": 40}
    rates = trained(tmp_path, schedule=schedule).rates
    assert 0.04 < rates[-1] < 0.06


def test_a_share_of_steps_is_rounded_up() -> None:
    assert arguments(schedule={"warmupPercent": 26}).warmup_steps == 2


def test_a_schedule_longer_than_the_run_is_refused() -> None:
    schedule = {"type": "warmup_stable_decay", "warmupSteps": 3, "decayPercent": 50}
    with pytest.raises(UserError) as caught:
        arguments(schedule=schedule)
    assert caught.value.field == "spec.training.schedule"


def test_the_settings_of_adam_reach_it(tmp_path: Path) -> None:
    config = run(optimizer={"beta1": 0.5, "beta2": 0.6, "epsilon": 1e-3, "weightDecay": 0.2})
    task = Texts(config)
    made = built(config, task, task.model(), tmp_path)
    adam = made.create_optimizer()
    assert (adam.defaults["betas"], adam.defaults["eps"]) == ((0.5, 0.6), 1e-3)
    assert {group["weight_decay"] for group in adam.param_groups} == {0.2, 0.0}


def test_momentum_reaches_the_optimiser(tmp_path: Path) -> None:
    config = run(optimizer={"name": "sgd", "momentum": 0.7})
    task = Texts(config)
    made = built(config, task, task.model(), tmp_path)
    assert made.create_optimizer().defaults["momentum"] == 0.7


def test_computing_activations_again_changes_no_loss(tmp_path: Path) -> None:
    kept, again = (
        trained(tmp_path, activationCheckpointing=checkpointing) for checkpointing in (False, True)
    )
    assert again.losses == kept.losses
    assert again.model.is_activation_checkpointing


def test_deterministic_kernels_train_and_are_asked_for(tmp_path: Path) -> None:
    try:
        first, second = (trained(tmp_path, deterministic=True).losses for _ in range(2))
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)
    assert first == second


def test_smoothed_labels_cost_the_trained_model_more(tmp_path: Path) -> None:
    plain, smooth = (
        trained(tmp_path, arguments={"labelSmoothingFactor": factor}).losses[-1]
        for factor in (0.0, 0.5)
    )
    assert smooth > plain


def test_noise_on_the_embeddings_changes_the_losses(tmp_path: Path) -> None:
    plain = trained(tmp_path).losses
    assert trained(tmp_path, arguments={"neftuneNoiseAlpha": 100.0}).losses != plain


def test_what_ddp_is_told_is_what_was_written() -> None:
    made = arguments(arguments={"ddpBucketCapMb": 7, "ddpBroadcastBuffers": False})
    told = (made.ddp_bucket_cap_mb, made.ddp_broadcast_buffers, made.ddp_find_unused_parameters)
    assert told == (7, False, False)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_are_kept_in_the_type_that_was_written(dtype: str, tmp_path: Path) -> None:
    model = trained(tmp_path, {"dtype": dtype}).model
    assert {weight.dtype for weight in model.parameters()} == {getattr(torch, dtype)}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_is_computed_as_written(attention: str) -> None:
    model = Texts(run({"attention": attention})).model()
    assert model.config._attn_implementation == attention


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2"])
def test_a_model_from_scratch_has_the_shape_that_was_written(kind: str) -> None:
    shape = {**SHAPE, "modelType": kind, "keyValueHeads": 1, "tieWordEmbeddings": True}
    config = Texts(run({"fromScratch": {**shape, "maxPositions": 64}})).model().config
    assert config.model_type == kind
    assert (config.hidden_size, config.num_hidden_layers) == (16, 1)
    assert (config.num_attention_heads, config.num_key_value_heads) == (2, 1)
    assert (config.max_position_embeddings, config.tie_word_embeddings) == (64, True)
    assert (config.vocab_size, config.intermediate_size) == (32, 64)

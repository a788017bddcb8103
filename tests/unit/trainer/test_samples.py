"""Samples are the same on every rank and in every life of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import losses
from trainingrun_trainer.tasks.collate import trimmed
from trainingrun_trainer.tasks.data import samples
from trainingrun_trainer.tasks.masked_lm import MaskedLM
from trainingrun_trainer.tasks.token_cache import Blocks


def test_samples_and_examples_are_read_as_they_were_written(tmp_path: Path) -> None:
    def windows(number: int) -> list[dict[str, Any]]:
        return [
            {"input_ids": np.array([number, n]), "labels": np.array(0.5)} for n in range(number)
        ]

    encoded = (({"id": f"é{n}"}, windows(n)) for n in (1, 0, 2))
    assert samples.write(tmp_path / "side", encoded, keep=True) == 3
    read = samples.Samples(tmp_path / "side")
    assert [sample["input_ids"].tolist() for sample in read] == [[1, 0], [2, 0], [2, 1]]
    assert read[0]["labels"].dtype is torch.float32
    assert [list(read.of(example)) for example in range(3)] == [[0], [], [1, 2]]
    kept = samples.Examples(tmp_path / "side")
    assert [kept[n] for n in range(len(kept))] == [{"id": "é1"}, {"id": "é0"}, {"id": "é2"}]


def test_a_batch_is_as_long_as_its_longest_text() -> None:
    def sample(tokens: int) -> dict[str, torch.Tensor]:
        mask = (torch.arange(32) < tokens).long()
        return {"input_ids": mask, "attention_mask": mask, "labels": torch.zeros(32)}

    batch = trimmed([sample(3), sample(9)], ("input_ids", "attention_mask"))
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, 16)
    assert batch["labels"].shape == (2, 32)


@pytest.fixture
def masked() -> MaskedLM:
    config = RunConfig.model_validate(
        {
            "run": {"name": "test"},
            "folder": "/run",
            "task": {"type": "masked-lm", "blockSize": 64},
            "model": {"name": "a/b"},
            "data": {"train": "/a"},
            "training": {"maxSteps": 1},
        }
    )
    ids = np.arange(100, 164, dtype=np.uint16)
    blocks = Blocks(ids, 64)
    return MaskedLM(config, cast(Any, None), cast(Any, _Words()), blocks, blocks)


class _Words:
    """As much of a tokenizer as masking needs."""

    all_special_ids = (100,)
    mask_token_id = 4

    def __len__(self) -> int:
        return 500


def test_the_tokens_that_are_hidden_hang_on_the_place_in_the_run_alone(masked: MaskedLM) -> None:
    sample = masked.samples[0]
    first, again, later = (masked.variation(sample, position) for position in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["labels"], later["labels"])


def test_only_hidden_tokens_are_learnt_and_special_ones_never_are(masked: MaskedLM) -> None:
    sample = masked.samples[0]
    for position in range(50):
        seen = masked.variation(sample, position)
        hidden = seen["labels"] != losses.IGNORED
        assert hidden.any()
        assert not hidden[0]
        assert torch.equal(seen["input_ids"][~hidden], sample["input_ids"][~hidden])
        assert torch.equal(seen["labels"][hidden], sample["input_ids"][hidden])

"""The random weights that a model from scratch begins with."""

from __future__ import annotations

from typing import Any, cast

import pytest
from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM, PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import models


class Words:
    """As much of a tokenizer as a model needs."""

    bos_token_id, eos_token_id, pad_token_id = 0, 1, 2

    def __len__(self) -> int:
        return 300


@pytest.mark.parametrize(
    ("task", "model_type", "auto"),
    [("masked-lm", "bert", AutoModelForMaskedLM), ("seq2seq", "bart", AutoModelForSeq2SeqLM)],
)
@pytest.mark.parametrize(("width", "deviation"), [(64, 0.079), (256, 0.040)])
def test_the_narrower_a_model_the_wider_its_first_weights(
    task: str, model_type: str, auto: Any, width: int, deviation: float
) -> None:
    shape = {"modelType": model_type, "hiddenSize": width, "layers": 1, "attentionHeads": 2}
    config = RunConfig.model_validate(
        {
            "run": {"name": "r"},
            "folder": "/runs/r",
            "task": {"type": task, "blockSize": 8},
            "model": {"fromScratch": shape, "tokenizer": {"train": {"vocabSize": 300}}},
            "data": {"train": "/data"},
            "training": {"globalBatchSize": 1, "maxSteps": 1},
        }
    )
    made = models.model(config, auto, cast(PreTrainedTokenizerBase, Words()), {})
    assert made.get_input_embeddings().weight.std().item() == pytest.approx(deviation, rel=0.05)

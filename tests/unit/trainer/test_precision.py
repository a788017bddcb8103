"""What ranks train in: by the processors of all, or by a measurement of one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from trainingrun_trainer.config import Precision
from trainingrun_trainer.stack.machine import Machine
from trainingrun_trainer.worker import precision
from trainingrun_trainer.worker.distributed import Group

AMX = Machine(flags=frozenset({"avx512f", "amx_bf16"}))
AVX512 = Machine(flags=frozenset({"avx512f", "avx512_bf16"}))


class Ranks(Group):
    """A group in which the other ranks' processors are as given."""

    def __init__(self, others_hold: bool) -> None:
        object.__setattr__(self, "_others_hold", others_hold)

    def everyone(self, holds: bool) -> bool:
        return holds and bool(self.__dict__["_others_hold"])


@pytest.mark.parametrize(
    ("machine", "others", "chosen"),
    [
        (AMX, True, Precision.BFLOAT16),
        (AMX, False, Precision.FLOAT32),
        (AVX512, True, Precision.FLOAT32),
    ],
)
def test_auto_is_bfloat16_only_where_all_processors_have_tiles_for_it(
    machine: Machine, others: bool, chosen: Precision
) -> None:
    assert precision.chosen(Precision.AUTO, Ranks(others), machine) is chosen


@pytest.mark.parametrize("asked", [Precision.FLOAT32, Precision.BFLOAT16, Precision.MEASURE])
def test_what_is_asked_for_is_left_alone(asked: Precision) -> None:
    assert precision.chosen(asked, Ranks(True), AVX512) is asked


@pytest.fixture
def model() -> LlamaForCausalLM:
    shape = LlamaConfig(
        vocab_size=32,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
    return LlamaForCausalLM(shape)


@pytest.mark.parametrize(
    ("float32", "bfloat16", "faster"),
    [(0.010, 0.020, Precision.FLOAT32), (0.020, 0.010, Precision.BFLOAT16)],
)
def test_the_faster_one_is_taken_and_the_model_stays_as_it_was(
    model: LlamaForCausalLM, float32: float, bfloat16: float, faster: Precision
) -> None:
    def clock() -> Iterator[float]:
        moment = 0.0
        for seconds in (float32, bfloat16):
            for _ in range(precision.PASSES + 1):
                yield moment
                moment += seconds
                yield moment

    moments, tokens = clock(), torch.arange(8).reshape(1, 8)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    random = torch.get_rng_state()
    model.eval()
    found, figures = precision.measured(
        model, lambda: model(input_ids=tokens, labels=tokens).loss, lambda: next(moments)
    )
    assert found is faster
    assert figures == (
        f"float32 {1000 * float32:.1f} ms a pass, bfloat16 {1000 * bfloat16:.1f} ms a pass"
    )
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(random, torch.get_rng_state())
    assert not model.training

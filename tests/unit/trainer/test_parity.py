"""The verdict on ways to train that should come to the same."""

from __future__ import annotations

import math

import pytest

from trainingrun_trainer.config import BackendName, Ipex
from trainingrun_trainer.parity.ways import (
    WAYS,
    Trained,
    Way,
    compared,
    difference,
    in_columns,
    same,
)

STOCK = Trained({5: 4.0, 10: 2.0}, samples_per_second=80.0)
LAST = Way(Ipex.FLOAT32, BackendName.CCL, 2)


def but_the_last(trained: Trained) -> dict[Way, Trained]:
    return {**dict.fromkeys(WAYS, STOCK), LAST: trained}


def test_every_pair_of_stack_and_backend_is_tried_with_one_rank_and_with_two() -> None:
    assert len(set(WAYS)) == 8
    assert WAYS[0].name == "stock, gloo, 1 rank"
    assert WAYS[-1].name == "IPEX float32, ccl, 2 ranks"


def test_the_greatest_difference_of_all_steps_counts() -> None:
    assert difference({5: 4.0, 10: 2.1}, STOCK.losses) == pytest.approx(0.05)
    assert difference({5: 4.4, 10: 2.0}, STOCK.losses) == pytest.approx(0.1)


def test_losses_that_are_nearly_equal_are_the_same() -> None:
    assert same(but_the_last(Trained({5: 4.0, 10: 2.002})))


@pytest.mark.parametrize(
    "losses", [{5: 4.0, 10: 2.3}, {5: 4.0}, {5: 4.0, 10: math.nan}], ids=["other", "fewer", "nan"]
)
def test_a_way_that_trains_differently_is_named(losses: dict[int, float]) -> None:
    trained = but_the_last(Trained(losses))
    assert not same(trained)
    assert [row[-1] for row in compared(trained)[1:]] == ["same"] * 7 + ["TRAINS DIFFERENTLY"]


def test_a_way_that_cannot_be_had_is_told_with_the_reason_and_fails_nothing() -> None:
    trained = but_the_last(Trained({}, obstacle="no module of it"))
    assert same(trained)
    assert compared(trained)[-1][-1] == "cannot be had: no module of it"


def test_nothing_is_the_same_as_a_reference_that_cannot_be_had() -> None:
    assert not same({**dict.fromkeys(WAYS, STOCK), WAYS[0]: Trained({}, obstacle="it failed")})


def test_columns_stand_below_each_other() -> None:
    assert in_columns([("a", "b"), ("long", "")]) == "a     b\nlong"

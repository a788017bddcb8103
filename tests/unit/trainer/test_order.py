"""Which sample comes when."""

from __future__ import annotations

from trainingrun_trainer.worker.order import OrderedSamples, total_steps


def order(samples: int, length: int, seed: int = 1) -> list[int]:
    ordered = OrderedSamples(list(range(samples)), seed, length)
    return [ordered.index(position) for position in range(length)]


def test_each_pass_takes_every_sample_once() -> None:
    taken = order(samples=10, length=20)
    assert sorted(taken[:10]) == sorted(taken[10:]) == list(range(10))


def test_each_pass_has_an_order_of_its_own() -> None:
    taken = order(samples=10, length=20)
    assert taken[:10] != taken[10:]


def test_a_sample_does_not_depend_on_what_was_asked_before() -> None:
    fresh = OrderedSamples(list(range(10)), 1, 40)
    assert fresh.index(33) == order(samples=10, length=40)[33]


def test_epochs_are_whole_global_batches() -> None:
    assert total_steps(samples=103, global_batch=10, max_steps=None, epochs=2) == 20


def test_less_than_one_global_batch_is_one_step() -> None:
    assert total_steps(samples=3, global_batch=10, max_steps=None, epochs=1) == 1

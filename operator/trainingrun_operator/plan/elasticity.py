"""How far the number of workers may go without changing the maths of an optimiser step."""

from __future__ import annotations

from dataclasses import dataclass

from trainingrun_operator.api.elastic import Elastic
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.batching import batching, fitting_world_sizes
from trainingrun_trainer.config import RendezvousPlace, Training


@dataclass(frozen=True)
class WorkerRange:
    """Every number of workers from `minimum` to `maximum` makes the global batch exactly."""

    minimum: int
    count: int
    maximum: int
    max_restarts: int
    rendezvous: RendezvousPlace
    choices: tuple[PlanChoice, ...]


def worker_range(spec: TrainingRunSpec, processes: int, refusals: Refusals) -> WorkerRange:
    """The elastic range narrowed to the numbers around `count` that divide the global batch.

    The range has no gaps: a worker that is lost must never leave a number that cannot train.
    Refused, with the numbers that do, where `count` itself does not divide the global batch.
    """
    count = spec.workers.count
    elastic = spec.workers.elastic or Elastic(min=count, max=count)
    training = spec.training
    if training is None:  # the user's own program makes what it likes of any number
        choice = _range_choice(spec, elastic, elastic.min, elastic.max, 0)
        budget = (elastic.max_restarts, elastic.rendezvous)
        return WorkerRange(elastic.min, count, elastic.max, *budget, (choice,))
    fitting = _fitting_workers(training, processes, max(elastic.max, count))
    if count not in fitting:
        refusals.add("spec.workers.count", _unfitting(spec, training, processes, fitting))
        return WorkerRange(count, count, count, elastic.max_restarts, elastic.rendezvous, ())
    low = high = count
    while low - 1 >= elastic.min and low - 1 in fitting:
        low -= 1
    while high + 1 <= elastic.max and high + 1 in fitting:
        high += 1
    choices = (
        _range_choice(spec, elastic, low, high, training.global_batch_size),
        _accumulation_choice(training, count * processes),
    )
    return WorkerRange(low, count, high, elastic.max_restarts, elastic.rendezvous, choices)


def _fitting_workers(training: Training, processes: int, largest: int) -> frozenset[int]:
    worlds = fitting_world_sizes(
        training.global_batch_size, largest * processes, training.per_device_batch_size
    )
    return frozenset(world // processes for world in worlds if world % processes == 0)


def _unfitting(
    spec: TrainingRunSpec, training: Training, processes: int, fitting: frozenset[int]
) -> str:
    batch, passes = training.global_batch_size, training.per_device_batch_size
    of = f" in passes of {passes}" if passes else ""
    instead = (
        f"write one of {', '.join(map(str, sorted(fitting)))}, or change"
        if fitting
        else "change spec.workers.processesPerWorker or"
    )
    return (
        f"{spec.workers.count} workers with {processes} rank(s) each cannot share a global batch "
        f"of {batch} samples{of} evenly; {instead} spec.training.globalBatchSize"
    )


def _range_choice(
    spec: TrainingRunSpec, elastic: Elastic, low: int, high: int, batch: int
) -> PlanChoice:
    value = str(low) if low == high else f"{low} to {high}"
    if spec.workers.elastic is None:
        reason = "as spec.workers.count says; spec.workers.elastic would let it vary"
    elif (low, high) == (elastic.min, elastic.max):
        reason = "as spec.workers.elastic says"
    else:
        reason = (
            f"spec.workers.elastic says {elastic.min} to {elastic.max}, but only these numbers "
            f"share a global batch of {batch} samples evenly"
        )
    return PlanChoice(name="workers", value=value, reason=reason)


def _accumulation_choice(training: Training, world: int) -> PlanChoice:
    made = batching(training.global_batch_size, world, training.per_device_batch_size)
    return PlanChoice(
        name="gradientAccumulation",
        value=str(made.accumulation),
        reason=f"{training.global_batch_size} samples a step = {made.accumulation} passes x "
        f"{made.per_device} samples x {world} rank(s)",
    )

"""How far the number of workers may go: `spec.workers.elastic`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from trainingrun_trainer.config import RendezvousPlace
from trainingrun_trainer.rules import Group, Rule


class Elastic(Group):
    """How far the number of workers may go from `count`, and how often ranks may fail."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.min <= self.max",
            holds=lambda e: e.min <= e.max,
            message="min is greater than max; change one of them",
            field="min",
        ),
    )

    min: int = Field(1, ge=1, le=1000, description="Train with no fewer workers.")
    max: int = Field(1, ge=1, le=1000, description="Train with no more workers.")
    max_restarts: int = Field(
        10, ge=0, le=1000, description="Failed ranks after which the run fails."
    )
    rendezvous: RendezvousPlace = Field(
        RendezvousPlace.WORKER,
        description="Where the workers meet: in worker 0, whose loss the others wait out, or in a "
        "small pod of its own, so that no worker's loss concerns the rendezvous.",
    )

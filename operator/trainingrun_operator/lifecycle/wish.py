"""What the user wants of a run, in the terms in which the lifecycle decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import Policy, TrainingRun
from trainingrun_operator.plan import LaunchPlan


@dataclass(frozen=True)
class Wish:
    """One run's wish. With `problem`, nothing else in it may be acted on."""

    name: str
    namespace: str
    generation: int = 0
    policy: Policy = field(default_factory=Policy)
    workers: int = 1
    min_workers: int = 1
    spec_hash: str = ""
    claim: str | None = None
    choices: tuple[PlanChoice, ...] = ()
    problem: str | None = None

    @classmethod
    def of(cls, run: TrainingRun, plan: LaunchPlan) -> Self:
        """The wish in a valid run."""
        storage = run.spec.storage
        return cls(
            name=run.metadata.name,
            namespace=run.metadata.namespace,
            generation=run.metadata.generation,
            policy=run.spec.policy,
            workers=plan.workers,
            min_workers=plan.min_workers,
            spec_hash=plan.spec_hash,
            claim=storage.claim_name if storage else None,
            choices=plan.choices,
        )

"""What the user wants of a run, in the terms in which the lifecycle decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from trainingrun_operator.api.policy import Policy
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import (
    RETRIES_AT_MOST,
    RETRY_ANNOTATION,
    TrainingRun,
)
from trainingrun_operator.lifecycle.words import shortened
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
    makes_claim: bool = False
    """Whether the claim is made where there is none."""
    choices: tuple[PlanChoice, ...] = ()
    problem: str | None = None
    retry: int = 0
    """What the annotation trainingrun.io/retry asks for, 0 for nothing."""
    retry_problem: str | None = None
    reports: bool = True
    """Whether the workers can report progress to this operator."""

    def with_annotations(self, annotations: Mapping[str, str]) -> Self:
        """The wish with what the run's annotations ask for."""
        asked = annotations.get(RETRY_ANNOTATION)
        if asked is None:
            return self
        if re.fullmatch("[1-9][0-9]{0,3}", asked) and int(asked) <= RETRIES_AT_MOST:
            return replace(self, retry=int(asked))
        problem = (
            f"annotation {RETRY_ANNOTATION} is {shortened(asked, 60)!r}; write a whole number "
            f'from "1" to "{RETRIES_AT_MOST}", greater than status.attempt'
        )
        return replace(self, retry_problem=problem)

    @classmethod
    def of(cls, run: TrainingRun, plan: LaunchPlan) -> Self:
        """The wish in a valid run."""
        return cls(
            name=run.metadata.name,
            namespace=run.metadata.namespace,
            generation=run.metadata.generation,
            policy=run.spec.policy,
            workers=plan.workers,
            min_workers=plan.min_workers,
            spec_hash=plan.spec_hash,
            claim=plan.claim,
            makes_claim=plan.new_claim is not None,
            choices=plan.choices,
            reports=plan.reports,
        )

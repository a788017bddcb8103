"""What the user wants of a run, in the terms in which the lifecycle decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from trainingrun_operator.api.policy import Policy
from trainingrun_operator.api.quantities import cpus, size_bytes
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import (
    RETRIES_AT_MOST,
    RETRY_ANNOTATION,
    TrainingRun,
)
from trainingrun_operator.lifecycle.observed import Job
from trainingrun_operator.lifecycle.quota import Share
from trainingrun_operator.lifecycle.references import Reference, references
from trainingrun_operator.lifecycle.words import shortened
from trainingrun_operator.plan import LaunchPlan


@dataclass(frozen=True)
class Wish:
    """One run's wish. With `problem`, nothing else in it may be acted on but its policy."""

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
    priority_class: str | None = None
    share: Share = field(default_factory=Share)
    """What one worker takes of the namespace's quotas."""
    references: tuple[Reference, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    choices: tuple[PlanChoice, ...] = ()
    fallback: str = ""
    """What was asked for and is not had, in words."""
    notices: tuple[str, ...] = ()
    """What the user should know of how the spec was read."""
    problem: str | None = None
    """Why the spec cannot be carried out."""
    refused_edit: str | None = None
    """Why the present spec is refused, of a run that goes on by the one its job was made from."""
    retry: int = 0
    """What the annotation trainingrun.io/retry asks for, 0 for nothing."""
    retry_problem: str | None = None
    reports: bool = True
    """Whether the workers can report progress to this operator."""
    keep: int | None = None
    """How many checkpoints are kept; None if it is not known."""

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

    def as_job_was_made(self, job: Job | None, uid: str) -> Self:
        """The wish that the run's own job carries out, where the spec has become a wrong one.

        The job is the record of what was last accepted. The policy is valid by itself, so that a
        run with a wrong spec can still be suspended.
        """
        if self.problem is None or job is None or job.owner_uid != uid or job.deleting:
            return self
        limits = {} if self.reports else {"stall_timeout_seconds": None}
        return replace(
            self,
            problem=None,
            refused_edit=self.problem,
            policy=self.policy.model_copy(update=limits),
            workers=job.workers,
            min_workers=job.min_workers,
            spec_hash=job.spec_hash,
        )

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
            priority_class=plan.priority_class_name,
            share=Share(cpus(plan.cpu), Decimal(size_bytes(plan.memory))),
            references=references(run.spec),
            pull_secrets=plan.pull_secrets,
            choices=plan.choices,
            notices=plan.notices,
            reports=plan.reports,
            fallback=plan.fallback,
            problem=_stall_unseen(run.spec.policy, plan),
            keep=run.spec.checkpoints.keep,
        )


def _stall_unseen(policy: Policy, plan: LaunchPlan) -> str | None:
    if policy.stall_timeout_seconds is None or plan.reports:
        return None
    return (
        "spec.policy.stallTimeoutSeconds: this operator receives no progress; remove the field, "
        "or install the operator with progress.enabled=true"
    )

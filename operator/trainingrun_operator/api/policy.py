"""What happens to the run as a whole: `spec.policy`."""

from __future__ import annotations

from pydantic import Field

from trainingrun_trainer.rules import Group


class Policy(Group):
    """What happens to the run as a whole."""

    suspend: bool = Field(
        False, description="True: pods are stopped after a checkpoint; false: the run goes on."
    )
    active_deadline_seconds: int | None = Field(
        None,
        ge=1,
        le=31_536_000,
        description="Fail the run after so much time, suspension not counted.",
    )
    ttl_seconds_after_finished: int | None = Field(
        None,
        ge=0,
        le=31_536_000,
        description="Delete the TrainingRun so long after its end; the claim's data stays.",
    )
    stall_timeout_seconds: int | None = Field(
        None,
        ge=60,
        le=31_536_000,
        description="Without a new step for so long the pods are made anew, and at the same step "
        "for the second time the run fails. Longer than loading, evaluation and saving take.",
    )
    force_delete_after_seconds: int = Field(
        60,
        ge=0,
        le=31_536_000,
        description="Pods that are still there so long after their grace period are taken off "
        "their node without its consent, as when it is lost.",
    )
    hang_timeout_seconds: int = Field(
        300,
        ge=5,
        le=86400,
        description="A rank without progress for so long within a step is taken to hang: the "
        "stacks of all ranks are kept in the run's folder, and the ranks are started again. The "
        "first step, evaluation and saving may take longer.",
    )
    max_pod_restarts: int = Field(
        20, ge=0, le=10_000, description="Pods lost or failed after which the run fails."
    )
    max_restarts: int | None = Field(
        None,
        ge=0,
        le=20_000,
        description="Restarts of ranks and pods together after which the run fails; no limit of "
        "its own if absent. Never forgotten.",
    )
    reset_restarts_after_steps: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="After so many steps without a failed rank or a lost pod, earlier ones count "
        "no more against maxPodRestarts and workers.elastic.maxRestarts.",
    )
    termination_grace_period_seconds: int = Field(
        60,
        ge=1,
        le=3600,
        description="Time a worker gets to save a checkpoint when it is asked to leave.",
    )

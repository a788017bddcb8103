"""The run and the shape of its distributed job, as the operator decided them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from trainingrun_trainer.rules import Group


class RunIdentity(Group):
    """Which run this is; `uid` tells a run from an earlier one of the same name."""

    namespace: str = "default"
    name: str
    uid: str = ""


class RendezvousPlace(StrEnum):
    """Where the workers' rendezvous lives."""

    WORKER = "worker"
    """In worker 0: when that pod is lost, the others wait for its successor."""
    DEDICATED = "dedicated"
    """In a pod of its own: no worker's loss ends it."""


class Processes(Group):
    """The shape of the distributed job."""

    workers: int = Field(1, ge=1, description="Workers that are meant to come.")
    min_workers: int = Field(1, ge=1, description="Train with no fewer.")
    max_workers: int = Field(1, ge=1, description="Train with no more.")
    per_worker: int = Field(1, ge=1, description="Ranks in each worker.")
    max_restarts: int = Field(
        10, ge=0, description="Restarts of a failed rank over the run, all workers together."
    )
    rendezvous: RendezvousPlace = Field(
        RendezvousPlace.WORKER, description="Where the rendezvous of the workers lives."
    )
    reset_restarts_after_steps: int | None = Field(
        None,
        ge=1,
        description="Steps without a failed rank after which earlier ones are forgotten.",
    )
    hang_timeout_seconds: int = Field(
        300, ge=5, description="A rank without progress for so long in a step is taken to hang."
    )

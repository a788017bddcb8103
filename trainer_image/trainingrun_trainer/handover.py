"""What the launcher hands a rank, and what the rank hands back. Imports no training library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from trainingrun_trainer.report import RestartCause, Short, Summary, Text
from trainingrun_trainer.rules import Group


class PendingRestart(Group):
    """A restart whose outcome only the new rank 0 can tell."""

    at: datetime
    cause: RestartCause
    detail: Text = ""
    rank: int | None = None
    from_step: int = 0


@dataclass(frozen=True)
class Orders:
    """Everything a rank needs besides torch's own RANK, WORLD_SIZE and LOCAL_RANK.

    `scratch` is a folder of this worker's own for the files of each local rank.
    """

    config_json: str
    store_host: str
    store_port: int
    store_prefix: str
    """Never used before by any other round: addresses of ranks that are gone cannot be met."""
    restart: PendingRestart | None
    first_round: bool
    """No rank of this run was alive when the round was formed."""
    scratch: Path

    def note_path(self, local_rank: int) -> Path:
        """Where a rank that fails leaves its FailureNote."""
        return self.scratch / f"failure-{local_rank}.json"

    def heart_path(self, local_rank: int) -> Path:
        """Where a rank shows its beats, for the launcher to read also when the rank is gone."""
        return self.scratch / f"heart-{local_rank}"

    def stack_path(self, local_rank: int) -> Path:
        """Where a rank dumps its stacks when it is asked to."""
        return self.scratch / f"stack-{local_rank}.txt"


class OutcomeKind(StrEnum):
    """How a rank's work ended, if it did not fail."""

    FINISHED = "finished"
    LEFT = "left"
    """A checkpoint was saved because some worker was asked to leave."""


@dataclass(frozen=True)
class Outcome:
    """The return value of a rank; `summary` is set, on every rank, when the run is finished."""

    kind: OutcomeKind
    step: int
    summary: Summary | None = None


class FaultKind(StrEnum):
    """Whose fault a failure is, as far as the rank itself can tell."""

    USER = "user"
    """A UserError: trying again cannot help."""
    OWN = "own"
    """An exception of its own; it may pass."""
    PEER = "peer"
    """A collective or connection failed: another rank is to blame."""


class FailureNote(Group):
    """What a failing rank knows of its failure."""

    kind: FaultKind
    rank: int
    at: float
    """Seconds since the epoch."""
    step: int
    message: Text
    """The traceback's last line."""
    field: Short | None = None
    signature: Text = ""
    """Exception type and place; equal for the same failure."""

"""What each worker says when it comes to a rendezvous; all members of a round read all of it."""

from __future__ import annotations

from enum import StrEnum

from trainingrun_trainer.report import Failure, Short, Summary, Text
from trainingrun_trainer.rules import Group


class EndKind(StrEnum):
    """Why a worker's ranks do not run any more."""

    FRESH = "fresh"
    """They never did: the launcher has just started."""
    FAILED = "failed"
    """A rank raised an exception of its own, or was killed."""
    HUNG = "hung"
    """A rank made no progress in time."""
    WAITED = "waited"
    """All ranks waited, too long, for one of another worker."""
    VICTIM = "victim"
    """A collective failed because of another worker."""
    ASKED = "asked"
    """The coordinator wanted a new round."""
    CUT_OFF = "cut-off"
    """The rendezvous store was lost."""
    LEFT = "left"
    """Some worker was asked to leave; all ranks saved a checkpoint and stopped."""


class RoundEnd(Group):
    """How the ranks of one worker ended. `at` is in seconds since the epoch."""

    kind: EndKind
    at: float
    step: int = 0
    rank: int | None = None
    detail: Text = ""
    signature: Text = ""
    """Equal for the same exception at the same place and step; empty if it was no exception."""


class History(Group):
    """What a worker remembers of earlier rounds; the member that remembers most is believed."""

    charged: int = 0
    """Restarts that count against the budget."""
    charged_at: int = 0
    """The step at which the last of them was charged."""
    signature: Text = ""
    """The last failure's."""
    workers: int = 0
    """Members of the last round."""


class Arrival(Group):
    """One worker at the rendezvous. `incarnation` is new for every launcher process."""

    worker: int
    incarnation: Short
    serial: int
    end: RoundEnd
    history: History = History()


class Verdict(Group):
    """The run is over for every worker: with an exit code, and the failure or the summary."""

    exit_code: int
    failure: Failure | None = None
    summary: Summary | None = None

"""Whose things lie in the run's folder: this run's, or those of an earlier run of its name."""

from __future__ import annotations

from dataclasses import dataclass

from trainingrun_trainer.config import ResumeFrom, RunConfig


@dataclass(frozen=True)
class Owner:
    """This run, as it knows its own things again.

    A TrainingRun that is deleted and created again has the same folder and another uid. Outside a
    cluster no run has a uid: there what lies in the folder is this run's own, unless it
    `starts_anew`.
    """

    uid: str
    starts_anew: bool

    @classmethod
    def of(cls, config: RunConfig, *, first_round: bool) -> Owner:
        """`first_round`: no rank of this run was alive before."""
        return cls(config.run.uid, first_round and config.resume.source is not ResumeFrom.LATEST)

    def made(self, uid: str) -> bool:
        """Whether a thing that carries this uid is this run's own."""
        return uid == self.uid and (bool(uid) or not self.starts_anew)

    def estranged(self, uid: str) -> str:
        """Why a thing with this uid is not: for people."""
        if uid == self.uid:
            return "left by an earlier run; spec.resume.from is not latest"
        return f"left by an earlier run of this name (uid {uid or 'unknown'})"

"""What a run remembers in its folder between rounds and pods. Rank 0 alone writes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from trainingrun_trainer.config import Precision
from trainingrun_trainer.files import write_whole
from trainingrun_trainer.report import Restart, Short
from trainingrun_trainer.rules import Group

FILE_NAME: Final = "run-state.json"
KEPT_RESTARTS: Final = 32


class RunState(Group):
    """`uid` tells whose memory it is: a new run in an old folder starts with an empty one."""

    uid: Short = ""
    started_at: datetime | None = None
    last_step: int = Field(0, ge=0)
    last_step_at: datetime | None = None
    """The last sign of life of ranks that did not survive."""
    left_in_order: bool = False
    """The last ranks stopped because they were asked to."""
    restarts: tuple[Restart, ...] = Field((), max_length=KEPT_RESTARTS)
    restart_count: int = Field(0, ge=0)
    precision: Precision | None = None
    """What was measured to be faster."""
    first_evaluation: dict[Short, float] = Field({}, max_length=64)

    @classmethod
    def read(cls, folder: Path) -> RunState:
        """The run's memory; empty where there is none or it cannot be read."""
        try:
            return cls.model_validate_json((folder / FILE_NAME).read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, folder: Path) -> None:
        write_whole(folder / FILE_NAME, self.model_dump_json(by_alias=True).encode())

    def with_restart(self, restart: Restart) -> RunState:
        """One more restart; the oldest record goes when there are too many, the count stays."""
        return self.model_copy(
            update={
                "restarts": (*self.restarts, restart)[-KEPT_RESTARTS:],
                "restart_count": self.restart_count + 1,
            }
        )

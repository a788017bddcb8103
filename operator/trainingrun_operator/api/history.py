"""What is kept of a run's whole course: a short series, in a ConfigMap that outlives its pods."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trainingrun_trainer.report import RestartCause

DATA_KEY: Final = "history.json"


def config_map_name(run: str) -> str:
    """The ConfigMap that holds a run's history."""
    return f"{run}-history"


class Point(NamedTuple):
    """Where training stood at one moment; a number that was not reported is null."""

    at: int
    """Seconds since 1970, by the operator's clock."""
    step: int
    loss: float | None
    learning_rate: float | None
    samples_per_second: float | None
    world_size: int


class RestartMark(NamedTuple):
    """A time the ranks were started again."""

    at: datetime
    cause: RestartCause
    from_step: int
    resumed_step: int
    seconds_to_first_step: float | None


class History(BaseModel):
    """The series, oldest first, with what interrupted it and what was saved."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    version: Literal[1] = 1
    stride: int = Field(1, ge=1, description="How many reports one point stands for.")
    pending: int = Field(0, ge=0, description="How many reports the last point stands for.")
    points: tuple[Point, ...] = ()
    restarts: tuple[RestartMark, ...] = ()
    checkpoints: tuple[int, ...] = Field((), description="Steps of the verified checkpoints.")

"""The course of a run as curves over its steps, from the history that the operator keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from kubectl_trainingrun.cluster import Cluster, NotFoundError
from kubectl_trainingrun.exits import RefusedError
from trainingrun_operator.api.history import DATA_KEY, History, Point, config_map_name

Segment = tuple[tuple[int, float], ...]
"""Points of rising step: (step, value)."""


@dataclass(frozen=True)
class Panel:
    """One quantity, with what it is called and where it stands in a point."""

    title: str
    value: Callable[[Point], float | None]


PANELS: Final = (
    Panel("loss", lambda p: p.loss),
    Panel("samples/s", lambda p: p.samples_per_second),
    Panel("ranks", lambda p: p.world_size or None),
)


@dataclass(frozen=True)
class Course:
    """One run's history by its name."""

    name: str
    history: History

    def curve(self, panel: Panel) -> tuple[Segment, ...]:
        """The panel's curve, broken where a restart took training some steps back."""
        segments: list[list[tuple[int, float]]] = [[]]
        before = -1
        for point in self.history.points:
            if point.step < before:
                segments.append([])
            before = point.step
            if (value := panel.value(point)) is not None:
                segments[-1].append((point.step, value))
        return tuple(tuple(segment) for segment in segments if segment)

    @property
    def restarts(self) -> tuple[int, ...]:
        """The steps at which ranks were lost."""
        return tuple(mark.from_step for mark in self.history.restarts)


def course(cluster: Cluster, name: str) -> Course:
    """The course of a run of the chosen namespace.

    Raises:
        RefusedError: nothing is kept of it yet.
        ClusterError: it cannot be read.
    """
    try:
        kept = cluster.get("configmaps", config_map_name(name))
        return Course(name, History.model_validate_json((kept.get("data") or {})[DATA_KEY]))
    except (NotFoundError, KeyError) as error:
        raise RefusedError(
            f"nothing is kept of {name} yet: its history is written 15 s after its first "
            "report, and when it ends"
        ) from error
    except ValidationError as error:
        raise RefusedError(
            f"the history of {name} is of another version; install the plugin of the operator's"
        ) from error


def shown(panels: Sequence[Panel], courses: Sequence[Course]) -> list[Panel]:
    """The panels for which any run has a value."""
    return [panel for panel in panels if any(c.curve(panel) for c in courses)]

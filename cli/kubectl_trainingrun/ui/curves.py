"""Curves as coordinates of an SVG drawing; the template draws them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kubectl_trainingrun.plot.course import PANELS, Course, Panel
from kubectl_trainingrun.text import number

WIDTH: Final = 400
HEIGHT: Final = 170
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 12, 24
"""Room for the labels, in the drawing's own units."""


@dataclass(frozen=True)
class Drawing:
    """One panel. Lines are the `points` of SVG polylines; marks are x coordinates."""

    title: str
    summary: str
    """What is to be seen, for those who do not see it."""
    lines: tuple[str, ...]
    restarts: tuple[str, ...]
    checkpoints: tuple[str, ...]
    highest: str
    lowest: str
    last_step: int


def drawings(course: Course) -> list[Drawing]:
    """A drawing for each panel that the run has values for."""
    return [drawing for panel in PANELS if (drawing := _drawing(course, panel)) is not None]


def _drawing(course: Course, panel: Panel) -> Drawing | None:
    curve = course.curve(panel)
    values = [value for segment in curve for _, value in segment]
    if not values:
        return None
    last = max(point.step for point in course.history.points)
    low, high = min(values), max(values)

    def x(step: int) -> str:
        return f"{LEFT + (WIDTH - LEFT - RIGHT) * min(step / max(last, 1), 1):.1f}"

    def y(value: float) -> str:
        share = (high - value) / (high - low) if high > low else 0.5
        return f"{TOP + (HEIGHT - TOP - BOTTOM) * share:.1f}"

    return Drawing(
        title=panel.title,
        summary=(
            f"{panel.title} from {number(values[0])} to {number(values[-1])} over {last} steps, "
            f"between {number(low)} and {number(high)}; {len(course.restarts)} restart(s)"
        ),
        lines=tuple(
            # A line of one point alone would not be seen.
            " ".join(f"{x(step)},{y(value)}" for step, value in (*line, line[-1]))
            for line in curve
        ),
        restarts=tuple(map(x, course.restarts)),
        checkpoints=tuple(map(x, course.history.checkpoints)),
        highest=number(high),
        lowest=number(low),
        last_step=last,
    )

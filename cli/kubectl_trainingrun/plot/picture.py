"""Curves in a PNG or SVG file, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from kubectl_trainingrun.plot.course import PANELS, Course, shown

INCHES: Final = (9.0, 2.6)
"""Width, and height of each panel."""
# Told apart by those who see no red or green too (Okabe and Ito's palette).
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def save(courses: Sequence[Course], path: Path) -> None:
    """Draw the runs over each other; the file's suffix chooses the format.

    Raises:
        OSError: the file cannot be written.
    """
    panels = shown(PANELS, courses)
    figure = Figure(figsize=(INCHES[0], INCHES[1] * max(len(panels), 1)), layout="constrained")
    axes = figure.subplots(max(len(panels), 1), sharex=True, squeeze=False)[:, 0]
    for panel, axis in zip(panels, axes, strict=False):
        axis.set_ylabel(panel.title)
        axis.grid(alpha=0.3)
        if panel.title == "ranks":
            axis.yaxis.get_major_locator().set_params(integer=True)
        for course, colour in zip(courses, _colours(len(courses)), strict=True):
            for number, segment in enumerate(course.curve(panel)):
                steps, values = zip(*segment, strict=True)
                label = course.name if number == 0 else None
                axis.plot(steps, values, color=colour, linewidth=1.4, label=label)
            _mark(axis, course, colour)
    axes[0].legend(loc="upper right", frameon=False)
    axes[-1].set_xlabel("step  (dashed: restart, tick: checkpoint)")
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)


def _colours(number: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(number)]


def _mark(axis: Any, course: Course, colour: str) -> None:
    for step in course.restarts:
        axis.axvline(step, color=colour, linestyle="--", linewidth=1, alpha=0.8)
    steps = course.history.checkpoints
    # Along the lower edge, whatever the scale of the values is.
    across = axis.get_xaxis_transform()
    axis.plot(steps, [0.02] * len(steps), "|", color=colour, markersize=8, transform=across)

"""Curves in a terminal, in braille: two dots across and four down in a character."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Final

from kubectl_trainingrun.plot.course import PANELS, Course, Panel, Segment, shown
from kubectl_trainingrun.text import number

BLANK: Final = 0x2800
DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of each dot of a braille character: by column, then by row from the top."""
MARGIN: Final = 10

Dots = list[tuple[float, float]]


def drawing(courses: Sequence[Course], width: int = 80, height: int = 8) -> str:
    """All panels, one below the other; several runs have a chart each, on the same scales."""
    lines: list[str] = []
    for panel in shown(PANELS, courses):
        ys = [y for c in courses for segment in c.curve(panel) for _, y in segment]
        last = max(c.history.points[-1].step for c in courses if c.history.points)
        for course in courses:
            lines += [
                f"{panel.title} of {course.name}",
                *_chart(course, panel, (min(ys), max(ys)), last, width, height),
                "",
            ]
    for course in courses:
        lines += _marks(course)
    return "\n".join(lines) + "\n"


def sparkline(values: Sequence[float], width: int) -> str:
    """The newest values in one line of blocks."""
    newest = list(values)[-width:]
    if not newest:
        return ""
    low, high = min(newest), max(newest)
    scale = (high - low) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[round((value - low) / scale * 7)] for value in newest)


def _chart(
    course: Course, panel: Panel, bounds: tuple[float, float], last: int, width: int, height: int
) -> Iterator[str]:
    low, high = bounds
    columns, rows = 2 * (width - MARGIN - 2), 4 * height
    cells = [[BLANK] * (columns // 2) for _ in range(height)]
    for step, value in _filled(
        course.curve(panel), columns / max(last, 1), rows / ((high - low) or 1)
    ):
        x = min(round(step / max(last, 1) * (columns - 1)), columns - 1)
        y = round((high - value) / ((high - low) or 1) * (rows - 1))
        cells[y // 4][x // 2] |= DOTS[x % 2][y % 4]
    for index, row in enumerate(cells):
        label = {0: number(high), height - 1: number(low)}.get(index, "")
        yield f"{label:>{MARGIN}} ┤{''.join(map(chr, row)).rstrip(chr(BLANK))}"
    yield f"{'':>{MARGIN}} └{'step 0':<{width // 2 - 8}}{last:>{width // 2 - 8}}"


def _filled(curve: Sequence[Segment], columns_a_step: float, rows_a_unit: float) -> Dots:
    """The curve's points with those between them, so that steep and sparse curves are lines."""
    dots: Dots = []
    for segment in curve:
        for (x0, y0), (x1, y1) in itertools.pairwise(segment):
            across, down = (x1 - x0) * columns_a_step, abs(y1 - y0) * rows_a_unit
            parts = max(1, math.ceil(across), math.ceil(down))
            dots += [
                (x0 + (x1 - x0) * part / parts, y0 + (y1 - y0) * part / parts)
                for part in range(parts)
            ]
        dots.append(segment[-1])
    return dots


def _marks(course: Course) -> Iterator[str]:
    if course.history.checkpoints:
        yield f"checkpoints of {course.name}: {', '.join(map(str, course.history.checkpoints))}"
    for mark in course.history.restarts:
        yield (
            f"restart of {course.name} at step {mark.from_step}: {mark.cause}, "
            f"resumed at step {mark.resumed_step}"
        )

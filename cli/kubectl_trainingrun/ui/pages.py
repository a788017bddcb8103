"""What the pages show, as HTML; whatever a cluster says is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from kubectl_trainingrun.doctor.diagnosis import diagnosis
from kubectl_trainingrun.doctor.snapshot import Snapshot
from kubectl_trainingrun.plot.course import Course
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.ui import curves
from trainingrun_operator.lifecycle.words import duration

EVENTS_SHOWN: Final = 20

_TEMPLATES = Environment(
    loader=PackageLoader("kubectl_trainingrun", "templates/ui"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["canvas"] = {
    name.lower(): getattr(curves, name)
    for name in ("WIDTH", "HEIGHT", "LEFT", "RIGHT", "TOP", "BOTTOM")
}


def runs_page(runs: Sequence[RunView], now: datetime) -> str:
    """The list of runs, the newest first."""
    ordered = sorted(runs, key=lambda run: run.created, reverse=True)
    rows = [(run, run.cells(now)[1:]) for run in ordered]
    return _html("runs.html.j2", title="Runs", rows=rows)


def run_page(seen: Snapshot, course: Course | None) -> str:
    """All of one run."""
    events = sorted(seen.events, key=lambda e: e.at or seen.run.created, reverse=True)
    return _html(
        "run.html.j2",
        title=seen.run.name,
        run=seen.run,
        status=seen.run.status,
        facts=_facts(seen),
        troubles=diagnosis(seen),
        drawings=curves.drawings(course) if course else [],
        events=events[:EVENTS_SHOWN],
        log=seen.log,
    )


def error_page(message: str) -> str:
    """What went wrong, in the page's frame."""
    return _html("error.html.j2", title="Not shown", message=message)


def _facts(seen: Snapshot) -> Mapping[str, str]:
    cells = seen.run.cells(seen.now)[1:]
    names = ("phase", "step", "loss", "time left", "workers", "restarts", "checkpoint", "age")
    progress = seen.run.status.progress
    more = {}
    if progress is not None and progress.samples_per_second is not None:
        more["samples/s"] = f"{progress.samples_per_second:.1f}"
    if progress is not None and progress.updated_at is not None:
        more["last report"] = f"{duration(seen.now - progress.updated_at)} ago"
    return dict(zip(names, cells, strict=True)) | more


def _html(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(values)

"""`watch`: a run as it trains, in a live view; without a terminal, a line for each change."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.live import Live

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS, Cluster
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.live_view import LiveView
from kubectl_trainingrun.options import Verbs, add_run, verb
from kubectl_trainingrun.plot.course import course
from kubectl_trainingrun.run_view import RunView
from trainingrun_operator.api.conditions import Phase


def add(verbs: Verbs) -> None:
    add_run(verb(verbs, "watch", _run, "follow a run to its end"))


def _run(options: argparse.Namespace) -> int:
    return follow(given.cluster(options), options.name)


def follow(cluster: Cluster, name: str, console: Console | None = None) -> int:
    """Show a run until it is over; the exit status says whether it has succeeded.

    Raises:
        RefusedError: it was deleted before its end.
        ClusterError: it cannot be watched.
    """
    console = console or Console()
    cluster.get(RUNS, name)  # says at once that there is no such run
    view = LiveView(_earlier_losses(cluster, name))
    with Live(console=console, auto_refresh=False, transient=False) as live:
        before = ""
        for raw in cluster.watch(RUNS, name):
            run = RunView.of(raw)
            shown = view.updated(run)
            if console.is_terminal:
                live.update(shown, refresh=True)
            elif (line := "  ".join(run.cells(run.created)[1:-1])) != before:
                console.print(line)
                before = line
            if run.over:
                return Exit.DONE if run.status.phase is Phase.SUCCEEDED else Exit.REFUSED
    raise RefusedError(f"{name} is not there any more")


def _earlier_losses(cluster: Cluster, name: str) -> list[float]:
    try:
        points = course(cluster, name).history.points
    except RefusedError:
        return []
    return [point.loss for point in points if point.loss is not None]

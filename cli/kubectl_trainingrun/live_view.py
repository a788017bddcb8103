"""What `watch` shows of a run: where it stands, how the loss goes, what happened to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubectl_trainingrun.plot.terminal import sparkline
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.text import number
from trainingrun_operator.api.conditions import Phase

SPARKLINE_WIDTH = 60
RESTARTS_SHOWN = 4
COLOURS: Mapping[str, str] = {
    Phase.RUNNING: "green",
    Phase.SUCCEEDED: "bold green",
    Phase.FAILED: "bold red",
    Phase.INVALID: "red",
    Phase.RESTARTING: "yellow",
}


class LiveView:
    """Remembers the losses that it was shown, for the curve."""

    def __init__(self, losses: list[float]) -> None:
        self._losses = losses
        self._last_step = -1

    def updated(self, run: RunView) -> RenderableType:
        """The view of a run as it now is."""
        progress = run.status.progress
        if progress and progress.loss is not None and progress.step != self._last_step:
            self._losses.append(progress.loss)
            self._last_step = progress.step
        table = Table.grid(padding=(0, 2))
        for name, value in self._rows(run):
            table.add_row(Text(name, style="dim"), value)
        # Text, not markup: what stands in a message is the user's, brackets and all.
        title = Text(f"{run.name}  {run.phase}", style=COLOURS.get(run.phase, ""))
        parts: list[RenderableType] = [table]
        if run.status.message:
            parts.insert(0, Text(run.status.message))
        return Panel(Group(*parts), title=title, title_align="left")

    def _rows(self, run: RunView) -> Iterator[tuple[str, RenderableType]]:
        status, progress = run.status, run.status.progress
        if progress is not None:
            total = progress.total_steps or None
            left = f"   {progress.eta} left" if progress.eta else ""
            yield "step", Text(f"{progress.steps}{left}")
            if total:
                yield (
                    "",
                    ProgressBar(
                        total=total,
                        completed=progress.step,
                        width=SPARKLINE_WIDTH,
                        complete_style="cyan",
                        finished_style="green",
                    ),
                )
            yield "loss", Text(f"{number(progress.loss)}")
            yield "", Text(sparkline(self._losses, SPARKLINE_WIDTH), style="cyan")
            if progress.samples_per_second is not None:
                yield "speed", Text(f"{number(progress.samples_per_second)} samples/s")
        if status.workers.summary:
            yield "workers", Text(status.workers.summary)
        if status.checkpoints.last_good is not None:
            yield "checkpoint", Text(f"step {status.checkpoints.last_good}")
        for restart in status.restarts.recent[-RESTARTS_SHOWN:]:
            text = f"{restart.at:%H:%M:%S} {restart.cause}, back at step {restart.resumed_step}"
            yield "restart", Text(text, style="yellow")

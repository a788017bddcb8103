"""`make screenshots`: the pictures under docs/images, of staged runs, by the plugin's own code."""

import asyncio
import io
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from hack.environment import ROOT
from hack.staged_runs import NAMESPACE, StagedCluster
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.live_view import LiveView
from kubectl_trainingrun.plot import picture, terminal
from kubectl_trainingrun.plot.course import course
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.ui.server import Pages, serve

IMAGES: Final = ROOT / "docs" / "images"
NOW: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""The staged moment, so that a picture changes only with what it shows."""
COLUMNS: Final = 90
PAGES: Final = (
    ("ui-runs", "", 420, ()),
    ("ui-run", f"runs/{NAMESPACE}/python-lm", 1900, ()),
    ("ui-run-dark", f"runs/{NAMESPACE}/python-lm", 1900, ("--force-dark-mode",)),
    ("ui-stuck", f"runs/{NAMESPACE}/python-lm-large", 620, ()),
)
"""File, path, height in pixels, and more options of the browser."""


def main() -> int:
    """Exit status 1 if there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("no chromium is installed: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    cluster = StagedCluster(NOW)
    _terminal(cluster)
    courses = [course(cluster, name) for name in ("python-lm", "python-lm-small")]
    picture.save(courses, IMAGES / "plot.png")
    asyncio.run(_browser(cluster, browser))
    return 0


def _terminal(cluster: StagedCluster) -> None:
    kept = course(cluster, "python-lm")
    losses = [point.loss for point in kept.history.points if point.loss is not None]
    view = LiveView(losses).updated(RunView.of(cluster.get(RUNS, "python-lm")))
    drawn = Text(terminal.drawing([kept], COLUMNS).rstrip("\n"))
    for name, shown in (("watch", view), ("plot-terminal", drawn)):
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(shown)
        title = f"kubectl trainingrun {name.partition('-')[0]} python-lm"
        svg = console.export_svg(title=title, unique_id=name)
        (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


async def _browser(cluster: StagedCluster, browser: str) -> None:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    pages = Pages(lambda _: cluster, everywhere=True, clock=lambda: NOW)
    server = asyncio.create_task(serve(pages.application(), 0, told.set_result))
    address = await told
    for name, path, height, options in PAGES:
        await asyncio.to_thread(_shot, browser, address + path, name, height, options)
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


def _shot(browser: str, url: str, name: str, height: int, options: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as profile:
        target = Path(profile) / "shot.png"
        subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"),
                f"--user-data-dir={profile}/profile",
                f"--window-size=1200,{height}",
                f"--screenshot={target}",
                *options,
                url,
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        shutil.copy(target, IMAGES / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())

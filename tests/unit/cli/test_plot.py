"""The course of runs, in the terminal and in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.main import main
from kubectl_trainingrun.plot.course import PANELS, course
from kubectl_trainingrun.plot.terminal import sparkline
from tests.unit.cli.clusters import FakeCluster, history

LOSS = PANELS[0]


@pytest.fixture
def two(cluster: FakeCluster) -> FakeCluster:
    """A cluster with the histories of two runs."""
    cluster.add("configmaps", history("squad"))
    cluster.add("configmaps", history("other", restarts=()))
    return cluster


def test_a_restart_breaks_the_curve_where_steps_are_done_again(two: FakeCluster) -> None:
    curve = course(two, "squad").curve(LOSS)
    assert [[step for step, _ in segment] for segment in curve] == [[10, 20, 30], [25, 40, 50]]


def test_the_terminal_shows_every_panel_of_every_run_with_its_marks(
    two: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "squad", "other"]) == Exit.DONE
    shown = capsys.readouterr().out
    assert all(f"{p.title} of {n}" in shown for p in PANELS for n in ("squad", "other"))
    assert "restart of squad at step 30: RankFailed, resumed at step 20" in shown
    assert "checkpoints of other: 20, 40" in shown


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_picture_is_written(kind: str, magic: bytes, two: FakeCluster, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    assert main(["plot", "squad", "other", "-o", kind, "--file", str(file)]) == Exit.DONE
    assert file.with_suffix(f".{kind}").read_bytes().startswith(magic)


def test_a_run_without_a_history_says_when_it_will_have_one(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "squad"]) == Exit.REFUSED
    assert "15 s after its first report" in capsys.readouterr().err


def test_a_sparkline_spans_its_values() -> None:
    assert sparkline([8, 4, 1], 10) == "█▄▁"
    assert (sparkline([], 10), sparkline([5.0] * 20, 3)) == ("", "▁▁▁")

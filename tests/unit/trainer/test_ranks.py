"""What the launcher reads of its ranks' processes and of the container they are in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trainingrun_trainer.heartbeat import Activity, Beat, Heart
from trainingrun_trainer.launcher import memory
from trainingrun_trainer.launcher.ranks import HANGS, KEPT_HANGS, keep

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_beat_outlives_its_rank(tmp_path: Path) -> None:
    heart = Heart(tmp_path / "heart")
    heart.beat(7, Activity.STEPPING)
    del heart
    assert Beat.read(tmp_path / "heart") == Beat(7, 1, Activity.STEPPING)


def test_a_rank_that_never_came_so_far_is_preparing(tmp_path: Path) -> None:
    assert Beat.read(tmp_path / "none") == Beat(0, 0, Activity.PREPARING)


@pytest.mark.parametrize(
    "text", ["low 0\noom 3\noom_kill 2\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"]
)
def test_kills_for_memory_are_read_from_either_version_of_control_groups(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "counter").write_text(text)
    assert memory.kills((tmp_path / "none", tmp_path / "counter")) == 2


def test_without_a_counter_no_kill_is_put_down_to_memory(tmp_path: Path) -> None:
    assert memory.kills((tmp_path / "none",)) == 0


def test_dumps_are_kept_a_file_for_each_rank(tmp_path: Path) -> None:
    place = keep({0: "a", 1: "b"}, 4, tmp_path, AT)
    assert place is not None
    assert {f.name: f.read_text() for f in place.iterdir()} == {
        "rank-4.txt": "a",
        "rank-5.txt": "b",
    }


def test_old_dumps_make_room(tmp_path: Path) -> None:
    for second in range(KEPT_HANGS + 2):
        keep({0: "a"}, 0, tmp_path, AT.replace(second=second))
    kept = sorted(f.name for f in (tmp_path / HANGS).iterdir())
    assert (len(kept), kept[0]) == (KEPT_HANGS, "20260101T000002Z")


def test_a_folder_that_cannot_be_written_stops_no_restart(tmp_path: Path) -> None:
    (tmp_path / HANGS).write_text("a file in the way")
    assert keep({0: "a"}, 0, tmp_path, AT) is None

"""Which ranks are taken to hang, and what is said of them."""

from __future__ import annotations

from trainingrun_trainer.heartbeat import Activity, Beat
from trainingrun_trainer.launcher.hang import hang
from trainingrun_trainer.launcher.vigil import Sight, Vigil

LIMIT = 10.0


def sight(count: int, activity: Activity = Activity.STEPPING, *, stopped: bool = False) -> Sight:
    return Sight(Beat(step=count, count=count, activity=activity), stopped=stopped)


def watched(*looks: tuple[float, dict[int, Sight]]) -> dict[int, float]:
    """What the last look finds, with looks in between as the launcher has them."""
    vigil, found = Vigil(LIMIT), dict[int, float]()
    last: tuple[float, dict[int, Sight]] | None = None
    for at, sights in looks:
        while last is not None and last[0] + 1 < at:
            last = (last[0] + 1, last[1])
            vigil.hanging(last[1], last[0])
        found, last = vigil.hanging(sights, at), (at, sights)
    return found


def test_a_rank_without_a_beat_within_a_step_hangs_when_the_limit_is_over() -> None:
    assert watched((0, {0: sight(1)}), (LIMIT, {0: sight(1)})) == {}
    assert watched((0, {0: sight(1)}), (LIMIT + 1, {0: sight(1)})) == {0: LIMIT + 1}


def test_every_beat_counts() -> None:
    assert watched((0, {0: sight(1)}), (9, {0: sight(2)}), (18, {0: sight(2)})) == {}


def test_preparing_evaluating_and_saving_have_no_limit() -> None:
    for activity in (Activity.PREPARING, Activity.PAUSED):
        assert watched((0, {0: sight(1, activity)}), (3600, {0: sight(1, activity)})) == {}


def test_a_stopped_rank_hangs_whatever_it_is_at() -> None:
    stopped = {0: sight(1, Activity.PREPARING, stopped=True), 1: sight(1, Activity.PREPARING)}
    assert watched((0, stopped), (LIMIT + 1, stopped)) == {0: LIMIT + 1}


def test_a_rank_that_was_stopped_for_a_moment_is_left_alone() -> None:
    assert watched(
        (0, {0: sight(1)}), (9, {0: sight(1, stopped=True)}), (12, {0: sight(1, stopped=True)})
    ) == {}  # fmt: skip


def test_time_in_which_the_launcher_itself_stood_still_counts_for_nobody() -> None:
    vigil = Vigil(LIMIT)
    vigil.hanging({0: sight(1)}, 0)
    assert vigil.hanging({0: sight(1)}, 1000) == {}


DUMP = """rank 1, state S
Thread 0x01 (most recent call first):
  File "/venv/lib/python3.11/threading.py", line 320 in wait

Current thread 0x02 (most recent call first):
  File "{file}", line 12 in step
  File "/app/train.py", line 40 in <module>
"""
IN_TORCH = DUMP.replace("{file}", "/venv/lib/torch/distributed/c10d.py")
IN_USERS_CODE = DUMP.replace("{file}", "/runs/code/data.py")


def test_a_stopped_rank_is_to_blame_before_those_that_wait_for_it() -> None:
    sights = {0: sight(7), 1: sight(7, stopped=True)}
    found = hang({0: 11.0, 1: 11.0}, sights, {0: IN_USERS_CODE, 1: IN_TORCH}, first=4)
    assert found.rank == 5
    assert "rank 5 made no progress for 11 s: it was stopped by a signal" in found.detail


def test_a_rank_outside_of_torch_is_to_blame_with_the_place_where_it_stood() -> None:
    found = hang({0: 11.0}, {0: sight(7), 1: sight(7)}, {0: IN_TORCH, 1: IN_USERS_CODE}, first=0)
    assert found.rank == 1
    assert found.detail.endswith("it stood still at /runs/code/data.py:12 in step")


def test_a_worker_whose_ranks_all_wait_blames_none_of_them() -> None:
    assert hang({0: 11.0}, {0: sight(7)}, {0: IN_TORCH}, first=0).rank is None

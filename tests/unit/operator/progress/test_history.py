"""The course of a run: how it is thinned out, when it is written, and what a restart leaves."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.unit.operator.clusters import KEY, Clock, FakeCluster
from trainingrun_operator.api.history import DATA_KEY, History
from trainingrun_operator.cluster.protocol import NameTakenError, UnavailableError
from trainingrun_operator.keys import Key
from trainingrun_operator.progress.keeper import HistoryKeeper
from trainingrun_operator.progress.series import POINTS
from trainingrun_operator.progress.store import ReportStore
from trainingrun_trainer.report import Report

UID = "uid-1"
INTERVAL_SECONDS = 20
A_DAY = 24 * 3600 // INTERVAL_SECONDS


def report(step: int, **block: Any) -> Report:
    ours = {"step": step, "totalSteps": 10_000, "loss": 10 / (step + 1), "worldSize": 2, **block}
    return Report.model_validate({"trainerStatus": {}, "trainingRun": ours})


class Bench:
    """A store, a keeper and a run whose phase the test sets."""

    def __init__(self) -> None:
        self.clock, self.cluster = Clock(), FakeCluster({})
        self.phase = "Running"
        self.begin_operator()

    def begin_operator(self) -> None:
        """A new one, which remembers nothing."""
        self.store = ReportStore()
        self.keeper = HistoryKeeper(self.store, self.cluster, self, self.clock)

    def run(self, key: Key) -> dict[str, Any]:
        return {"metadata": {"uid": UID}, "status": {"phase": self.phase}}

    def post(self, step: int, **block: Any) -> None:
        self.clock.forward(INTERVAL_SECONDS)
        self.store.put(KEY, UID, report(step, **block), self.clock())

    async def train(self, first: int, last: int) -> None:
        """A report each so often, and the keeper's look after it."""
        for step in range(first, last + 1):
            self.post(step)
            await self.keeper.write()

    @property
    def written(self) -> History:
        data = self.cluster.config_maps["squad-history"]["data"]
        return History.model_validate_json(data[DATA_KEY])

    @property
    def writes(self) -> int:
        return self.cluster.calls.count("apply ConfigMap")


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_short_run_is_written_once_when_it_ends(bench: Bench) -> None:
    await bench.train(1, 1)
    assert bench.writes == 0

    bench.phase = "Succeeded"
    await bench.keeper.write()
    await bench.keeper.write()

    assert bench.writes == 1
    assert [point.step for point in bench.written.points] == [1]


async def test_there_is_something_to_plot_soon_after_the_first_report(bench: Bench) -> None:
    await bench.train(1, 3)

    assert bench.writes == 1
    assert [point.step for point in bench.written.points] == [1, 2]


async def test_a_day_of_training_is_kept_small_and_written_seldom(bench: Bench) -> None:
    await bench.train(1, A_DAY)
    await bench.keeper.close()

    steps = [point.step for point in bench.written.points]
    gaps = {later - sooner for sooner, later in itertools.pairwise(steps[:-1])}
    assert len(steps) <= POINTS
    assert (steps[-1], len(gaps)) == (A_DAY, 1)
    assert bench.writes < 200
    data = bench.cluster.config_maps["squad-history"]["data"][DATA_KEY]
    assert len(data) < 16 * 1024


async def test_an_operator_that_was_started_again_goes_on_with_what_was_written(
    bench: Bench,
) -> None:
    await bench.train(1, 10)
    await bench.keeper.close()

    bench.begin_operator()
    await bench.train(11, 20)
    await bench.keeper.close()

    assert [point.step for point in bench.written.points] == list(range(1, 21))


async def test_a_restart_shows_as_a_mark_and_a_step_back(bench: Bench) -> None:
    restart = {
        "at": "2026-01-01T00:01:00Z",
        "cause": "RankFailed",
        "fromStep": 8,
        "resumedStep": 5,
        "lostSteps": 3,
    }
    await bench.train(1, 8)
    bench.post(6, restarts=[restart], worldSize=1)
    await bench.keeper.close()

    assert [point.step for point in bench.written.points][-2:] == [8, 6]
    assert bench.written.points[-1].world_size == 1
    [mark] = bench.written.restarts
    assert (mark.cause, mark.from_step, mark.resumed_step) == ("RankFailed", 8, 5)


async def test_checkpoints_are_kept_by_step_those_set_aside_are_not(bench: Bench) -> None:
    saved = {"path": "/runs/a", "sizeBytes": 1, "worldSize": 2}
    bench.post(6, checkpoints=[{"step": 5, **saved}, {"step": 4, "verified": False, **saved}])
    bench.post(11, checkpoints=[{"step": 10, **saved}])
    await bench.keeper.close()

    assert bench.written.checkpoints == (5, 10)


async def test_a_strangers_config_map_is_left_alone(bench: Bench) -> None:
    bench.cluster.apply_error = NameTakenError("ConfigMap", "squad-history")
    await bench.train(1, 40)

    assert bench.writes == 1


async def test_a_history_that_cannot_be_written_now_is_written_later(bench: Bench) -> None:
    bench.cluster.apply_error = UnavailableError("away")
    bench.phase = "Succeeded"
    await bench.train(1, 3)
    bench.cluster.apply_error = None
    await bench.keeper.write()

    assert [point.step for point in bench.written.points] == [1, 2, 3]


async def test_a_run_made_again_under_its_name_begins_anew(bench: Bench) -> None:
    bench.post(5)
    bench.store.put(KEY, "uid-2", report(1), bench.clock())

    _, history = bench.store.histories()[KEY]
    assert [point.step for point in history.points] == [1]


async def test_what_transformers_callback_posts_is_history_too(bench: Bench) -> None:
    metrics = [{"name": "current_step", "value": "7"}, {"name": "loss", "value": "2.5"}]
    body = Report.model_validate({"trainerStatus": {"metrics": metrics}})
    bench.store.put(KEY, UID, body, bench.clock())
    await bench.keeper.close()

    [point] = bench.written.points
    assert (point.step, point.loss, point.world_size) == (7, 2.5, 0)

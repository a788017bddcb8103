"""Rank 0's account: what it prints, reports and remembers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trainingrun_trainer.handover import PendingRestart
from trainingrun_trainer.report import Report, RestartCause, TrainingRunBlock
from trainingrun_trainer.state import RunState
from trainingrun_trainer.worker.progress import Account, Scale

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCALE = Scale(total_steps=40, global_batch=8, tokens_per_sample=32, samples=80, world_size=2)


@dataclass
class Reports:
    """Takes reports as the poster does."""

    taken: list[Report] = field(default_factory=list)
    closed: bool = False

    def submit(self, report: Report, *, urgent: bool = False) -> None:
        self.taken.append(report)

    def close(self) -> None:
        self.closed = True

    @property
    def newest(self) -> TrainingRunBlock:
        block = self.taken[-1].training_run
        assert block is not None
        return block


class Bench:
    """An account with a clock that goes when the test says so."""

    def __init__(self, folder: Path, step: int = 0, restart: PendingRestart | None = None) -> None:
        self.folder = folder
        self.reports, self.said, self.seconds = Reports(), list[str](), 0.0
        self.account = Account(
            folder,
            SCALE,
            RunState(uid="u"),
            step,
            restart,
            self.reports,  # type: ignore[arg-type]
            say=self.said.append,
            clock=lambda: self.seconds,
            now=lambda: NOW + timedelta(seconds=self.seconds),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_throughput_and_time_left_come_from_the_steps_since_the_last_line(bench: Bench) -> None:
    bench.account.started()
    bench.seconds = 5.0
    bench.account.logged(10, 2.5, 1e-3)
    assert bench.said == [
        "step 10/40  loss 2.500  lr 1.0e-03  16.0 samples/s  512 tokens/s  eta 15s"
    ]


def test_a_report_tells_the_step_of_all(bench: Bench) -> None:
    bench.account.started()
    bench.account.logged(10, 2.5, 1e-3)
    assert (bench.reports.newest.step, bench.reports.newest.total_steps) == (10, 40)


def test_what_training_that_diverged_measures_can_still_be_reported(bench: Bench) -> None:
    bench.account.evaluated(40, {"loss": math.nan, "perplexity": math.inf, "tokens": 9.0})
    assert bench.said == ["evaluation at step 40  loss nan  perplexity inf  tokens 9"]
    assert bench.reports.newest.evaluation == {"tokens": 9.0}


def test_a_restart_is_complete_with_its_first_step(tmp_path: Path) -> None:
    restart = PendingRestart(at=NOW, cause=RestartCause.RANK_FAILED, rank=1, from_step=17)
    bench = Bench(tmp_path, step=10, restart=restart)
    bench.seconds = 1.5
    bench.account.stepped(11)
    assert bench.said == ["resumed from step 10: 7 steps lost to RankFailed, first step after 1.5s"]
    assert RunState.read(tmp_path).restart_count == 1


def test_leaving_in_order_is_remembered_in_the_folder(bench: Bench) -> None:
    bench.account.left(17)
    remembered = RunState.read(bench.folder)
    assert (remembered.last_step, remembered.left_in_order) == (17, True)


def test_the_next_step_forgets_that_ranks_left(bench: Bench) -> None:
    bench.account.left(0)
    bench.account.stepped(1)
    assert not RunState.read(bench.folder).left_in_order


@pytest.mark.parametrize("last", ["left", "close"])
def test_the_last_state_is_reported_before_the_rank_ends(bench: Bench, last: str) -> None:
    bench.account.stepped(17)
    if last == "left":
        bench.account.left(17)
    else:
        bench.account.close()
    assert bench.reports.newest.step == 17
    assert bench.reports.closed

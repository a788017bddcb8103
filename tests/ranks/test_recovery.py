"""What a run loses when something is killed or leaves: seconds, never the result."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ranks.conftest import Launch, Unbroken
from tests.ranks.launched import Launched, await_true
from tests.ranks.runs import changed, losses, of_two_workers
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode, RestartCause

pytestmark = pytest.mark.timeout(300)


def test_a_killed_rank_costs_one_restart_and_not_a_bit_of_the_losses(
    config: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    run = launch(config)
    run.until("checkpoint 10 saved")
    run.kill_rank(1)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    message = run.message()
    assert message.restart_count == 1
    assert message.restarts[0].cause is RestartCause.RANK_FAILED
    assert message.restarts[0].resumed_step in (10, 20, 30)
    assert losses(config) == unbroken.losses


def test_a_damaged_newest_checkpoint_is_set_aside_and_an_older_one_taken(
    finished: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    folder = Path(finished.folder)
    (folder / "summary.json").unlink()
    weights = folder / "checkpoints" / "checkpoint-40" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    run = launch(finished)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert "checkpoint 40 set aside: model.safetensors has" in run.output()
    assert "resumed from step 30" in run.output()
    assert losses(finished) == unbroken.losses


def test_a_checkpoint_whose_saving_was_killed_gives_way_to_the_one_before(
    config: RunConfig, launch: Launch
) -> None:
    long = changed(config, training={"maxSteps": 120}, checkpoints={"everySteps": 50})
    run = launch(long)
    run.until("checkpoint 50 saved")
    # Saving waits at a pipe that nobody reads, the weights written, the optimizer not.
    half = Path(long.folder) / "checkpoints" / "checkpoint-100"
    half.mkdir()
    os.mkfifo(half / "optimizer.pt")
    run.until("step 100/120")
    await_true((half / "model.safetensors").exists, "the weights are written")
    run.kill()
    again = launch(long)
    assert again.end() == ExitCode.SUCCEEDED, again.output()
    assert "checkpoint 100 set aside: it has no manifest" in again.output()
    assert again.message().restarts[0].resumed_step == 50


def test_a_worker_that_is_asked_to_leave_saves_a_checkpoint_first(
    config: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    run = launch(config)
    run.until("step 15/40")
    run.ask_to_leave()
    assert run.end() == ExitCode.PREEMPTED, run.output()
    again = launch(config)
    assert again.end() == ExitCode.SUCCEEDED, again.output()
    restart = again.message().restarts[0]
    assert (restart.cause, restart.lost_steps) == (RestartCause.PREEMPTED, 0)
    assert losses(config) == unbroken.losses


@pytest.mark.parametrize("leaver", [0, 1])
def test_when_one_of_two_workers_leaves_and_comes_back_no_step_is_lost(
    config: RunConfig, worker: Callable[[RunConfig, int], Launched], leaver: int
) -> None:
    two = changed(of_two_workers(config, steps=80), processes={"maxRestarts": 0})
    workers = [worker(two, index) for index in (0, 1)]
    workers[0].until("step 15/80")
    workers[leaver].ask_to_leave()
    assert workers[leaver].end() == ExitCode.PREEMPTED, workers[leaver].output()
    workers[leaver] = worker(two, leaver)
    assert [run.end() for run in workers] == [0, 0], workers[0].output() + workers[1].output()
    (restart,) = workers[0].message().restarts
    assert (restart.cause, restart.lost_steps) == (RestartCause.PREEMPTED, 0)


def test_another_number_of_ranks_sees_the_same_samples(
    config: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    run = launch(config)
    run.until("checkpoint 20 saved")
    run.kill()
    alone = changed(config, processes={"perWorker": 1})
    assert launch(alone).end() == ExitCode.SUCCEEDED
    assert losses(config) == pytest.approx(unbroken.losses, rel=1e-4)


def test_a_run_survives_the_loss_of_worker_0(
    config: RunConfig, worker: Callable[[RunConfig, int], Launched]
) -> None:
    two = of_two_workers(config, steps=60)
    first, other = worker(two, 0), worker(two, 1)
    first.until("step 25/60")
    first.kill()
    again = worker(two, 0)
    assert again.end() == ExitCode.SUCCEEDED, again.output() + other.output()
    assert other.end() == ExitCode.SUCCEEDED, other.output()
    assert again.message().restarts[0].cause is RestartCause.WORKER_LOST


def test_a_stopped_rank_is_noticed_in_time_named_and_replaced(
    config: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    run = launch(changed(config, processes={"hangTimeoutSeconds": 5}))
    run.until("step 15/40")
    run.signal_rank(1, signal.SIGSTOP)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    (restart,) = run.message().restarts
    assert (restart.cause, restart.rank) == (RestartCause.RANK_HUNG, 1)
    assert "stopped by a signal" in restart.detail
    (kept,) = (Path(config.folder) / "hangs").iterdir()
    for rank in (0, 1):
        assert "worker/main.py" in (kept / f"rank-{rank}.txt").read_text()
    assert losses(config) == unbroken.losses

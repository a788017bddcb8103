"""Whole runs by the real launcher with real ranks."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.conftest import Launch
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode, RestartCause

pytestmark = pytest.mark.timeout(60)


def losses(config: RunConfig) -> dict[int, float]:
    """The logged losses by step, as the last checkpoint remembers them."""
    newest = max(
        (Path(config.folder) / "checkpoints").glob("checkpoint-*"),
        key=lambda path: int(path.name.rpartition("-")[2]),
    )
    history: list[dict[str, Any]] = json.loads((newest / "trainer_state.json").read_text())[
        "log_history"
    ]
    return {entry["step"]: entry["loss"] for entry in history if "loss" in entry}


def changed(config: RunConfig, **groups: dict[str, Any] | str) -> RunConfig:
    """The config with some fields of some groups changed, by their camelCase names."""
    document = config.model_dump(mode="json", by_alias=True)
    for group, change in groups.items():
        document[group] = {**document[group], **change} if isinstance(change, dict) else change
    return RunConfig.model_validate(document)


@pytest.fixture
def unbroken(config: RunConfig, launch: Launch, tmp_path: Path) -> dict[int, float]:
    """The losses of a run that nothing disturbs."""
    calm = changed(config, folder=str(tmp_path / "unbroken"))
    assert launch(calm).end() == ExitCode.SUCCEEDED
    return losses(calm)


def test_two_ranks_train_and_the_summary_tells_of_it(config: RunConfig, launch: Launch) -> None:
    run = launch(changed(config, evaluation={"atStart": True}))
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    summary = run.message().summary
    assert summary is not None
    assert summary.steps == 40
    assert summary.evaluation["perplexity"] < summary.first_evaluation["perplexity"] / 2


def test_a_killed_rank_costs_one_restart_and_not_a_bit_of_the_losses(
    config: RunConfig, launch: Launch, unbroken: dict[int, float]
) -> None:
    run = launch(config)
    run.until("step 15/40")
    run.kill_rank(1)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    message = run.message()
    assert message.restart_count == 1
    assert message.restarts[0].cause is RestartCause.RANK_FAILED
    assert message.restarts[0].resumed_step in (10, 20)
    assert losses(config) == unbroken


def test_a_damaged_newest_checkpoint_is_set_aside_and_an_older_one_taken(
    config: RunConfig, launch: Launch
) -> None:
    short = changed(config, training={"maxSteps": 20})
    assert launch(short).end() == ExitCode.SUCCEEDED
    folder = Path(config.folder)
    (folder / "summary.json").unlink()
    weights = folder / "checkpoints" / "checkpoint-20" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    run = launch(short)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert "checkpoint 20 set aside: model.safetensors has" in run.output()
    assert "resumed from step 10" in run.output()


def test_a_finished_run_that_is_started_again_only_tells_its_summary(
    config: RunConfig, launch: Launch
) -> None:
    short = changed(config, training={"maxSteps": 5})
    first = launch(short)
    assert first.end() == ExitCode.SUCCEEDED
    again = launch(short)
    assert again.end() == ExitCode.SUCCEEDED, again.output()
    assert again.message().summary == first.message().summary


def test_a_wrong_data_path_ends_the_run_at_once_naming_the_field(
    config: RunConfig, launch: Launch
) -> None:
    run = launch(changed(config, data={"train": "/no/such/folder"}))
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert (failure.field, failure.message) == (
        "spec.data.train",
        "/no/such/folder does not exist in the pod",
    )


def test_an_exception_that_repeats_at_the_same_step_is_the_users(
    config: RunConfig, launch: Launch, tmp_path: Path
) -> None:
    # A folder where rank 0 wants to write its state: the same OSError each time.
    (Path(config.folder) / "run-state.json").mkdir(parents=True)
    run = launch(config)
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert "IsADirectoryError" in failure.message


def test_ranks_that_are_asked_to_leave_save_a_checkpoint_first(
    config: RunConfig, launch: Launch, unbroken: dict[int, float]
) -> None:
    run = launch(config)
    run.until("step 15/40")
    run.ask_to_leave()
    assert run.end() == ExitCode.PREEMPTED, run.output()
    again = launch(config)
    assert again.end() == ExitCode.SUCCEEDED, again.output()
    restart = again.message().restarts[0]
    assert (restart.cause, restart.lost_steps) == (RestartCause.PREEMPTED, 0)


def test_another_number_of_ranks_sees_the_same_samples(
    config: RunConfig, launch: Launch, unbroken: dict[int, float]
) -> None:
    run = launch(config)
    run.until("checkpoint 20 saved")
    run.kill()
    alone = changed(config, processes={"perWorker": 1})
    assert launch(alone).end() == ExitCode.SUCCEEDED
    assert losses(config) == pytest.approx(unbroken, rel=1e-4)


def test_a_run_survives_the_loss_of_worker_0(config: RunConfig, launch: Launch) -> None:
    two = changed(
        config,
        training={"maxSteps": 60},
        processes={"perWorker": 1, "workers": 2, "minWorkers": 1, "maxWorkers": 2},
    )
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        endpoint = f"localhost:{probe.getsockname()[1]}"
    first = launch(two, PET_RDZV_ENDPOINT=endpoint, TRAININGRUN_WORKER_INDEX="0")
    other = launch(two, PET_RDZV_ENDPOINT=endpoint, TRAININGRUN_WORKER_INDEX="1")
    first.until("step 25/60")
    first.kill()
    again = launch(two, PET_RDZV_ENDPOINT=endpoint, TRAININGRUN_WORKER_INDEX="0")
    assert again.end() == ExitCode.SUCCEEDED, again.output() + other.output()
    assert other.end() == ExitCode.SUCCEEDED, other.output()
    assert again.message().restarts[0].cause is RestartCause.WORKER_LOST

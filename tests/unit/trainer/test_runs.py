"""Whole runs by the real launcher with real ranks."""

from __future__ import annotations

import json
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

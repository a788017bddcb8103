"""The launcher never ends without last words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trainingrun_trainer import __main__ as entrypoint
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.launcher import ending
from trainingrun_trainer.launcher.arrivals import Verdict
from trainingrun_trainer.report import ExitCode, Restart, RestartCause, Summary, TerminationMessage
from trainingrun_trainer.state import RunState


@pytest.fixture
def termination_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "termination-log"
    monkeypatch.setenv("TRAININGRUN_TERMINATION_LOG", str(path))
    # Signals stay pytest's.
    monkeypatch.setattr(entrypoint.Leaving, "listen", entrypoint.Leaving)
    return path


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return RunConfig.model_validate(
        {
            "run": {"name": "test", "uid": "this"},
            "folder": str(tmp_path / "run"),
            "task": {"type": "causal-lm"},
            "model": {"name": "/model"},
            "data": {"train": "/data"},
            "training": {"maxSteps": 1},
        }
    )


def last_words(path: Path) -> TerminationMessage:
    return TerminationMessage.model_validate_json(path.read_bytes())


def test_a_launcher_that_raises_says_so_and_may_be_tried_again(
    config: RunConfig, tmp_path: Path, termination_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(entrypoint, "run", broken)
    (tmp_path / "run.json").write_text(config.to_json())
    code = entrypoint.main(["--config", str(tmp_path / "run.json")])
    failure = last_words(termination_log).failure
    assert failure is not None
    assert (code, failure.reason, failure.message) == (
        ExitCode.INFRASTRUCTURE,
        "LauncherFailed",
        "OSError: no space left on device",
    )


def test_an_environment_without_a_worker_index_is_named_in_the_last_words(
    config: RunConfig, tmp_path: Path, termination_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PET_RDZV_ENDPOINT", "run-worker-0:23456")
    monkeypatch.delenv("TRAININGRUN_WORKER_INDEX", raising=False)
    (tmp_path / "run.json").write_text(config.to_json())
    entrypoint.main(["--config", str(tmp_path / "run.json")])
    failure = last_words(termination_log).failure
    assert failure is not None
    assert "TRAININGRUN_WORKER_INDEX" in failure.message


def test_a_config_that_cannot_be_read_is_the_users(tmp_path: Path, termination_log: Path) -> None:
    (tmp_path / "run.json").write_text('{"run": {"name": "test"}, "colour": "red"}')
    code = entrypoint.main(["--config", str(tmp_path / "run.json")])
    failure = last_words(termination_log).failure
    assert failure is not None
    assert (code, failure.retryable) == (ExitCode.USER_ERROR, False)
    assert "colour" in failure.message


def test_an_interface_that_the_pod_lacks_is_the_users_to_correct(
    config: RunConfig, tmp_path: Path, termination_log: Path
) -> None:
    communication = config.communication.model_copy(update={"interface": "no-such0"})
    changed = config.model_copy(update={"communication": communication})
    (tmp_path / "run.json").write_text(changed.to_json())
    code = entrypoint.main(["--config", str(tmp_path / "run.json")])
    failure = last_words(termination_log).failure
    assert failure is not None
    assert (code, failure.field) == (ExitCode.USER_ERROR, "spec.communication.interface")
    assert "no network interface no-such0" in failure.message


def test_a_worker_that_learned_of_success_from_another_tells_the_same_summary(
    config: RunConfig, tmp_path: Path
) -> None:
    summary = Summary(steps=7)
    over = ending.by_verdict(Verdict(exit_code=0, summary=summary))
    ending.write_termination_log(tmp_path / "log", over, config)
    assert last_words(tmp_path / "log").summary == summary


def test_restarts_of_an_earlier_run_in_the_same_folder_are_not_told(
    config: RunConfig, tmp_path: Path
) -> None:
    restart = Restart(
        at="2026-01-01T00:00:00Z",
        cause=RestartCause.RANK_FAILED,
        from_step=1,
        resumed_step=0,
        lost_steps=1,
    )
    RunState(uid="earlier").with_restart(restart).write(Path(config.folder))
    ending.write_termination_log(tmp_path / "log", ending.preempted(), config)
    assert last_words(tmp_path / "log").restart_count == 0

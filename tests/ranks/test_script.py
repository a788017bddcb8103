"""The user's own program under the launcher: started, restarted, asked to leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ranks.conftest import Launch
from tests.ranks.launched import Launched
from tests.ranks.programs import PROGRAM
from trainingrun_trainer.config import ScriptConfig
from trainingrun_trainer.report import ExitCode, RestartCause

pytestmark = pytest.mark.timeout(300)

NEVER = "0"
HOSTILE = "it's $(echo {{ not }}) read; by `anyone`"


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., ScriptConfig]:
    """A run of the program with these arguments, of two ranks in one worker."""
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)

    def make(*arguments: str, **processes: Any) -> ScriptConfig:
        return ScriptConfig.model_validate(
            {
                "run": {"name": "own", "uid": "uid-1"},
                "folder": str(tmp_path / "run"),
                "task": {"type": "script", "program": str(path), "arguments": arguments},
                "processes": {"perWorker": 2, "maxRestarts": 3, **processes},
            }
        )

    return make


def test_a_program_goes_on_from_its_own_checkpoint_after_a_rank_was_killed(
    program: Callable[..., ScriptConfig], launch: Launch
) -> None:
    run = launch(program("300", NEVER, HOSTILE))
    run.until("program at 60")
    run.kill_rank(1)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert f"program starts at 0 of 2 with {['300', NEVER, HOSTILE]}" in run.output()
    (restart,) = run.message().restarts
    assert (restart.cause, restart.rank) == (RestartCause.RANK_FAILED, 1)
    assert restart.resumed_step >= 60
    assert f"program starts at {restart.resumed_step} of 2" in run.output()


def test_an_exception_that_repeats_at_the_same_checkpoint_ends_the_run_with_its_last_line(
    program: Callable[..., ScriptConfig], launch: Launch
) -> None:
    run = launch(program("300", "30"))
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert "ValueError: the sample of step 30 is empty" in failure.message


def test_a_program_that_is_asked_to_leave_saves_and_is_not_taken_for_done(
    program: Callable[..., ScriptConfig], launch: Launch
) -> None:
    run = launch(program("100000", NEVER))
    run.until("program at 20")
    run.ask_to_leave()
    assert run.end() == ExitCode.PREEMPTED, run.output()
    saved = sorted((Path(program().folder) / "checkpoints").iterdir())
    assert saved


def test_no_worker_is_done_before_the_programs_of_all_are(
    program: Callable[..., ScriptConfig], worker: Callable[[ScriptConfig, int], Launched]
) -> None:
    two = program("40", NEVER, perWorker=1, workers=2, minWorkers=2, maxWorkers=2)
    workers = [worker(two, index) for index in (0, 1)]
    assert [run.end() for run in workers] == [0, 0], workers[0].output() + workers[1].output()
    assert "program of rank 0 ends" in workers[0].output()
    assert "program of rank 1 ends" in workers[1].output()


def test_a_program_that_is_not_there_is_named_at_once(
    program: Callable[..., ScriptConfig], launch: Launch
) -> None:
    document = json.loads(program().to_json())
    document["task"]["program"] = "/no/such/program.py"
    run = launch(ScriptConfig.model_validate(document))
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert failure.field == "spec.task.program"

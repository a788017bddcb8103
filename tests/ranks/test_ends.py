"""How runs end: with which exit code, which last words, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ranks.conftest import Launch, Unbroken
from tests.ranks.launched import Launched, await_gone
from tests.ranks.runs import changed, of_two_workers
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode

pytestmark = pytest.mark.timeout(300)


def test_two_ranks_train_and_the_summary_tells_of_it(unbroken: Unbroken) -> None:
    summary = unbroken.launched.message().summary
    assert summary is not None
    assert summary.steps == 40
    assert summary.evaluation["perplexity"] < summary.first_evaluation["perplexity"] / 2


def test_no_process_is_left_after_the_end(unbroken: Unbroken) -> None:
    assert len(unbroken.family) >= 4  # launcher, fork server and two ranks
    await_gone(unbroken.family)


def test_the_launcher_itself_does_not_load_what_only_ranks_need(unbroken: Unbroken) -> None:
    # Transformers loads it; the fork server has both.
    assert "tokenizers" not in unbroken.libraries


def test_without_held_out_data_no_evaluation_is_spoken_of(
    config: RunConfig, launch: Launch
) -> None:
    document = changed(config, training={"maxSteps": 2}).model_dump(mode="json", by_alias=True)
    del document["data"]["evaluationPercent"]
    run = launch(RunConfig.model_validate(document))
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert "evaluation" not in run.output()


def test_a_finished_run_that_is_started_again_only_tells_its_summary(
    finished: RunConfig, unbroken: Unbroken, launch: Launch
) -> None:
    again = launch(finished)
    assert again.end() == ExitCode.SUCCEEDED, again.output()
    assert again.message().summary == unbroken.launched.message().summary


def test_a_run_created_again_under_its_old_name_starts_from_nothing(
    finished: RunConfig, launch: Launch
) -> None:
    anew = launch(changed(finished, run={"uid": "uid-2"}, training={"maxSteps": 5}))
    assert anew.end() == ExitCode.SUCCEEDED, anew.output()
    told = "checkpoint 40 set aside: left by an earlier run of this name (uid uid-1)"
    assert told in anew.output()
    message = anew.message()
    assert message.summary is not None
    assert (message.summary.steps, message.restart_count) == (5, 0)


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
    config: RunConfig, launch: Launch
) -> None:
    # A folder where rank 0 wants to write its state: the same OSError each time.
    (Path(config.folder) / "run-state.json").mkdir(parents=True)
    run = launch(config)
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert "IsADirectoryError" in failure.message


def test_a_worker_that_is_asked_to_leave_before_it_trains_leaves_with_last_words(
    config: RunConfig, launch: Launch
) -> None:
    run = launch(config)
    run.until_child()
    run.ask_to_leave()
    assert run.end() == ExitCode.PREEMPTED, run.output()
    failure = run.message().failure
    assert failure is not None
    assert failure.reason == "Preempted"


def test_a_killed_launcher_takes_its_ranks_along(config: RunConfig, launch: Launch) -> None:
    run = launch(changed(config, training={"maxSteps": 10_000}))
    run.until("step     5/10000")
    family = run.family()
    run.process.kill()
    await_gone(family)


def test_every_worker_of_a_finished_run_succeeds_and_carries_the_summary(
    config: RunConfig, worker: Callable[[RunConfig, int], Launched]
) -> None:
    two = of_two_workers(config, steps=10)
    workers = [worker(two, index) for index in (0, 1)]
    assert [run.end() for run in workers] == [0, 0], workers[0].output() + workers[1].output()
    summaries = [run.message().summary for run in workers]
    assert summaries[0] is not None
    assert summaries[0] == summaries[1]

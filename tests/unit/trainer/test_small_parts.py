"""Places, lines, recoveries, failures: decisions of a few lines each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trainingrun_trainer.errors import UserError
from trainingrun_trainer.handover import FaultKind, Orders, PendingRestart
from trainingrun_trainer.launcher.place import place
from trainingrun_trainer.report import RestartCause
from trainingrun_trainer.state import RunState
from trainingrun_trainer.worker import failures, lines, recovery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_ROUND = Orders("", "localhost", 1, "round/1", None, True, Path("/tmp"))  # noqa: S108


def test_without_an_endpoint_there_is_one_worker_on_this_machine() -> None:
    here = place({})
    assert (here.worker, here.host, here.port) == (0, "localhost", 0)


def test_a_pod_knows_its_place_from_its_environment() -> None:
    here = place({"PET_RDZV_ENDPOINT": "run-worker-0:23456", "TRAININGRUN_WORKER_INDEX": "3"})
    assert (here.worker, here.host, here.port) == (3, "run-worker-0", 23456)


def test_an_endpoint_without_a_port_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="PET_RDZV_ENDPOINT is 'somewhere'; write host:port"):
        place({"PET_RDZV_ENDPOINT": "somewhere"})


def test_an_endpoint_without_an_index_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="TRAININGRUN_WORKER_INDEX"):
        place({"PET_RDZV_ENDPOINT": "run-worker-0:23456"})


@pytest.mark.parametrize(
    ("seconds", "words"), [(9.2, "9s"), (70, "1m10s"), (3720, "1h02m"), (-1, "0s")]
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert lines.duration(seconds) == words


def test_a_training_line_says_what_is_known() -> None:
    line = lines.training(
        step=20,
        total=400,
        loss=3.2144,
        learning_rate=4.2e-4,
        samples_per_second=14.3,
        tokens_per_second=1834.2,
        eta_seconds=70,
    )
    assert line == (
        "step  20/400  loss 3.214  lr 4.2e-04  14.3 samples/s  1834 tokens/s  eta 1m10s"
    )


def test_the_start_of_a_run_is_no_restart() -> None:
    assert recovery.pending(FIRST_ROUND, RunState(), 0, NOW) is None


def test_a_run_that_nobody_survived_was_lost() -> None:
    restart = recovery.pending(FIRST_ROUND, RunState(last_step=17), 10, NOW)
    assert restart is not None
    assert restart.cause is RestartCause.WORKER_LOST


def test_the_time_that_nobody_survived_counts_from_the_last_step_known() -> None:
    state = RunState(last_step=17, last_step_at=NOW - timedelta(seconds=20))
    restart = recovery.pending(FIRST_ROUND, state, 10, NOW)
    assert restart is not None
    record = recovery.completed(restart, 10, NOW + timedelta(seconds=5))
    assert record.seconds_to_first_step == 25


def test_a_run_that_was_left_in_order_was_preempted() -> None:
    state = RunState(last_step=17, left_in_order=True)
    restart = recovery.pending(FIRST_ROUND, state, 17, NOW)
    assert restart is not None
    assert restart.cause is RestartCause.PREEMPTED


def test_lost_steps_are_those_since_the_checkpoint() -> None:
    restart = PendingRestart(at=NOW, cause=RestartCause.RANK_FAILED, from_step=17)
    record = recovery.completed(restart, 10, NOW + timedelta(seconds=1.5))
    assert (record.lost_steps, record.seconds_to_first_step) == (7, 1.5)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UserError("wrong", "spec.data.train"), FaultKind.USER),
        (RuntimeError("[/x/gloo/transport/tcp/pair.cc:1] Connection closed"), FaultKind.PEER),
        (
            RuntimeError("oneCCL: recv_reduce_entry.hpp:88 update: EXCEPTION: entry failed"),
            FaultKind.PEER,
        ),
        (RuntimeError("oneCCL: exec.cpp:134 start_workers: EXCEPTION: worker 0"), FaultKind.OWN),
        (RuntimeError("shapes differ"), FaultKind.OWN),
        (MemoryError(), FaultKind.OWN),
    ],
)
def test_an_exception_shows_whose_fault_it_is(error: Exception, kind: FaultKind) -> None:
    assert failures.kind(error) is kind


def test_a_signature_names_type_and_place() -> None:
    try:
        raise KeyError("loss")
    except KeyError as error:
        note = failures.note(error, rank=1, step=7)
    assert note.signature.startswith(f"KeyError at {__file__}:")

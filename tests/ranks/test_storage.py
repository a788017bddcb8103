"""What a run does when its claim takes no more: on a file system that is really full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.progress_endpoint import ProgressEndpoint
from tests.ranks.conftest import Launch
from tests.ranks.runs import changed
from trainingrun_trainer.checkpoints.verify import verified
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode, Report

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB; mounting it takes root, as the tests' containers have it."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[ProgressEndpoint]:
    opened = ProgressEndpoint(tmp_path)
    yield opened
    opened.end()


def fill(disk: Path) -> Path:
    """A file that leaves no room for another."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return filler


def storage_problem(report: Report) -> str | None:
    return None if report.training_run is None else report.training_run.storage_problem


def test_a_run_trains_on_without_room_and_saves_again_when_there_is_some(
    config: RunConfig, disk: Path, launch: Launch, endpoint: ProgressEndpoint
) -> None:
    on_disk = changed(config, folder=str(disk / "run"), training={"maxSteps": 1000})
    run = launch(on_disk, **endpoint.env)
    run.until("checkpoint 10 saved")
    filler = fill(disk)
    run.until("the storage is full (No space left on device): no checkpoint was saved")
    endpoint.until_told(lambda report: storage_problem(report) is not None)
    filler.unlink()
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert verified(disk / "run" / "checkpoints" / "checkpoint-1000").step == 1000
    assert storage_problem(endpoint.accepted[-1]) is None


def test_a_run_that_is_to_stop_without_room_fails_with_the_mend_and_keeps_what_it_has(
    config: RunConfig, disk: Path, launch: Launch
) -> None:
    on_disk = changed(
        config,
        folder=str(disk / "run"),
        training={"maxSteps": 400},
        checkpoints={"onStorageFull": "Stop"},
    )
    run = launch(on_disk)
    run.until("checkpoint 10 saved")
    fill(disk)
    assert run.end() == ExitCode.USER_ERROR, run.output()
    failure = run.message().failure
    assert failure is not None
    assert failure.field == "spec.storage"
    assert failure.message.startswith("the storage is full (No space left on device), and ")
    assert verified(disk / "run" / "checkpoints" / "checkpoint-10").step == 10

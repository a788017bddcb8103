"""Saving beside training: one write at a time, from a copy that training does not change."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from trainingrun_trainer.checkpoints import resume, storage
from trainingrun_trainer.checkpoints.manifest import Manifest
from trainingrun_trainer.checkpoints.save import Origin, save
from trainingrun_trainer.checkpoints.verify import verified
from trainingrun_trainer.checkpoints.writer import Writer
from trainingrun_trainer.config import Checkpoints
from trainingrun_trainer.worker.host_copy import HostCopy
from trainingrun_trainer.worker.leave import SaveClock
from trainingrun_trainer.worker.memory import spare_bytes
from trainingrun_trainer.worker.rank_state import (
    RankState,
    RunningLoss,
    random_numbers,
    read_running_loss,
    restore_random_numbers,
    write_running_loss,
)
from trainingrun_trainer.worker.snapshot import Snapshot

MANIFEST = Manifest(
    step=1, samples=8, world_size=1, global_batch=8, written_at=datetime.now(UTC), files=()
)


def origin(step: int) -> Origin:
    return Origin(step, world_size=2, global_batch=8, run_uid="u", versions={})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte; mounting it takes root, as the tests' containers have it."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def snapshot(optimizer_bytes: int, width: int = 8) -> Snapshot:
    """A checkpoint's contents, with a model of a few hundred bytes for each unit of width."""
    shape = {"vocab_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = LlamaForCausalLM(LlamaConfig(hidden_size=width, intermediate_size=width, **shape))
    optimizer = {"state": torch.zeros(optimizer_bytes, dtype=torch.uint8)}
    states = {"weights": model.state_dict(), "optimizer.pt": optimizer, "scheduler.pt": {}}
    ranks = tuple(RankState(random_numbers(), RunningLoss(0.5, 10)) for _ in range(2))
    return Snapshot(model, states, ranks, "{}\n")


def test_a_write_is_done_while_the_caller_goes_on() -> None:
    writer, may_go_on = Writer(), threading.Event()

    def write() -> Manifest:
        may_go_on.wait(10)
        return MANIFEST

    writer.begin(write)
    assert writer.outcomes() == []
    may_go_on.set()
    writer.finish()
    assert writer.outcomes() == [MANIFEST]


def test_the_next_write_waits_for_the_one_before() -> None:
    writer, order, may_go_on = Writer(), list[str](), threading.Event()

    def write(name: str) -> Manifest:
        may_go_on.wait(10)
        order.append(name)
        return MANIFEST

    writer.begin(lambda: write("first"))
    threading.Timer(0.05, may_go_on.set).start()
    writer.write(lambda: write("second"))
    assert order == ["first", "second"]


def test_a_write_that_fails_is_an_outcome_and_not_the_end() -> None:
    writer, failure = Writer(), OSError(28, "No space left on device")

    def write() -> Manifest:
        raise failure

    writer.begin(write)
    writer.finish()
    assert writer.outcomes() == [failure]


def test_a_copy_stays_as_it_was_while_training_goes_on() -> None:
    weights = {"layer": torch.zeros(3)}
    copied = HostCopy().of({"weights": weights, "steps": [1, (2, None)]})
    weights["layer"] += 1
    assert copied["weights"]["layer"].tolist() == [0, 0, 0]
    assert copied["steps"] == [1, (2, None)]


def test_tied_weights_stay_tied_in_a_copy() -> None:
    tied = torch.zeros(3)
    copied = HostCopy().of({"a": tied, "b": tied})
    assert copied["a"].data_ptr() == copied["b"].data_ptr()


def test_the_next_copy_takes_no_more_memory() -> None:
    copies, state = HostCopy(), {"layer": torch.zeros(1000)}
    first = copies.of(state)["layer"].data_ptr()
    assert copies.of(state)["layer"].data_ptr() == first
    assert copies.size_bytes == 4000


@pytest.mark.parametrize(("optimizer_bytes", "width"), [(2_000_000, 8), (8, 512)])
def test_a_disk_that_fills_up_while_saving_leaves_the_checkpoint_before_and_its_room(
    small_disk: Path, optimizer_bytes: int, width: int
) -> None:
    save(small_disk, origin(10), snapshot(8).write, keep=2)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the next line tells which
        save(small_disk, origin(20), snapshot(optimizer_bytes, width).write, keep=2)
    assert storage.trouble(caught.value) == "the storage is full (No space left on device)"
    assert [folder.name for folder in resume.folders(small_disk)] == ["checkpoint-10"]
    assert verified(small_disk / "checkpoint-10").step == 10


def test_a_disk_that_became_read_only_is_named(small_disk: Path) -> None:
    save(small_disk, origin(10), snapshot(8).write, keep=2)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OSError, match="Read-only") as caught:
        save(small_disk, origin(20), snapshot(8).write, keep=2)
    assert storage.trouble(caught.value) == "the storage is read-only (Read-only file system)"
    assert verified(small_disk / "checkpoint-10").step == 10


def test_another_error_is_no_trouble_of_the_storage() -> None:
    assert storage.trouble(PermissionError(13, "Permission denied")) is None


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_random_numbers_go_on_where_they_were(tmp_path: Path, rank: int) -> None:
    (tmp_path / f"rng_state_{rank % 2}.pth").write_bytes(random_numbers())
    expected = torch.rand(3)
    restore_random_numbers(tmp_path, rank, world_size=2)
    assert torch.equal(torch.rand(3), expected)


def test_the_running_loss_of_another_number_of_ranks_is_their_mean(tmp_path: Path) -> None:
    write_running_loss(tmp_path, [RunningLoss(1.0, 10), RunningLoss(2.0, 10)])
    assert read_running_loss(tmp_path, 1, world_size=2) == RunningLoss(2.0, 10)
    assert read_running_loss(tmp_path, 0, world_size=1) == RunningLoss(1.5, 10)


def test_what_a_rank_knows_arrives_whole_at_rank_0() -> None:
    own = RankState(os.urandom(64), RunningLoss(0.1, 5))
    assert RankState.from_text(own.to_text()) == own


def test_time_for_a_checkpoint_counts_from_the_last_one() -> None:
    now = 100.0
    clock = SaveClock(30, lambda: now)
    now = 129.0
    assert not clock.due
    now = 130.0
    assert clock.due
    clock.start()
    assert not clock.due


@pytest.mark.parametrize(
    ("written", "interval"),
    [({}, 200), ({"everySteps": 5}, 5), ({"everySeconds": 60}, None)],
)
def test_steps_count_unless_only_seconds_are_written(
    written: dict[str, int], interval: int | None
) -> None:
    assert Checkpoints.model_validate(written).step_interval == interval


def test_memory_that_is_left_is_the_containers_where_that_is_less(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   8000 kB\n")
    (tmp_path / "memory.max").write_text("5000000\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    (tmp_path / "memory.stat").write_text("anon 3000000\ninactive_file 500000\n")
    assert spare_bytes(tmp_path / "meminfo", tmp_path) == 1_500_000


def test_a_container_without_a_limit_has_what_the_machine_has(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemAvailable:   8000 kB\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    assert spare_bytes(tmp_path / "meminfo", tmp_path) == 8_192_000

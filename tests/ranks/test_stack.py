"""A real run on what it asked for: libraries, CPUs, precision, and the table that says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.ranks.conftest import Launch
from tests.ranks.runs import changed
from trainingrun_trainer.config import Precision, RunConfig
from trainingrun_trainer.image_manifest import PATH_VARIABLE
from trainingrun_trainer.state import RunState

pytestmark = pytest.mark.timeout(300)
A_LIBRARY = next(Path("/").glob("lib/*-linux-gnu/libresolv.so.2"))


def an_image(folder: Path) -> Path:
    """A manifest with an allocator: some library under its name, which is all that is looked at."""
    library = folder / "libtcmalloc_minimal.so.4"
    shutil.copyfile(A_LIBRARY, library)
    manifest = folder / "image.json"
    manifest.write_text(
        json.dumps({"runtime": "cpu", "torch": "2.15.0", "libraries": {"tcmalloc": str(library)}})
    )
    return manifest


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}


def test_ranks_get_what_was_asked_for_and_say_what_they_could_not_get(
    config: RunConfig, launch: Launch, tmp_path: Path
) -> None:
    wanted = changed(
        config,
        training={"maxSteps": 10, "precision": "measure"},
        cpu={"allocator": "tcmalloc", "affinity": "ranks", "dataLoaderWorkers": 1},
        communication={"interface": "lo"},
        evaluation={"atStart": False},
    ).model_copy(update={"shared_memory_bytes": 2**60})
    image = {PATH_VARIABLE: str(an_image(tmp_path))}
    launched = launch(wanted, GLOO_SOCKET_IFNAME="lo", **image)
    launched.until("step  1/10")
    cpus = {
        (Path(f"/proc/{pid}/comm").read_text(), _cpus_of(pid))
        for pid in launched.family()
        if Path(f"/proc/{pid}/comm").read_text().startswith("rank-")
    }
    assert launched.end() == 0, launched.output()
    assert {("rank-0\n", "0"), ("rank-1\n", "1")} <= cpus, cpus

    log = rows(launched.output())
    assert log["allocator"] == ["allocator", "tcmalloc", "tcmalloc"]
    assert log["backend"] == ["backend", "gloo", "gloo"]
    assert log["threads"][1:] == ["1", "torch", "1,", "running", "1"]
    assert log["precision"][1] == "measure"
    assert "the node gives less shared memory than spec.sharedMemory.size" in launched.output()
    measured = RunState.read(Path(wanted.folder)).precision
    assert measured in {Precision.FLOAT32, Precision.BFLOAT16}
    assert f"precision: {measured}, of float32 " in launched.output()


def _cpus_of(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Cpus_allowed_list"))

"""Runs of the real launcher, small enough for a test."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ranks.launched import Launched
from tests.ranks.runs import losses, small_run, write_texts
from trainingrun_trainer.config import RunConfig

Launch = Callable[..., Launched]


@dataclass(frozen=True)
class Unbroken:
    """A run that nothing disturbed; tests look at it and do not touch it."""

    config: RunConfig
    launched: Launched
    family: frozenset[int]
    """Pids that it had while it trained."""
    libraries: str
    """What the launcher's process had mapped into memory then."""

    @property
    def losses(self) -> dict[int, float]:
        return losses(self.config)


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty little texts that a model can learn something from."""
    return write_texts(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory, texts: Path) -> Iterator[Unbroken]:
    """One finished run for the whole session."""
    folder = tmp_path_factory.mktemp("unbroken")
    config = small_run(folder / "run", texts)
    (folder / "run.json").write_text(config.to_json())
    launched = Launched(folder / "run.json", folder / "termination", {})
    launched.until("step 15/40")
    family = launched.family()
    libraries = Path(f"/proc/{launched.process.pid}/maps").read_text()
    assert launched.end() == 0, launched.output()
    yield Unbroken(config, launched, frozenset(family), libraries)
    launched.kill()


@pytest.fixture
def config(tmp_path: Path, texts: Path) -> RunConfig:
    """A run of 40 steps and two ranks, a checkpoint every 10."""
    return small_run(tmp_path / "run", texts)


@pytest.fixture
def finished(config: RunConfig, unbroken: Unbroken) -> RunConfig:
    """The same run, its folder as the unbroken run left its own."""
    shutil.copytree(unbroken.config.folder, config.folder)
    return config


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts launchers; what is left of them at the end of the test is killed."""
    started: list[Launched] = []

    def start(config: RunConfig, module: str = "trainingrun_trainer", **env: str) -> Launched:
        number = len(started)
        path = tmp_path / f"run-{number}.json"
        path.write_text(config.to_json())
        started.append(Launched(path, tmp_path / f"termination-{number}", env, module))
        return started[-1]

    yield start
    for launched in started:
        launched.kill()


@pytest.fixture
def worker(launch: Launch) -> Callable[[RunConfig, int], Launched]:
    """Starts the launcher of one of several workers that meet on this machine."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        endpoint = f"localhost:{probe.getsockname()[1]}"

    def start(config: RunConfig, index: int) -> Launched:
        return launch(config, PET_RDZV_ENDPOINT=endpoint, TRAININGRUN_WORKER_INDEX=str(index))

    return start

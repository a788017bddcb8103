"""The same samples and the same losses, whatever becomes of the ranks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.ranks.conftest import Launch
from tests.ranks.recorded import RECORD
from tests.ranks.runs import changed, losses
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode

pytestmark = pytest.mark.timeout(300)

MODULE = "tests.ranks.recorded"
STEPS = 160


def last_of_each_step(record: Path) -> dict[int, Counter[str]]:
    """The samples of each step, of the last ranks that did it: earlier ones were lost."""
    steps: dict[int, dict[str, Counter[str]]] = {}
    lives: dict[str, int] = {}
    for line in record.read_text().splitlines():
        process, step, sample = line.split()
        lives.setdefault(process, len(lives))
        steps.setdefault(int(step), {}).setdefault(process, Counter())[sample] += 1
    return {step: _of_the_last(by_process, lives) for step, by_process in steps.items()}


def _of_the_last(by_process: dict[str, Counter[str]], lives: dict[str, int]) -> Counter[str]:
    """The ranks of one round begin together: those that follow the longest pause came last."""
    samples: Counter[str] = Counter()
    for process in sorted(by_process, key=lambda process: -lives[process]):
        if samples.total() == 8:
            break
        samples += by_process[process]
    return samples


def test_from_two_ranks_to_one_and_back_each_sample_is_consumed_once_and_losses_agree(
    config: RunConfig, launch: Launch, tmp_path: Path
) -> None:
    two = changed(config, training={"maxSteps": STEPS})
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    for world in (two, changed(two, processes={"perWorker": 1})):
        run = launch(world, module=MODULE, **{RECORD: str(broken)})
        run.until("saved and verified")
        run.kill()
    last = launch(two, module=MODULE, **{RECORD: str(broken)})
    assert last.end() == ExitCode.SUCCEEDED, last.output()
    undisturbed = changed(two, folder=str(tmp_path / "undisturbed"))
    assert launch(undisturbed, module=MODULE, **{RECORD: str(whole)}).end() == ExitCode.SUCCEEDED

    consumed = last_of_each_step(broken)
    assert consumed == last_of_each_step(whole)
    assert Counter(samples.total() for samples in consumed.values()) == {8: STEPS}
    assert last.message().restart_count == 2
    assert losses(two) == pytest.approx(losses(undisturbed), rel=1e-4)

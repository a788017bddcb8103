"""A run that starts from another run's checkpoint goes on as that run would have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ranks.conftest import Launch, Unbroken
from tests.ranks.runs import changed, losses
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode

pytestmark = pytest.mark.timeout(300)


def test_another_run_s_checkpoint_is_gone_on_from_without_a_bit_lost(
    finished: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    other = Path(finished.folder)
    before = sorted(other.rglob("*"))
    following = changed(
        finished,
        run={"name": "following", "uid": "uid-2"},
        folder=str(other.parent / "following"),
        resume={"from": "run", "run": other.name, "step": 30},
    )

    run = launch(following)

    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert "resumed from step 30" in run.output()
    assert losses(following) == unbroken.losses
    assert sorted(other.rglob("*")) == before

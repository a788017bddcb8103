"""Ranks over ccl, with a stand-in for oneCCL's binding that has its module and backend name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ranks.conftest import Launch, Unbroken
from tests.ranks.runs import changed, losses
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode

pytestmark = pytest.mark.timeout(300)
STAND_INS = Path(__file__).parents[1] / "stand_ins"


def test_ranks_over_ccl_come_to_the_losses_of_gloo(
    config: RunConfig, launch: Launch, unbroken: Unbroken
) -> None:
    over_ccl = changed(config, communication={"backend": "ccl", "required": True})
    run = launch(over_ccl, PYTHONPATH=str(STAND_INS))
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert "stand-in for oneCCL: gloo carries the collectives of ccl" in run.output()
    assert losses(over_ccl) == unbroken.losses

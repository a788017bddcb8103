"""What the operator hears of a run, by its own endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.progress_endpoint import ProgressEndpoint
from tests.ranks.conftest import Launch
from tests.ranks.runs import changed
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.report import ExitCode

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[ProgressEndpoint]:
    opened = ProgressEndpoint(tmp_path)
    yield opened
    opened.end()


def test_an_operator_that_was_away_while_ranks_trained_knows_how_it_ended(
    config: RunConfig, launch: Launch, endpoint: ProgressEndpoint
) -> None:
    run = launch(changed(config, training={"maxSteps": 200}), **endpoint.env)
    endpoint.until_accepted(1)
    endpoint.close()
    run.until("step 100/200")
    endpoint.open()
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    last = endpoint.accepted[-1].training_run
    assert last is not None
    assert (last.step, [record.step for record in last.checkpoints][-1]) == (200, 200)


def test_transformers_own_callback_does_not_report_beside_ours(
    config: RunConfig, launch: Launch, endpoint: ProgressEndpoint
) -> None:
    run = launch(changed(config, training={"maxSteps": 20}), **endpoint.env)
    assert run.end() == ExitCode.SUCCEEDED, run.output()
    assert all(report.training_run is not None for report in endpoint.accepted)

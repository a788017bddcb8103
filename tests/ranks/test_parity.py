"""The image's test of itself, as far as this environment has what it compares."""

from __future__ import annotations

import pytest

from trainingrun_trainer.parity import __main__ as parity

pytestmark = pytest.mark.timeout(600)


def test_two_ranks_come_to_the_losses_of_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert parity.main(["--steps", "5", "--precision", "float32"]) == 0
    rows = [line.split("  ")[0] for line in capfd.readouterr().out.splitlines() if "same" in line]
    assert rows == ["stock, gloo, 1 rank", "stock, gloo, 2 ranks"]

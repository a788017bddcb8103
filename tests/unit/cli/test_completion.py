"""What kubectl's shell completion is told."""

from __future__ import annotations

import pytest

from kubectl_trainingrun import completion
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.kubectl import Kubectl
from tests.unit.cli.clusters import FakeCluster, run


@pytest.fixture(autouse=True)
def squad(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster with one run."""
    fake = FakeCluster()
    fake.add(RUNS, run())
    monkeypatch.setattr(Kubectl, "select", lambda _, kind: fake.select(kind))


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["sta"], ["status", ":4"]),
        (["status", "s"], ["squad", ":4"]),
        (["plot", "squad", ""], ["squad", ":4"]),
        (["status", "--o"], ["--output", ":4"]),
        (["status", "squad", "-o", "y"], ["yaml", ":4"]),
        (["submit", "-f", ""], [":0"]),
        (["init", ""], [":4"]),
        (["nothing", ""], [":4"]),
    ],
)
def test_what_may_come_next(
    words: list[str],
    answer: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-trainingrun", *words])

    assert completion.main() == 0
    assert capsys.readouterr().out.split() == answer

"""Every verb talks to a cluster in memory."""

from __future__ import annotations

import pytest

from kubectl_trainingrun import options
from tests.unit.cli.clusters import FakeCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """The cluster that verbs get for any options."""
    fake = FakeCluster()
    monkeypatch.setattr(options, "cluster", lambda _: fake)
    return fake

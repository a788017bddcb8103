"""The graphs that the verbs run, where images can be pulled and where they are built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hack import cluster, images
from hack.cluster import binaries, preflight, source
from hack.steps import check


@pytest.fixture(params=["pull", "build"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the machine of the test lacks is beside the point."""
    monkeypatch.setenv("TRAININGRUN_IMAGES", request.param)
    monkeypatch.setattr(preflight, "require", lambda: None)
    source.chosen.cache_clear()
    yield
    source.chosen.cache_clear()


@pytest.mark.usefixtures("_way")
def test_the_cluster_with_our_images_is_a_graph() -> None:
    check([*cluster.steps(), *images.steps()])


@pytest.mark.usefixtures("_way")
def test_programs_without_a_cluster_are_a_graph() -> None:
    check(binaries.steps_alone("etcd", "kube-apiserver", "kubectl", "helm"))

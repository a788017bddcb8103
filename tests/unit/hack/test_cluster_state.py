"""What state a cluster is recognised in."""

import json
from pathlib import Path

import pytest

from hack.cluster.kind import Container, Facts, Finished, State, configuration, recognise

IMAGE = "trainingrun/node:v1"
CONTROL_PLANE = Container("control-plane", "c1", running=True)
WORKER = Container("worker", "w1", running=True)
FINISHED = Finished({"control-plane": "c1", "worker": "w1"}, IMAGE)


def facts(
    *containers: Container,
    finished: Finished | None = FINISHED,
    image: str = IMAGE,
    workers: int | None = None,
) -> Facts:
    return Facts(containers, finished, image, workers)


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (facts(finished=None), State.ABSENT, "there is no cluster"),
        (facts(), State.ABSENT, "there is no cluster"),
        (facts(CONTROL_PLANE, WORKER, finished=None), State.HALF_MADE, "interrupted"),
        (
            facts(Container("control-plane", "c2", running=True)),
            State.HALF_MADE,
            "interrupted",
        ),
        (facts(CONTROL_PLANE), State.DAMAGED, "worker went missing"),
        (
            facts(CONTROL_PLANE, Container("worker", "w2", running=True)),
            State.DAMAGED,
            "worker went missing",
        ),
        (
            facts(CONTROL_PLANE, WORKER, Container("worker2", "w9", running=True)),
            State.DAMAGED,
            "worker2 is not ours",
        ),
        (facts(CONTROL_PLANE, WORKER, image="new"), State.DAMAGED, "wanted is new"),
        (facts(CONTROL_PLANE, WORKER, workers=2), State.DAMAGED, "it has 1 workers"),
        (
            facts(CONTROL_PLANE, Container("worker", "w1", running=False)),
            State.STOPPED,
            "worker not running",
        ),
        (facts(CONTROL_PLANE, WORKER), State.RUNNING, "all nodes are running"),
        (facts(CONTROL_PLANE, WORKER, workers=1), State.RUNNING, "all nodes are running"),
    ],
)
def test_a_state_is_recognised_by_its_facts(seen: Facts, state: State, reason: str) -> None:
    found, why = recognise(seen)

    assert found is state
    assert reason in why


def test_every_node_has_the_shared_folder() -> None:
    made = configuration(2, Path("/srv/shared"), own_network=True, cgroup_v1=True)

    assert [node["role"] for node in made["nodes"]] == ["control-plane", "worker", "worker"]
    assert all(node["extraMounts"][0]["containerPath"] == "/shared" for node in made["nodes"])


def test_the_kubelet_takes_its_node_for_the_root_on_cgroup_v1_only() -> None:
    def kubelet(*, cgroup_v1: bool) -> dict[str, str]:
        made = configuration(1, Path("/s"), own_network=True, cgroup_v1=cgroup_v1)
        patch: dict[str, str] = json.loads(made["kubeadmConfigPatches"][0])
        return patch

    assert kubelet(cgroup_v1=True)["cgroupRoot"] == "/"
    assert "cgroupRoot" not in kubelet(cgroup_v1=False)


def test_kinds_own_network_is_kept_where_its_images_can_be_pulled() -> None:
    made = configuration(1, Path("/s"), own_network=False, cgroup_v1=False)

    assert made["networking"] == {"disableDefaultCNI": False}

"""The kind cluster: what state it is in, and how it gets from there to running."""

import enum
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hack import cache
from hack.cluster import binaries, images
from hack.cluster.source import Source, chosen
from hack.shell import CommandFailed, Shell, TimedOut
from hack.steps import Bound, Step

NAME: Final = "trainingrun"
CONTROL_PLANE: Final = f"{NAME}-control-plane"
WORKERS_VARIABLE: Final = "TRAININGRUN_WORKERS"
# The same folder of this machine on every node: what makes volumes shared (see storage.py).
SHARED_FOLDER: Final = "/shared"
READY_SECONDS: Final = 180


class State(enum.Enum):
    """What a cluster can be found as; `up` brings each to RUNNING."""

    ABSENT = "absent"
    HALF_MADE = "half-made"
    DAMAGED = "damaged"
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True)
class Container:
    """A node's container as the engine has it."""

    name: str
    id: str
    running: bool


@dataclass(frozen=True)
class Finished:
    """What was written down when a cluster was whole: its nodes' containers and its image."""

    containers: dict[str, str]
    image: str


@dataclass(frozen=True)
class Facts:
    """Everything the state is recognised by."""

    containers: tuple[Container, ...]
    finished: Finished | None
    image: str
    workers: int | None  # as the user asked; None: as it is


Verdict = tuple[State, str]


def _absent(facts: Facts) -> Verdict | None:
    return None if facts.containers else (State.ABSENT, "there is no cluster")


def _half_made(facts: Facts) -> Verdict | None:
    present = {(item.name, item.id) for item in facts.containers}
    if facts.finished is None or present.isdisjoint(facts.finished.containers.items()):
        return State.HALF_MADE, "making it was interrupted"
    return None


def _node_lost(facts: Facts) -> Verdict | None:
    present = {(item.name, item.id) for item in facts.containers}
    lost = sorted(name for name, id_ in _recorded(facts) if (name, id_) not in present)
    return (State.DAMAGED, f"{', '.join(lost)} went missing") if lost else None


def _node_added(facts: Facts) -> Verdict | None:
    known = {name for name, _ in _recorded(facts)}
    strange = sorted({item.name for item in facts.containers} - known)
    return (State.DAMAGED, f"{', '.join(strange)} is not ours") if strange else None


def _outdated(facts: Facts) -> Verdict | None:
    if facts.finished is not None and facts.finished.image != facts.image:
        return State.DAMAGED, f"made from {facts.finished.image}, wanted is {facts.image}"
    return None


def _other_size(facts: Facts) -> Verdict | None:
    workers = len(facts.containers) - 1
    if facts.workers is not None and facts.workers != workers:
        return State.DAMAGED, f"it has {workers} workers, {WORKERS_VARIABLE}={facts.workers}"
    return None


def _stopped(facts: Facts) -> Verdict | None:
    names = [item.name for item in facts.containers if not item.running]
    return (State.STOPPED, f"{', '.join(names)} not running") if names else None


def _running(_: Facts) -> Verdict:
    return State.RUNNING, "all nodes are running"


CHECKS: Final = (
    _absent,
    _half_made,
    _node_lost,
    _node_added,
    _outdated,
    _other_size,
    _stopped,
    _running,
)


def recognise(facts: Facts) -> Verdict:
    """The state of the cluster, and why, in words: the first check that has something to say."""
    return next(verdict for check in CHECKS if (verdict := check(facts)) is not None)


def _recorded(facts: Facts) -> list[tuple[str, str]]:
    return list(facts.finished.containers.items()) if facts.finished is not None else []


def workers_wanted() -> int | None:
    """`TRAININGRUN_WORKERS`, or None where it is not set.

    Raises:
        ValueError: it is not a number above zero.
    """
    told = os.environ.get(WORKERS_VARIABLE)
    if told is None:
        return None
    if not told.isdecimal() or int(told) < 1:
        raise ValueError(f"{WORKERS_VARIABLE}={told}: use a number from 1 up")
    return int(told)


def kubeconfig() -> Path:
    """The cluster's own kubeconfig; the user's is never touched."""
    return cache.root() / "cluster" / "kubeconfig"


def node_image() -> str:
    """The image its nodes are made from."""
    return images.PULLED_NODE if chosen() is Source.PULL else images.node_image()


def configuration(workers: int, shared: Path, own_network: bool, cgroup_v1: bool) -> dict[str, Any]:
    """kind's configuration file (JSON, which is YAML)."""
    node = {"extraMounts": [{"hostPath": str(shared), "containerPath": SHARED_FOLDER}]}
    kubelet = {
        "kind": "KubeletConfiguration",
        # Unused images and logs are the engine's disk, which is this machine's: no eviction.
        "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
    }
    if own_network:
        # Our node image has no systemd cgroup driver; on cgroup v1 the node's own cgroup is the
        # root of what it sees.
        kubelet |= {"cgroupDriver": "cgroupfs"} | ({"cgroupRoot": "/"} if cgroup_v1 else {})
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"disableDefaultCNI": own_network},
        "kubeadmConfigPatches": [json.dumps(kubelet)],
        "nodes": [{"role": "control-plane", **node}, *[{"role": "worker", **node}] * workers],
    }


def steps() -> list[Step]:
    """`nodes`: the state machine; `api server`: it answers and every node has joined."""
    image_step = "pull node image" if chosen() is Source.PULL else "node image"
    programs = [binaries.step_name(name) for name in ("kind", "kubectl")]
    return [
        Step(
            name="nodes",
            make=_bring_to_running,
            present=lambda shell: recognise(observe(shell))[0] is State.RUNNING,
            needs=tuple({image_step, "engine", *(name for name in programs if name)}),
            mend="`python3 -m hack.cluster down`, then `up`, makes a new cluster",
        ),
        Step(
            name="api server",
            make=_wait_for_api,
            present=_answers,
            needs=("nodes",),
            bound=Bound.NETWORK,
            mend="`python3 -m hack.cluster down`, then `up`, makes a new cluster",
        ),
    ]


def observe(shell: Shell) -> Facts:
    """The facts of this machine's cluster."""
    label = f"label=io.x-k8s.kind.cluster={NAME}"
    listed = shell.read(
        *("docker", "ps", "--all", "--no-trunc", "--filter", label),
        *("--format", "{{.Names}} {{.ID}} {{.State}}"),
    )
    rows = (line.split() for line in listed.splitlines())
    return Facts(
        containers=tuple(Container(row[0], row[1], row[2] == "running") for row in rows),
        finished=_read_finished(),
        image=node_image(),
        workers=workers_wanted(),
    )


def delete(shell: Shell) -> None:
    """Remove the cluster, whatever state it is in."""
    _finished_file().unlink(missing_ok=True)
    shell.run(
        *(binaries.path("kind"), "delete", "cluster"),
        *("--name", NAME, "--kubeconfig", kubeconfig()),
    )
    kubeconfig().unlink(missing_ok=True)
    # Volumes are the cluster's: their files go with it. Written by pods, so by any user: removed
    # in a container, which may do so even where this user may not.
    if any(_shared_folder().iterdir()):
        shell.ok(
            *("docker", "run", "--rm", "--entrypoint", "/bin/sh"),
            *("--volume", f"{_shared_folder()}:{SHARED_FOLDER}", node_image()),
            *("-c", f"rm -rf {SHARED_FOLDER}/*"),
        )


def kubectl(*arguments: str | Path) -> tuple[str | Path, ...]:
    """A kubectl command for this cluster."""
    return (binaries.path("kubectl"), "--kubeconfig", kubeconfig(), *arguments)


def node_names(shell: Shell) -> list[str]:
    """The nodes, which are containers of the same names."""
    return sorted(container.name for container in observe(shell).containers)


def boots(shell: Shell) -> dict[str, datetime]:
    """When each node was started."""
    listed = shell.read(
        *("docker", "inspect", "--format", "{{slice .Name 1}} {{.State.StartedAt}}"),
        *node_names(shell),
    )
    rows = (line.split() for line in listed.splitlines())
    return {name: instant(started) for name, started in rows}


def instant(text: str) -> datetime:
    """A time as Kubernetes and Docker write it, to the second: all that a pod's status tells."""
    return datetime.fromisoformat(f"{text[:19]}+00:00")


def alive(leases: Iterable[Mapping[str, Any]], began: Mapping[str, datetime]) -> bool:
    """Whether every node has given a sign of life since it was started."""
    renewed = {
        lease["metadata"]["name"]: instant(lease["spec"]["renewTime"])
        for lease in leases
        if "renewTime" in lease["spec"]
    }
    return all(name in renewed and renewed[name] >= start for name, start in began.items())


def _bring_to_running(shell: Shell) -> None:
    state, reason = recognise(observe(shell))
    shell.note(f"the cluster is {state.value}: {reason}")
    _TRANSITIONS[state](shell)


def _create(shell: Shell) -> None:
    config = configuration(
        workers=workers_wanted() or 1,
        shared=_shared_folder(),
        own_network=chosen() is Source.BUILD,
        cgroup_v1=not Path("/sys/fs/cgroup/cgroup.controllers").exists(),
    )
    file = cache.write(cache.root() / "cluster" / "kind.json", json.dumps(config, indent=2))
    shell.run(
        *(binaries.path("kind"), "create", "cluster", "--name", NAME, "--config", file),
        *("--image", node_image(), "--kubeconfig", kubeconfig()),
        # Kept when it fails, so that its nodes' logs can be read; the next `up` removes them.
        "--retain",
    )
    made = {container.name: container.id for container in observe(shell).containers}
    record = {"containers": made, "image": node_image()}
    cache.write(_finished_file(), json.dumps(record))


def _recreate(shell: Shell) -> None:
    delete(shell)
    _create(shell)


def _start(shell: Shell) -> None:
    stopped = [item for item in observe(shell).containers if not item.running]
    # The control plane first: it most likely gets the address it had.
    for container in sorted(stopped, key=lambda item: item.name != CONTROL_PLANE):
        shell.run("docker", "start", container.name)
    try:
        _wait_for_api(shell)
    except TimedOut:
        shell.note("the nodes did not come back: making a new cluster")
        _recreate(shell)


_TRANSITIONS: Final[dict[State, Callable[[Shell], None]]] = {
    State.ABSENT: _create,
    State.HALF_MADE: _recreate,
    State.DAMAGED: _recreate,
    State.STOPPED: _start,
    State.RUNNING: lambda _: None,
}


def _wait_for_api(shell: Shell) -> None:
    shell.wait("the API server is ready", *kubectl("get", "--raw=/readyz"), seconds=READY_SECONDS)
    shell.wait_until("every node gives signs of life", lambda: _alive(shell), READY_SECONDS)


def _answers(shell: Shell) -> bool:
    return shell.ok(*kubectl("get", "--raw=/readyz"), timeout=5) and _alive(shell)


def _alive(shell: Shell) -> bool:
    listed = kubectl("get", "leases", "--namespace", "kube-node-lease", "--output=json")
    try:
        return alive(json.loads(shell.read(*listed, timeout=20))["items"], boots(shell))
    except CommandFailed:
        return False


def _shared_folder() -> Path:
    folder = cache.folder("cluster", "shared")
    folder.chmod(0o777)
    return folder


def _finished_file() -> Path:
    return cache.root() / "cluster" / "finished.json"


def _read_finished() -> Finished | None:
    try:
        return Finished(**json.loads(_finished_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def exists() -> bool:
    """Whether a cluster of ours runs now, cheaply: for those who only want to use it."""
    command = ["docker", "container", "inspect", "-f", "{{.State.Running}}", CONTROL_PLANE]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.strip() == "true" and kubeconfig().is_file()

"""A local Kubernetes cluster for tests and the demo: real kind, whatever the machine has.

    python3 -m hack.cluster up | down | status | doctor

From code: `kubeconfig()`; `steps()`, a graph to merge with another.
"""

import functools
import shlex
import sys
from pathlib import Path
from typing import Final

from hack import cache
from hack.cluster import (
    binaries,
    diagnose,
    dns,
    engine,
    images,
    kind,
    network,
    preflight,
    registry,
    source,
    storage,
    training_operator,
)
from hack.cluster.source import Source, chosen
from hack.shell import Shell, TimedOut
from hack.steps import Bound, Step, StepFailed, run

__all__ = ["READY", "down", "kubeconfig", "steps", "up"]

READY: Final = "cluster"  # the step after which everything is there


def kubeconfig() -> Path:
    """The cluster's own kubeconfig; the user's is never touched."""
    return kind.kubeconfig()


def steps() -> list[Step]:
    """The graph that brings the cluster to running, from whatever state it is in.

    Other graphs may be merged with it; names to need: `engine`, `registry` (images can be
    pushed), READY.

    Raises:
        Missing: the machine lacks something; nothing was begun.
    """
    preflight.require()
    building = chosen() is Source.BUILD
    modules = binaries.IN_IMAGES if building else ()
    programs = [name for module in modules for name in module.binaries[:1]]
    parts = [
        *engine.steps(),
        *binaries.steps(*programs, *binaries.TOOLS),
        *(images.steps() if building else [_pull_node_image()]),
        *registry.steps(),
        *kind.steps(),
        *(network.steps() if building else []),
        *dns.steps(),
        *storage.steps(),
        *training_operator.steps(),
    ]
    whole = Step(
        name=READY,
        make=lambda shell: shell.note("everything is there"),
        needs=tuple(step.name for step in parts),
        bound=Bound.NETWORK,
        present=lambda _: True,
    )
    return [*parts, whole]


def up() -> int:
    """Bring the cluster to running; exit status 0, or 1 with the cause printed."""
    try:
        run(steps(), cache.folder("logs", "cluster"))
    except StepFailed as failure:
        print(failure, file=sys.stderr, flush=True)
        if failure.step.name in _INSIDE:
            diagnose.dump(kubeconfig(), diagnose.OWN_NAMESPACES)
        return 1
    command = shlex.join(map(str, kind.kubectl("get", "nodes")))
    print(f"the cluster is running; try\n  {command}")
    return 0


def down() -> int:
    """Delete the cluster, and end the engine if we started it. The cache stays."""
    with cache.lock("steps", functools.partial(print, flush=True)):
        shell = Shell(cache.folder("logs", "cluster") / "down.log")
        if engine.answers():
            print("the cluster is deleted" if _delete(shell) else "there is no cluster")
        else:
            print("no Docker engine answers: nothing runs")
        source.forget()
        try:
            stopped = engine.stop()
        except TimedOut as error:
            print(error, file=sys.stderr, flush=True)
            return 1
        if stopped:
            print("the Docker engine is stopped")
    return 0


# The steps whose failure can be read from the cluster itself.
_INSIDE: Final = {
    "nodes",
    "api server",
    "pod network",
    "name service",
    "registry for nodes",
    "shared storage",
    "training operator",
}


def _delete(shell: Shell) -> bool:
    was_there = bool(kind.observe(shell).containers)
    if was_there:
        kind.delete(shell)
    shell.ok("docker", "rm", "--force", registry.CONTAINER)
    return was_there


def _pull_node_image() -> Step:
    def pull(shell: Shell) -> None:
        shell.run("docker", "pull", "--quiet", images.PULLED_NODE)

    return Step(
        name="pull node image",
        make=pull,
        present=lambda shell: shell.ok("docker", "image", "inspect", images.PULLED_NODE),
        needs=("engine",),
        bound=Bound.NETWORK,
        mend="set TRAININGRUN_IMAGES=build to build it from package registries instead",
    )

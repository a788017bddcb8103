"""The command line of the local cluster."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from hack import cache, cluster
from hack.cluster import binaries, diagnose, engine, kind, preflight, registry, source
from hack.cluster.kind import State
from hack.shell import Shell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status says whether it did what it says."""
    parser = argparse.ArgumentParser(prog="python3 -m hack.cluster", description=cluster.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "bring the cluster to running, from whatever state it is in"),
        ("down", "delete the cluster, and end the engine if `up` started it"),
        ("status", "say what is there"),
        ("doctor", "say what this machine lacks, and print what a failure can be read from"),
    ):
        commands.add_parser(name, help=text, description=text)
    command = parser.parse_args(arguments).command
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return {"up": cluster.up, "down": cluster.down, "status": _status, "doctor": _doctor}[
            command
        ]()
    except preflight.Missing as lack:
        print(lack, file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted: run it again to go on from here", file=sys.stderr)
    except ValueError as wrong:
        print(f"cannot start: {wrong}", file=sys.stderr)
    return 1


def _status() -> int:
    shell = Shell(cache.folder("logs") / "status.log")
    if not engine.answers():
        print("engine:     none answers\ncluster:    not running")
        return 1
    state, reason = kind.recognise(kind.observe(shell))
    print(f"engine:     answers, {'started by us' if engine.is_ours() else 'not started by us'}")
    print(f"cluster:    {state.value}: {reason}")
    print(f"images:     {'pulled' if source.chosen() is source.Source.PULL else 'built here'}")
    print(f"registry:   {registry.ADDRESS} {'answers' if registry.answers() else 'is silent'}")
    print(f"kubeconfig: {kind.kubeconfig()}")
    if state is not State.RUNNING:
        return 1
    answer = subprocess.run(kind.kubectl("get", "nodes", "-o", "wide"), check=False)
    return answer.returncode


def _doctor() -> int:
    lacks = preflight.missing(preflight.observe())
    print("\n".join(f"missing: {lack}" for lack in lacks) or "nothing is missing on this machine")
    for name in binaries.TOOLS:
        there = "" if binaries.path(name).is_file() else " (not built yet)"
        print(f"{name}: {binaries.path(name)}{there}")
    status = _status()
    if engine.answers() and kind.exists():
        diagnose.dump(kind.kubeconfig(), diagnose.OWN_NAMESPACES)
    return 1 if lacks else status


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())

"""Prints what the cause of a failure in the cluster can be read from."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from hack.cluster import binaries

OWN_NAMESPACES: Final = ("kube-system", "trainingrun-storage", "kubeflow")
LOG_LINES: Final = 40
PATIENCE_SECONDS: Final = 20


def dump(kubeconfig: Path, namespaces: Sequence[str], output: TextIO | None = None) -> None:
    """Print nodes, and of each namespace its runs, jobs, pods, claims, events and sick pods' logs.

    Never raises: it is called where something has failed already.
    """
    out = output or sys.stderr
    _show(out, "nodes", kubeconfig, "get", "nodes", "-o", "wide")
    _show(out, "node conditions", kubeconfig, "get", "nodes", "-o", f"jsonpath={_CONDITIONS}")
    _show_node_logs(out)
    for namespace in namespaces:
        here = ("--namespace", namespace)
        for kind in ("trainingruns.trainingrun.io", "pytorchjobs.kubeflow.org"):
            _show(out, f"{kind} in {namespace}", kubeconfig, "get", kind, *here, "-o", "yaml")
        _show(out, f"pods in {namespace}", kubeconfig, "get", "pods", *here, "-o", "wide")
        _show(out, f"claims in {namespace}", kubeconfig, "get", "pvc", *here)
        events = ("get", "events", *here, "--sort-by=.lastTimestamp")
        _show(out, f"events in {namespace}", kubeconfig, *events, lines=LOG_LINES)
        for pod in _sick_pods(kubeconfig, namespace):
            _show(out, f"{namespace}/{pod}", kubeconfig, "describe", "pod", pod, *here)
            logs = ("logs", pod, *here, "--all-containers", f"--tail={LOG_LINES}")
            _show(out, f"log of {namespace}/{pod}", kubeconfig, *logs)
            _show(out, f"earlier log of {namespace}/{pod}", kubeconfig, *logs, "--previous")
    out.flush()


_CONDITIONS: Final = (
    r'{range .items[*]}{.metadata.name}{"\n"}{range .status.conditions[*]}'
    r'{"  "}{.type}={.status} {.reason}: {.message}{"\n"}{end}{end}'
)
# Not Running, or a container of it not ready, and not simply finished.
_SICK: Final = (
    r"{range .items[*]}{.metadata.name} {.status.phase} "
    r"{.status.containerStatuses[*].ready}"
    r'{"\n"}{end}'
)


def sick(listed: str) -> list[str]:
    """The pods that are not well, from lines of `name phase ready...`."""
    found = []
    for name, phase, *ready in (line.split() for line in listed.splitlines() if line.strip()):
        well = phase == "Succeeded" or (phase == "Running" and "false" not in ready)
        if not well:
            found.append(name)
    return found


def _sick_pods(kubeconfig: Path, namespace: str) -> list[str]:
    asked = ("get", "pods", "--namespace", namespace, "-o", f"jsonpath={_SICK}")
    return sick(_ask([str(binaries.path("kubectl")), "--kubeconfig", str(kubeconfig), *asked]))


def _show(
    out: TextIO, title: str, kubeconfig: Path, *arguments: str, lines: int | None = None
) -> None:
    command = [str(binaries.path("kubectl")), "--kubeconfig", str(kubeconfig), *arguments]
    _print(out, title, _ask(command), lines)


def _show_node_logs(out: TextIO) -> None:
    label = "label=io.x-k8s.kind.cluster=trainingrun"
    listed = _ask(["docker", "ps", "--all", "--filter", label, "--format", "{{.Names}}"])
    for node in listed.split():
        command = ("journalctl", "--no-pager", "-p", "warning", "-n", str(LOG_LINES))
        log = _ask(["docker", "exec", node, *command, "-u", "kubelet", "-u", "containerd"])
        _print(out, f"kubelet and containerd on {node}", log)


def _print(out: TextIO, title: str, text: str, lines: int | None = None) -> None:
    shown = text.splitlines()[-lines if lines else 0 :]
    if shown:
        print(f"---- {title}", *shown, sep="\n", file=out)


def _ask(command: Sequence[str]) -> str:
    """What a command says, in either stream; nothing where it cannot be asked."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"({error})"
    return answer.stdout if answer.returncode == 0 else answer.stderr

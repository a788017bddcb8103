"""`make demo`: from a bare machine to a finished TrainingRun, as a user would do it by hand."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from hack import cache, closing_table, cluster, images, install
from hack.cluster import diagnose
from hack.environment import ROOT
from hack.kubectl import Kubectl
from hack.steps import Bound, Step, printer, run

NAMESPACE: Final = "trainingrun-demo"
NAME: Final = "python-lm"
WORKERS: Final = 2
SAMPLE: Final = ROOT / "manifests" / "samples" / "python-lm.yaml"
START_SECONDS: Final = 180
TRAIN_SECONDS: Final = 900


class DemoFailedError(Exception):
    """The run did not succeed; says why."""


def main() -> int:
    """Exit status: 0 if the run succeeded, 1 with the cause printed if not."""
    say, began = printer(), time.monotonic()
    run([*cluster.steps(), *images.steps(), _install_step()], cache.folder("logs", "demo"), say)
    kubectl = Kubectl(cluster.kubeconfig())
    try:
        say(f"kubectl apply -f {SAMPLE.relative_to(ROOT)}")
        _apply_afresh(kubectl)
        _wait_for_workers(kubectl)
        say(f"kubectl logs -f -l trainingrun.io/run={NAME}")
        _follow_log(kubectl)
        finished = _until_ended(kubectl)
    except (DemoFailedError, AssertionError, subprocess.TimeoutExpired) as error:
        diagnose.dump(kubectl.kubeconfig, [NAMESPACE, install.NAMESPACE])
        print(f"\nmake demo FAILED: {error}", file=sys.stderr)
        return 1
    print(kubectl("get", "trainingruns", "--namespace", NAMESPACE))
    status = finished["status"]
    table = closing_table.rows(status["summary"], status["restarts"]["total"])
    whole = ("everything", f"{time.monotonic() - began:.0f} s")
    print(closing_table.render([("phase", status["phase"]), *table, whole]))
    _say_what_next(kubectl.kubeconfig)
    return 0


def _install_step() -> Step:
    return Step(
        name="helm install",
        make=lambda _: install.operator(cluster.kubeconfig()),
        needs=(cluster.READY, images.READY),
        bound=Bound.NETWORK,
    )


def _apply_afresh(kubectl: Kubectl) -> None:
    """A finished run that is applied again does nothing, so the former demo's is removed."""
    for kind, name in (("trainingrun", NAME), ("pvc", "training-data")):
        kubectl("delete", kind, name, "--namespace", NAMESPACE, "--ignore-not-found")
    if kubectl.get("namespace", NAMESPACE, NAMESPACE) is None:
        kubectl("create", "namespace", NAMESPACE)
    kubectl("apply", "--namespace", NAMESPACE, "--filename", str(SAMPLE))


def _wait_for_workers(kubectl: Kubectl) -> None:
    # kubectl follows only what has started: it gives up on a container that is being created.
    wanted = f"jsonpath={{.status.workers.running}}={WORKERS}"
    try:
        _wait(kubectl, wanted, START_SECONDS)
    except AssertionError as error:
        raise DemoFailedError(f"no workers: {_message(kubectl)} ({error})") from error


def _follow_log(kubectl: Kubectl) -> None:
    selector = ("--selector", f"trainingrun.io/run={NAME}", "--max-log-requests=8", "--tail=-1")
    argv = kubectl.argv("logs", "--follow", "--namespace", NAMESPACE, *selector)
    subprocess.run(argv, check=False, timeout=TRAIN_SECONDS)


def _until_ended(kubectl: Kubectl) -> dict[str, Any]:
    try:
        _wait(kubectl, "condition=Succeeded", 60)
    except AssertionError as error:
        raise DemoFailedError(f"{_message(kubectl)} ({error})") from error
    finished = kubectl.get("trainingrun", NAME, NAMESPACE)
    if finished is None:
        raise DemoFailedError("the TrainingRun was deleted while it was waited for")
    return finished


def _wait(kubectl: Kubectl, what: str, seconds: int) -> None:
    kubectl(
        *("wait", f"--for={what}", f"trainingrun/{NAME}", "--namespace", NAMESPACE),
        f"--timeout={seconds}s",
        seconds=seconds + 10,
    )


def _message(kubectl: Kubectl) -> str:
    """What the run itself says of its state."""
    found = kubectl.get("trainingrun", NAME, NAMESPACE) or {}
    status = found.get("status", {})
    return f"{status.get('phase', 'no status yet')}: {status.get('message', '')}"


def _say_what_next(kubeconfig: Path) -> None:
    print(
        f"\nThe cluster is still there:\n"
        f"  export KUBECONFIG={kubeconfig}\n"
        f"  kubectl -n {NAMESPACE} get trainingruns\n"
        f"  kubectl -n {NAMESPACE} describe trainingrun {NAME}\n"
        f"  make cluster-down    # removes it"
    )

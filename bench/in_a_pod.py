"""Runs `step_time.py` in a pod of the local cluster, in the trainer's image, with so many CPUs."""

import json
import statistics
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import images
from hack.cluster import kubeconfig
from hack.kubectl import Kubectl

SCRIPT: Final = Path(__file__).with_name("step_time.py")
POD: Final = "step-time"
GIVE_UP_SECONDS: Final = 3600


@dataclass(frozen=True)
class Timed:
    """Of one variant: the median seconds of a step in each of its processes, and its threads."""

    seconds: Sequence[float]
    threads: int

    def ratio(self, to: "Timed") -> tuple[float, float, float]:
        """How many times as long a step takes as another's, process by process: median, least and
        greatest."""
        ratios = [own / other for own, other in zip(self.seconds, to.seconds, strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)


def timed(cpus: str, variants: Mapping[str, Mapping[str, str]], repeats: int) -> dict[str, Timed]:
    """The times of each variant, an environment, in a pod with that CPU limit."""
    kubectl, namespace = Kubectl(kubeconfig()), f"bench-{uuid.uuid4().hex[:8]}"
    order = json.dumps({"repeats": repeats, "variants": variants})
    kubectl("create", "namespace", namespace)
    try:
        kubectl(
            *("create", "configmap", POD, "--namespace", namespace),
            f"--from-file=step_time.py={SCRIPT}",
        )
        kubectl("apply", "--filename=-", stdin=json.dumps(_pod(namespace, cpus, order)))
        kubectl(
            *("wait", f"pod/{POD}", "--namespace", namespace),
            *("--for=jsonpath={.status.phase}=Succeeded", f"--timeout={GIVE_UP_SECONDS}s"),
            seconds=GIVE_UP_SECONDS + 60,
        )
        lines = kubectl("logs", POD, "--namespace", namespace).splitlines()
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
    found = json.loads(lines[-1])
    return {
        name: Timed(seconds, found["threads"][name]) for name, seconds in found["seconds"].items()
    }


def table(found: Mapping[str, Timed], base: str) -> str:
    """A line for each variant: milliseconds, and how many times as long as the base takes."""
    lines = [
        f"| variant | threads | ms a step, median | times as long as {base} | least, greatest |",
        "|---|---|---|---|---|",
    ]
    for name, one in found.items():
        median, least, most = one.ratio(found[base])
        lines.append(
            f"| {name} | {one.threads} | {1000 * statistics.median(one.seconds):.0f} "
            f"| {median:.2f} | {least:.2f}, {most:.2f} |"
        )
    return "\n".join(lines)


def _pod(namespace: str, cpus: str, order: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": POD,
                    "image": images.reference("trainer"),
                    "command": ["python", "/bench/step_time.py", order],
                    # A request would not find its place beside what the cluster itself asks for.
                    "resources": {
                        "limits": {"cpu": cpus, "memory": "3Gi"},
                        "requests": {"cpu": "100m", "memory": "1Gi"},
                    },
                    "volumeMounts": [{"name": "bench", "mountPath": "/bench"}],
                }
            ],
            "volumes": [{"name": "bench", "configMap": {"name": POD}}],
        },
    }

"""Two hundred runs at once: each has its job, and what that costs beside bare jobs."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from hack import install
from tests.cluster.api import Cluster
from tests.cluster.runs import training_run

RUNS = 200
MIB = 2**20
_MEMORY = "import pathlib; print(pathlib.Path('/proc/1/statm').read_text().split()[1])"
PAGE_BYTES = 4096
pytestmark = pytest.mark.timeout(240)


def memory_mib(cluster: Cluster) -> float:
    """The resident memory of the operator."""
    pages = cluster.kubectl(
        "exec", "--namespace", install.NAMESPACE, "deployment/trainingrun-operator", "--",
        "python", "-c", _MEMORY,
    )  # fmt: skip
    return int(pages) * PAGE_BYTES / MIB


def test_two_hundred_suspended_runs_all_get_their_job(
    cluster: Cluster, namespace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = memory_mib(cluster)
    runs = [training_run(f"run-{n}", policy={"suspend": True}) for n in range(RUNS)]

    began = time.monotonic()
    create(cluster, runs, namespace)
    cluster.until_jobs(RUNS, namespace, seconds=120)
    ours = time.monotonic() - began

    made = json.loads(
        cluster.kubectl("get", "pytorchjob", "run-0", "--namespace", namespace, "--output=json")
    )
    jobs = [bare_job(made, f"bare-{n}") for n in range(RUNS)]
    began = time.monotonic()
    create(cluster, jobs, namespace)
    bare = time.monotonic() - began

    with capsys.disabled():
        print(
            f"\n{RUNS} runs: all jobs after {ours:.1f} s, {RUNS} bare jobs after {bare:.1f} s, "
            f"ratio {ours / bare:.1f}; the operator's memory: {before:.0f} MiB before, "
            f"{memory_mib(cluster):.0f} MiB after"
        )
    assert len(cluster.job_uids(namespace)) == 2 * RUNS


def create(cluster: Cluster, manifests: list[dict[str, object]], namespace: str) -> None:
    """As fast as one kubectl can."""
    cluster.kubectl(
        "create", "--namespace", namespace, "--filename=-", stdin=yaml.safe_dump_all(manifests)
    )


def bare_job(made: dict[str, object], name: str) -> dict[str, object]:
    """The same job as somebody would write it by hand: suspended, and owned by nobody."""
    kept = {key: made[key] for key in ("apiVersion", "kind", "spec")}
    return {**kept, "metadata": {"name": name}}

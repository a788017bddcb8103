"""The README's sample as a user meets it: columns, log, result. The operator dies on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hack import install
from hack.cluster import binaries
from tests.cluster.api import Cluster, Run

SAMPLE = Path(__file__).parents[2] / "manifests" / "samples" / "python-lm.yaml"
NAME = "python-lm"
COLUMNS = ["NAME", "PHASE", "STEP", "LOSS", "ETA", "WORKERS", "RESTARTS", "CHECKPOINT", "AGE"]
STEP_LINE = re.compile(r"step +(\d+)/(\d+) .*loss [\d.]+ .*tokens/s")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def empty_namespace(cluster: Cluster, namespace: str) -> str:
    """Without the tests' own claim, since the sample brings one of the same name."""
    cluster.kubectl("delete", "pvc", "--all", "--namespace", namespace)
    return namespace


def kill_the_operator(cluster: Cluster) -> None:
    """No grace: it gets no chance to finish what it was doing."""
    cluster.kubectl(
        "delete", "pod", "--namespace", install.NAMESPACE, "--selector", install.SELECTOR,
        "--grace-period=0", "--force",
    )  # fmt: skip


def all_workers_run(run: Run) -> bool:
    """kubectl follows only what has started: it gives up on a container that is being created."""
    workers = run.status.get("workers", {})
    return bool(workers) and workers["running"] == workers["desired"]


def test_the_sample_succeeds_and_reads_well_though_the_operator_is_killed_three_times(
    cluster: Cluster, empty_namespace: str, tmp_path: Path
) -> None:
    namespace, log = empty_namespace, tmp_path / "log"
    cluster.apply(SAMPLE.read_text(), namespace)
    kill_the_operator(cluster)
    cluster.until(NAME, namespace, all_workers_run, "with all workers running", seconds=120)
    jobs = cluster.job_uids(namespace)
    with log.open("w") as file:
        following = subprocess.Popen(
            cluster.kubectl.argv(
                "logs", "--follow", "--namespace", namespace,
                "--selector", f"trainingrun.io/run={NAME}", "--max-log-requests=8", "--tail=-1",
            ),
            stdout=file,
        )  # fmt: skip

    seen = cluster.until(NAME, namespace, lambda run: run.step >= 20, "past step 20", seconds=180)
    kill_the_operator(cluster)
    table = cluster.kubectl("get", "trainingruns", "--namespace", namespace)
    total = seen.status["progress"]["totalSteps"]
    late = total - 20
    cluster.until(NAME, namespace, lambda run: run.step >= late, f"past step {late}", seconds=300)
    kill_the_operator(cluster)
    run = cluster.until_ended(NAME, namespace, seconds=180)
    following.wait(timeout=60)

    jobs |= cluster.job_uids(namespace)
    assert len(jobs) == 1, "exactly one PyTorchJob over the whole life of the run"
    columns_say_where_the_run_stands(table)
    the_log_has_each_training_line_once(log.read_text(), total)
    the_model_has_learnt(run)
    the_course_can_be_seen_after_the_end(cluster, namespace)
    for worker in (0, 1):
        assert cluster.kubectl("logs", f"{NAME}-worker-{worker}", "--namespace", namespace)


def columns_say_where_the_run_stands(table: str) -> None:
    head, line = (row.split() for row in table.splitlines()[:2])
    assert head == COLUMNS
    assert line[0] == NAME
    assert line[1] == "Running", table
    assert re.fullmatch(r"\d+/\d+", line[2]), table
    assert float(line[3]) > 0, table
    assert line[5] == "2/2", table


def the_log_has_each_training_line_once(text: str, total: int) -> None:
    steps = [int(found[1]) for line in text.splitlines() if (found := STEP_LINE.search(line))]
    assert steps == sorted(set(steps)), text
    assert steps[-1] == total, text
    assert "Traceback" not in text, text


def the_model_has_learnt(run: Run) -> None:
    summary = run.status["summary"]
    assert summary["steps"] == run.status["progress"]["totalSteps"]
    assert summary["lastLoss"] < summary["firstLoss"], summary
    first, last = summary["firstEvaluation"]["perplexity"], summary["evaluation"]["perplexity"]
    assert first / last >= 5, summary
    assert summary["tokensPerSecond"] > 0, summary
    assert run.status["checkpoints"]["lastGood"] == summary["steps"]
    assert summary["checkpoint"].startswith("/runs/python-lm/"), summary


def the_course_can_be_seen_after_the_end(cluster: Cluster, namespace: str) -> None:
    history = f"configmap/{NAME}-history"
    cluster.kubectl("wait", "--for=create", history, "--namespace", namespace, "--timeout=60s")
    where = [f"--namespace={namespace}", f"--kubeconfig={cluster.kubectl.kubeconfig}"]
    shown = subprocess.run(
        [sys.executable, "-m", "kubectl_trainingrun", "plot", NAME, *where],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{binaries.path('kubectl').parent}:{os.environ['PATH']}"},
    )
    assert f"loss of {NAME}" in shown.stdout, shown.stderr
    assert f"ranks of {NAME}" in shown.stdout, shown.stdout

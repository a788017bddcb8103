"""What each verb asks of the cluster, prints and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.main import main
from tests.unit.cli.clusters import FakeCluster, condition, history, run

RUN = """\
apiVersion: trainingrun.io/v1alpha1
kind: TrainingRun
metadata: {name: squad}
spec:
  task: {type: causal-lm}
  model: {name: organisation/model}
  data: {train: /data}
  training: {maxSteps: 1, globalBatchSize: 4}
"""
PROGRESS = {"step": 5, "totalSteps": 10, "steps": "5/10", "loss": 1.25, "eta": "11m"}
RECORD = {"step": 5, "path": "/runs/checkpoint-5", "sizeBytes": 2_000_000, "worldSize": 2}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_submit_makes_nothing_if_any_run_is_wrong(
    cluster: FakeCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "runs.yaml"
    file.write_text(RUN + "---\n" + RUN.replace("maxSteps: 1", "maxSteps: 0"))

    assert main(["submit", "-f", str(file)]) == Exit.REFUSED
    assert (cluster.objects, "maxSteps: is 0" in printed(capsys)) == ({}, True)


def test_submit_makes_the_runs_as_they_are_written(cluster: FakeCluster, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(RUN)

    assert main(["submit", "-f", str(file)]) == Exit.DONE
    assert cluster.objects[RUNS]["squad"]["spec"]["training"]["globalBatchSize"] == 4


def test_list_has_a_line_for_each_run(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Running", progress=PROGRESS))

    main(["list"])

    head, line = printed(capsys).splitlines()
    assert head.split()[:3] == ["NAME", "PHASE", "STEP"]
    assert line.split()[:5] == ["squad", "Running", "5/10", "1.25", "11m"]


@pytest.mark.parametrize("style", ["json", "yaml"])
def test_data_is_printed_as_data(
    style: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Running", checkpoints={"recent": [RECORD]}))

    main(["checkpoints", "squad", "-o", style])

    [record] = {"json": json.loads, "yaml": yaml.safe_load}[style](printed(capsys))
    assert (record["step"], record["verified"]) == (5, True)


def test_checkpoints_tell_which_were_set_aside(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = {**RECORD, "step": 4, "verified": False, "problem": "a file is short"}
    cluster.add(RUNS, run("Running", checkpoints={"recent": [aside, RECORD]}))

    main(["checkpoints", "squad"])

    assert "set aside: a file is short" in printed(capsys)


@pytest.mark.parametrize(("verb", "wanted"), [("suspend", True), ("resume", False)])
def test_suspend_and_resume_edit_the_policy(verb: str, wanted: bool, cluster: FakeCluster) -> None:
    cluster.add(RUNS, run("Running", {"policy": {"suspend": not wanted}}))

    main([verb, "squad"])

    assert cluster.patches == [("squad", {"spec": {"policy": {"suspend": wanted}}})]


@pytest.mark.parametrize("verb", [["suspend"], ["resume"], ["scale", "--workers=3"]])
def test_a_run_that_is_over_is_not_edited(verb: list[str], cluster: FakeCluster) -> None:
    cluster.add(RUNS, run("Succeeded"))

    assert (main([*verb, "squad"]), cluster.patches) == (Exit.REFUSED, [])


def test_scale_stays_within_the_bounds_of_an_elastic_run(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Running", {"workers": {"count": 2, "elastic": {"min": 1, "max": 4}}}))

    assert main(["scale", "squad", "--workers=5"]) == Exit.REFUSED
    assert "1 to 4" in capsys.readouterr().err
    assert main(["scale", "squad", "--workers=4"]) == Exit.DONE
    assert cluster.patches == [("squad", {"spec": {"workers": {"count": 4}}})]


def test_a_failed_run_is_annotated_with_its_next_attempt(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Failed", attempt=2))

    assert main(["retry", "squad"]) == Exit.DONE
    annotations = {"trainingrun.io/retry": "3"}
    assert cluster.patches == [("squad", {"metadata": {"annotations": annotations}})]
    assert printed(capsys) == "retry 3 of squad is asked for\n"


@pytest.mark.parametrize(
    ("known", "mend"),
    [
        (run("Succeeded"), "make a new TrainingRun"),
        (run("Running"), "squad is Running"),
        (run(None), "not looked at by the operator yet"),
        (run("Failed", attempt=1000), "make a new TrainingRun"),
    ],
    ids=["succeeded", "running", "unseen", "too often"],
)
def test_a_run_is_not_retried_that(
    known: dict[str, Any], mend: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, known)

    assert main(["retry", "squad"]) == Exit.REFUSED
    assert mend in capsys.readouterr().err


def test_the_status_page_tells_the_attempt_of_a_retried_run(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Running", attempt=2))
    main(["status", "squad"])
    assert "attempt 2" in printed(capsys)


def test_a_run_that_is_not_there_is_the_clusters_answer(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "squad"]) == Exit.CLUSTER
    assert "not found" in capsys.readouterr().err


def test_watch_follows_a_run_to_its_end_a_line_for_each_change(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    training = run("Running", progress=PROGRESS)
    cluster.add(RUNS, training)
    cluster.add("configmaps", history())
    cluster.states = [training, training, run("Succeeded", progress=PROGRESS), run("Failed")]

    assert main(["watch", "squad"]) == Exit.DONE
    assert [line.split()[0] for line in printed(capsys).splitlines()] == ["Running", "Succeeded"]


def test_watch_fails_with_a_run_that_fails(cluster: FakeCluster) -> None:
    cluster.add(RUNS, run("Running"))
    cluster.states = [run("Failed")]

    assert main(["watch", "squad"]) == Exit.REFUSED


def test_doctor_finds_nothing_in_the_way_of_a_run_that_trains(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.add(RUNS, run("Running", message="2 of 2 workers run"))
    cluster.forbidden = {"nodes", "deployments.apps", "persistentvolumeclaims"}

    assert main(["doctor", "squad"]) == Exit.DONE
    assert printed(capsys).startswith("nothing is in the way of squad; it is Running")


def test_doctor_says_what_to_do_and_returns_1(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = condition("Accepted", "False", "InvalidSpec", "spec.x: is not a field")
    cluster.add(RUNS, run("Invalid", conditions=[refusal]))
    cluster.forbidden = {"deployments.apps"}
    cluster.add(
        "persistentvolumeclaims", {"metadata": {"name": "data"}, "status": {"phase": "Bound"}}
    )

    assert main(["doctor", "squad"]) == Exit.REFUSED
    assert printed(capsys).startswith("1. refused-spec: spec.x: is not a field\n   do: ")


def test_init_writes_a_valid_run_whatever_is_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    hostile = '/runs/it\'s: "x"\n  y: 1'
    words = ["init", "squad", "--model=a/b", f"--train={hostile}", "--steps=5", "--claim=data"]

    assert main([*words, "--workers=2", "-o", str(file)]) == Exit.DONE
    assert main(["validate", "-f", str(file)]) == Exit.DONE
    assert yaml.safe_load(file.read_text())["spec"]["data"] == {"train": hostile}
    assert main([*words, "-o", str(file)]) == Exit.REFUSED  # it exists


def test_init_says_what_is_wrong_with_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "Squad", "--model=a/b", "--train=/runs"]) == Exit.REFUSED
    assert "metadata.name" in capsys.readouterr().err

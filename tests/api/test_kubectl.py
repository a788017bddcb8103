"""What a plain kubectl shows of TrainingRuns, and what their rules cost the server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.cluster import binaries
from tests.api.cluster import Namespace
from tests.api.manifests import Object, training_run
from trainingrun_operator.api.crd import custom_resource_definition

Kubectl = Callable[..., str]
STATUS = {
    "phase": "Running",
    "message": "2 workers train",
    "progress": {"steps": "1240/4100", "loss": 1.834, "eta": "11m"},
    "workers": {"summary": "2/2"},
    "restarts": {"total": 1},
    "checkpoints": {"lastGood": 1200},
}
SUCCEEDED = {
    "type": "Succeeded",
    "status": "True",
    "observedGeneration": 1,
    "reason": "Completed",
    "message": "trained",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
MARGIN = 4
"""How many times over every rule must fit into what the server allows for one, and all for all.

The rule on metadata.name, whose length no schema can bound, is estimated at 2.2 of 10 million;
every other one at less than one million.
"""


@pytest.fixture(scope="module")
def program() -> Path:
    """kubectl itself; the session's KUBECONFIG names the API server."""
    return binaries.ensure("kubectl")["kubectl"]


@pytest.fixture
def kubectl(program: Path, namespace: Namespace, tmp_path: Path) -> Kubectl:
    """Runs kubectl in the test's namespace, and gives what it prints."""

    def run(*arguments: str) -> str:
        argv = [program, f"--cache-dir={tmp_path}", f"--namespace={namespace.name}", *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout

    return run


def write_status(namespace: Namespace, **status: Any) -> None:
    """Play the operator."""
    path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace.name}/trainingruns/squad/status"
    merge = {"Content-Type": "application/merge-patch+json"}
    namespace.http.patch(path, json={"status": status}, headers=merge).raise_for_status()


def words(text: str) -> str:
    """Text with its lines joined: kubectl wraps what it prints."""
    return " ".join(text.split())


def test_a_group_explains_itself_field_by_field(kubectl: Kubectl) -> None:
    said = words(kubectl("explain", "trainingrun.spec.workers"))

    assert "DESCRIPTION: How many pods train, and what each gets." in said
    assert "count <integer> Pods that are meant to train. A change is applied at once if" in said
    assert "elastic <Object> Bounds of count; a fixed number of workers if absent." in said
    assert "Ranks in each worker; auto: one. A change makes the" in said
    assert "env <[]Object> Environment of the workers. A change makes the pods anew." in said
    assert "resources <Object> What one worker gets. A change makes the pods anew." in said


def test_a_field_explains_what_may_be_written(kubectl: Kubectl) -> None:
    said = words(kubectl("explain", "trun.spec.workers.elastic.rendezvous"))

    assert "FIELD: rendezvous <string> ENUM: worker dedicated DESCRIPTION: Where" in said


def test_every_level_of_the_spec_explains_itself(kubectl: Kubectl) -> None:
    said = kubectl("explain", "trainingrun.spec", "--recursive")

    assert re.search(r"^  task\t<Object> -required-$", said, re.MULTILINE)
    assert re.search(r"^      maxRestarts\t<integer>$", said, re.MULTILINE)


def test_the_columns_show_how_a_run_goes(kubectl: Kubectl, namespace: Namespace) -> None:
    namespace.create(training_run())
    write_status(namespace, **STATUS)

    head, row = kubectl("get", "trainingruns").splitlines()

    assert head.split() == [
        *("NAME", "PHASE", "STEP", "LOSS", "ETA", "WORKERS", "RESTARTS", "CHECKPOINT", "AGE")
    ]
    assert row.split()[:-1] == [
        *("squad", "Running", "1240/4100", "1.834", "11m", "2/2", "1", "1200")
    ]
    assert kubectl("get", "trun", "--output=wide").splitlines()[1].endswith("2 workers train")


@pytest.mark.parametrize("what", ["trainingrun", "trun", "ml", "all"])
def test_runs_are_found_by_short_name_and_category(
    what: str, kubectl: Kubectl, namespace: Namespace
) -> None:
    namespace.create(training_run())

    assert kubectl("get", what, "--output=name") == "trainingrun.trainingrun.io/squad\n"


def test_a_script_can_wait_for_the_end(
    program: Path, kubectl: Kubectl, namespace: Namespace
) -> None:
    namespace.create(training_run())
    wait = ("wait", "--for=condition=Succeeded", "trainingrun/squad")
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero"):
        kubectl(*wait, "--timeout=0s")

    argv = [program, f"--namespace={namespace.name}", *wait, "--timeout=20s"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as waiting:
        write_status(namespace, observedGeneration=1, conditions=[SUCCEEDED])
        said, _ = waiting.communicate(timeout=30)

    assert (waiting.returncode, said) == (0, "trainingrun.trainingrun.io/squad condition met\n")


def rules(node: Any) -> Iterator[Object]:
    """Every rule at and below a node of the schema."""
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from rules(child)
    if isinstance(node, dict):
        yield from node.get("x-kubernetes-validations", ())


def dearer(times: int) -> Object:
    """The CustomResourceDefinition of another group, each rule written so many times over."""
    crd = json.loads(json.dumps(custom_resource_definition()))  # nothing in it twice
    crd["metadata"]["name"] = f"{crd['spec']['names']['plural']}.dear.example.org"
    crd["spec"]["group"] = "dear.example.org"
    for rule in rules(crd["spec"]["versions"]):
        rule["rule"] = " && ".join([f"({rule['rule']})"] * times)
    return crd


def test_no_rule_comes_near_what_the_server_allows(namespace: Namespace) -> None:
    answer = namespace.http.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        params={"dryRun": "All"},
        json=dearer(MARGIN),
    )
    assert answer.status_code == 201, answer.json()["message"]

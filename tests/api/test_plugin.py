"""The plugin's verbs by a real kubectl on a real API server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hack.cluster import binaries
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.kubectl import Kubectl
from kubectl_trainingrun.main import main
from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from trainingrun_operator.api.v1alpha1 import RETRY_ANNOTATION


@pytest.fixture(autouse=True)
def kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local cluster's kubectl; the session's KUBECONFIG names the API server."""
    folder = binaries.path("kubectl").parent
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def fail(namespace: Namespace) -> None:
    """Play the operator."""
    path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace.name}/trainingruns/squad/status"
    merge = {"Content-Type": "application/merge-patch+json"}
    namespace.http.patch(
        path, json={"status": {"phase": "Failed"}}, headers=merge
    ).raise_for_status()


def test_the_writing_verbs_do_to_a_run_what_they_say(
    namespace: Namespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(training_run()))
    where = ["-n", namespace.name]

    assert main(["submit", *where, "-f", str(file)]) == Exit.DONE
    assert main(["suspend", *where, "squad"]) == Exit.DONE
    assert namespace.run()["spec"]["policy"]["suspend"] is True
    assert main(["resume", *where, "squad"]) == Exit.DONE
    assert namespace.run()["spec"]["policy"]["suspend"] is False
    assert main(["scale", *where, "squad", "--workers=1"]) == Exit.DONE
    assert namespace.run()["spec"]["workers"]["count"] == 1

    fail(namespace)
    assert main(["retry", *where, "squad"]) == Exit.DONE
    assert namespace.run()["metadata"]["annotations"][RETRY_ANNOTATION] == "1"
    capsys.readouterr()

    assert main(["list", *where, "-o", "json"]) == Exit.DONE
    [listed] = json.loads(capsys.readouterr().out)
    assert listed["metadata"]["name"] == "squad"
    assert next(Kubectl(namespace.name).watch("trainingruns", "squad"))["kind"] == "TrainingRun"
    assert main(["submit", *where, "-f", str(file)]) == Exit.CLUSTER
    assert main(["status", *where, "other"]) == Exit.CLUSTER
    assert main(["doctor", *where, "squad"]) == Exit.REFUSED

"""`kubectl trainingrun retry`: what is asked of kubectl, and what is refused before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_trainingrun.main import main
from kubectl_trainingrun.page import page
from kubectl_trainingrun.retry import CannotRetryError, next_attempt

KUBECTL = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$(dirname "$0")/asked"
cat "$(dirname "$0")/run.json"
"""


def run(phase: str | None, attempt: int = 0) -> dict[str, Any]:
    """A run as the API server gives it."""
    status = {"attempt": attempt} | ({"phase": phase} if phase else {})
    return {"metadata": {"name": "squad", "namespace": "ml"}, "status": status}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kubectl that notes what it is asked, and gives a run that has failed."""
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    (tmp_path / "run.json").write_text(json.dumps(run("Failed", attempt=2)))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_a_failed_run_is_annotated_with_its_next_attempt(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["retry", "squad", "-n", "ml"])

    asked = (kubectl / "asked").read_text().splitlines()
    assert status == 0
    assert asked[1] == (
        "annotate --overwrite --namespace=ml -- trainingruns.trainingrun.io squad "
        "trainingrun.io/retry=3"
    )
    assert capsys.readouterr().out == "retry 3 of squad is asked for\n"


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
def test_a_run_is_not_retried_that(known: dict[str, Any], mend: str) -> None:
    with pytest.raises(CannotRetryError, match=mend):
        next_attempt(known)


def test_a_refusal_goes_to_stderr_with_status_1(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kubectl / "run.json").write_text(json.dumps(run("Succeeded")))

    assert main(["retry", "squad"]) == 1
    assert "has succeeded" in capsys.readouterr().err


def test_the_status_page_tells_the_attempt_of_a_retried_run() -> None:
    assert "attempt 2" in page(run("Running", attempt=2))
    assert "attempt" not in page(run("Running"))

"""The plugin as a user types it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from kubectl_trainingrun.kubectl import Kubectl
from kubectl_trainingrun.main import main
from kubectl_trainingrun.page import page

SAMPLE = Path(__file__).parents[3] / "manifests" / "samples" / "python-lm.yaml"
RUN = """\
apiVersion: trainingrun.io/v1alpha1
kind: TrainingRun
metadata: {name: a}
spec:
  task: {type: causal-lm}
  model: {name: organisation/model}
  data: {train: /data}
  training: {maxSteps: 1, learningRate: 3e-5, globalBatchSize: 4}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.yaml"


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_good_file_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["validate", "-f", str(SAMPLE)]), lines(capsys)) == (0, [])


def test_every_problem_of_every_document_is_a_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(RUN.replace("maxSteps: 1", "maxSteps: 0, epoch: 1") + "---\n" + RUN + "  x: 1")
    status = main(["validate", "-f", str(file)])
    assert (status, [line.split(";")[0] for line in lines(capsys)]) == (
        1,
        [
            "spec.training.maxSteps: is 0",
            "spec.training.epoch: is not a field",
            "spec.x: is not a field",
        ],
    )


def test_what_fits_together_nowhere_is_a_problem_too(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(RUN + "  workers: {count: 3}\n  storage: {claimName: a}\n")
    main(["validate", "-f", str(file)])
    assert lines(capsys)[0].startswith("spec.workers.count: 3 workers with 1 rank(s)")


def test_broken_yaml_is_told_by_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("a: 1\nb: [\n")
    main(["validate", "-f", str(file)])
    assert lines(capsys)[0].startswith(f"{file}, line 3: is no YAML: ")


def test_a_key_given_twice_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("a: 1\na: 2\n")
    main(["validate", "-f", str(file)])
    assert lines(capsys)[0].startswith(f"{file}, line 2: is no YAML: a is given twice")


def test_a_file_without_a_run_is_a_mistake(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("kind: ConfigMap\n")
    main(["validate", "-f", str(file)])
    assert lines(capsys) == [f"{file}: holds no TrainingRun; write kind: TrainingRun"]


def test_a_missing_file_does_not_hide_the_next(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(RUN.replace("epochs", "x").replace("/data", "data"))
    main(["validate", "-f", "/no/such.yaml", str(file)])
    assert [line.split(":")[0] for line in lines(capsys)] == ["/no/such.yaml", "spec.data.train"]


def test_a_dash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(RUN))
    assert main(["validate", "-f", "-"]) == 0


def test_no_verb_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_render_prints_what_the_operator_would_make(capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "-f", str(SAMPLE), "-n", "research"])
    made = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [(document["kind"], document["metadata"]["namespace"]) for document in made] == [
        ("ConfigMap", "research"),
        ("NetworkPolicy", "research"),
        ("PyTorchJob", "research"),
    ]


def test_logs_are_those_of_the_worker_that_has_rank_0() -> None:
    assert Kubectl("a").logs_command("squad", follow=True, all_workers=False) == [
        *("kubectl", "logs", "--namespace=a"),
        "--selector=trainingrun.io/run=squad,training.kubeflow.org/replica-index=0",
        *("--tail=-1", "--follow"),
    ]


def test_logs_of_all_ranks_name_the_worker() -> None:
    assert "--prefix" in Kubectl().logs_command("squad", follow=False, all_workers=True)


def test_a_page_without_status_asks_for_the_operator() -> None:
    shown = page({"metadata": {"name": "a", "namespace": "b"}})
    assert shown == "a in b: no status yet: is the operator running?\n"


def test_a_page_tells_training_from_held_out_loss() -> None:
    summary = {"steps": 5, "firstLoss": 3, "lastLoss": 2, "evaluation": {"loss": 2.5}}
    shown = page({"metadata": {"name": "a", "namespace": "b"}, "status": {"summary": summary}})
    assert "  loss           3 -> 2\n  held-out loss  2.5\n" in shown


def test_a_page_tells_phase_progress_conditions_and_plan() -> None:
    status = {
        "phase": "Running",
        "message": "2 of 2 workers train",
        "progress": {"step": 5, "totalSteps": 10, "steps": "5/10", "loss": 1.25, "eta": "11m"},
        "conditions": [
            {
                "type": "Running",
                "status": "True",
                "reason": "WorkersRunning",
                "message": "2 of 2 workers train",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
        "plan": [{"name": "threads", "value": "4", "reason": "8 CPUs divided by 2 ranks"}],
    }
    shown = page({"metadata": {"name": "a", "namespace": "b"}, "status": status})
    assert shown == (
        "a in b: Running\n"
        "  2 of 2 workers train\n"
        "\nProgress\n"
        "  step           5/10\n"
        "  loss           1.25\n"
        "  learning rate  -\n"
        "  time left      11m\n"
        "\nConditions\n"
        "  Running  True  WorkersRunning  2 of 2 workers train\n"
        "\nPlan\n"
        "  threads  4  8 CPUs divided by 2 ranks\n"
    )

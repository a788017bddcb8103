"""What is asked of kubectl, and what its answers mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_trainingrun.cluster import ClusterError, ForbiddenError, NotFoundError
from kubectl_trainingrun.kubectl import Kubectl

KUBECTL = """\
#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/asked"
cat "$(dirname "$0")/answer"
cat "$(dirname "$0")/error" >&2
exit "$(cat "$(dirname "$0")/status")"
"""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kubectl that notes what it is asked, and answers from files."""
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    for name, text in {"answer": "{}", "error": "", "status": "0"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_the_users_choice_of_a_cluster_goes_to_kubectl(answers: Path) -> None:
    Kubectl("ml", "prod", "/home/me/config").get("pods", "--all")

    assert (answers / "asked").read_text().splitlines() == [
        *("get", "--namespace=ml", "--context=prod", "--kubeconfig=/home/me/config"),
        *("--output=json", "--", "pods", "--all"),
    ]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error from server (NotFound): pods "a" not found', NotFoundError),
        ('Error from server (Forbidden): nodes is forbidden: User "me"', ForbiddenError),
        ("Unable to connect to the server: dial tcp: i/o timeout", ClusterError),
    ],
)
def test_a_refusal_is_told_by_its_kind_and_in_kubectls_words(
    said: str, kind: type[ClusterError], answers: Path
) -> None:
    (answers / "error").write_text(said)
    (answers / "status").write_text("1")

    with pytest.raises(ClusterError) as caught:
        Kubectl().get("pods", "a")

    assert (type(caught.value), str(caught.value)) == (kind, said)


def test_a_watch_gives_each_state_as_it_comes(answers: Path) -> None:
    (answers / "answer").write_text('{\n    "a": {\n        "b": 1\n    }\n}\n{\n    "a": 2\n}\n')
    assert list(Kubectl().watch("pods", "a")) == [{"a": {"b": 1}}, {"a": 2}]


def test_no_kubectl_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="kubectl cannot be started"):
        Kubectl().get("pods", "a")

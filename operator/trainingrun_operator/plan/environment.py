"""The environment of a worker: the operator's variables first, then the user's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.api.variables import EnvVar, SecretKey
from trainingrun_operator.plan.settings import Settings
from trainingrun_operator.plan.volumes import CONFIG_FOLDER, TOKEN_FILE

CA_FILE = f"{CONFIG_FOLDER}/ca.crt"


@dataclass(frozen=True)
class Variable:
    """One variable: exactly one of a literal, a field of the pod, and a secret's key."""

    name: str
    value: str | None = None
    pod_field: str | None = None
    secret: SecretKey | None = None


def environment(
    run: TrainingRun,
    settings: Settings,
    tuned: Iterable[tuple[str, str]],
    data_folder: str,
) -> tuple[Variable, ...]:
    """All variables of a worker, each name once: the user's value replaces a default of ours.

    `tuned` are names and values; `data_folder` is where large files may go: a claim, or the pod's
    own scratch volume.
    """
    users = tuple(map(_users, run.spec.workers.env))
    chosen = {variable.name for variable in users}
    ours = (
        Variable("TRAININGRUN_POD_NAME", pod_field="metadata.name"),
        Variable(
            "TRAININGRUN_WORKER_INDEX",
            pod_field="metadata.labels['training.kubeflow.org/replica-index']",
        ),
        *(Variable(name, value) for name, value in tuned),
        # The root file system is read-only; libraries look for a home they can write to.
        Variable("HOME", "/tmp"),  # noqa: S108 - a volume of the pod's own
        Variable("HF_HOME", f"{data_folder}/.cache/huggingface"),
        *_progress(run, settings),
    )
    return (*(variable for variable in ours if variable.name not in chosen), *users)


def _progress(run: TrainingRun, settings: Settings) -> tuple[Variable, ...]:
    """The names and meanings are those of Transformers' KubeflowCallback."""
    if not settings.progress_url:
        return ()
    path = f"/v1/namespaces/{run.metadata.namespace}/trainingruns/{run.metadata.name}/status"
    ca = (Variable("KUBEFLOW_TRAINER_SERVER_CA_CERT", CA_FILE),) if settings.progress_ca else ()
    return (
        Variable("KUBEFLOW_TRAINER_SERVER_URL", settings.progress_url.rstrip("/") + path),
        *ca,
        Variable("KUBEFLOW_TRAINER_SERVER_TOKEN", TOKEN_FILE),
    )


def _users(variable: EnvVar) -> Variable:
    # The kubelet expands $(NAME) and reads every $$ as $: doubling each keeps what was written.
    literal = None if variable.value is None else variable.value.replace("$", "$$")
    return Variable(variable.name, value=literal, secret=variable.secret_key)

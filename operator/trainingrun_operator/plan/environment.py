"""The environment of a worker: the operator's variables first, then the user's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.api.variables import EnvVar, SecretKey
from trainingrun_operator.plan.settings import Settings
from trainingrun_operator.plan.volumes import CONFIG_FOLDER, TOKEN_FILE, cache_folder

OLD_CACHE: Final = "TRANSFORMERS_CACHE"
PRESENT_CACHE: Final = "HF_HUB_CACHE"
"""The same folder; no library of the image knows the old name any more."""

CA_FILE = f"{CONFIG_FOLDER}/ca.crt"


@dataclass(frozen=True)
class Variable:
    """One variable: exactly one of a literal, a field of the pod, and a secret's key."""

    name: str
    value: str | None = None
    pod_field: str | None = None
    secret: SecretKey | None = None


def environment(
    run: TrainingRun, settings: Settings, tuned: Iterable[tuple[str, str]]
) -> tuple[Variable, ...]:
    """All variables of a worker, each name once: the user's value replaces a default of ours.

    `tuned` are names and values.
    """
    users = tuple(map(_users, with_present_names(run.spec.workers.env)))
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
        Variable("HF_HOME", cache_folder(run)),
        *_progress(run, settings),
    )
    return (*(variable for variable in ours if variable.name not in chosen), *users)


def with_present_names(variables: Iterable[EnvVar]) -> tuple[EnvVar, ...]:
    """The variables with the old name of the hub's cache replaced by the one that is read."""
    given = tuple(variables)
    if any(variable.name == PRESENT_CACHE for variable in given):
        return tuple(variable for variable in given if variable.name != OLD_CACHE)
    return tuple(
        variable.model_copy(update={"name": PRESENT_CACHE})
        if variable.name == OLD_CACHE
        else variable
        for variable in given
    )


def notices(run: TrainingRun) -> tuple[str, ...]:
    """What the user should know of how the environment was read."""
    if all(variable.name != OLD_CACHE for variable in run.spec.workers.env):
        return ()
    notice = (
        f"spec.workers.env: Transformers 5 does not read {OLD_CACHE}; it is taken for "
        f"{PRESENT_CACHE}, write that"
    )
    return (notice,)


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

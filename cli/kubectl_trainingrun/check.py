"""What is wrong with TrainingRuns, without a cluster."""

from __future__ import annotations

from pydantic import ValidationError

from kubectl_trainingrun.documents import Document
from trainingrun_operator.api.problems import Problem, problems
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import LaunchPlan, PlanError, Settings, launch_plan

NO_UID = "00000000-0000-0000-0000-000000000000"
"""Stands for the UID that the API server will give."""


class InvalidError(Exception):
    """A TrainingRun that would be refused."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__("; ".join(map(str, found)))
        self.problems = found


def plan(document: Document, settings: Settings, namespace: str | None = None) -> LaunchPlan:
    """What the operator would make of a document.

    Raises:
        InvalidError: it is no valid TrainingRun; carries every problem.
    """
    if not isinstance(document.manifest, dict):
        raise InvalidError([Problem("(document)", "is no object; write apiVersion, kind and spec")])
    try:
        run = TrainingRun.parse(document.manifest)
    except ValidationError as error:
        raise InvalidError(problems(error)) from error
    chosen = {"uid": run.metadata.uid or NO_UID}
    if namespace and "namespace" not in run.metadata.model_fields_set:
        chosen["namespace"] = namespace
    run = run.model_copy(update={"metadata": run.metadata.model_copy(update=chosen)})
    try:
        return launch_plan(run, settings)
    except PlanError as error:
        raise InvalidError(list(error.problems)) from error

"""The claim that a run asks to be made. It has no owner: its data outlives the run."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.manifest import Manifest, Strict, parse
from trainingrun_operator.render.templates import TEMPLATES


class StorageRequest(Strict):
    """How much is asked for."""

    storage: str


class ClaimResources(Strict):
    """What is asked for."""

    requests: StorageRequest


class ClaimSpec(Strict):
    """The part of a claim's spec that we write."""

    access_modes: tuple[Literal["ReadWriteOnce", "ReadWriteMany"]]
    storage_class_name: str | None = None
    resources: ClaimResources


class PersistentVolumeClaim(Manifest):
    """The part of a core/v1 PersistentVolumeClaim that we write."""

    OWNED: ClassVar[bool] = False

    api_version: Literal["v1"]
    kind: Literal["PersistentVolumeClaim"]
    spec: ClaimSpec


def claims(plan: LaunchPlan) -> tuple[dict[str, Any], ...]:
    """The claim to make where there is none of its name, or nothing.

    Raises:
        RenderError: the template gave something that is not the planned claim.
    """
    if plan.new_claim is None or plan.claim is None:
        return ()
    text = TEMPLATES.get_template("claim.yaml.j2").render(plan=plan, claim=plan.new_claim)
    return (parse(text, PersistentVolumeClaim, plan, plan.claim),)

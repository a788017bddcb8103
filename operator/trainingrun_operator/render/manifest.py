"""The boundary between a template's text and an object that may be applied."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from trainingrun_operator.api.v1alpha1 import API_VERSION, KIND
from trainingrun_operator.plan import LaunchPlan

_SHOWN_ERRORS: Final = 5


class RenderError(RuntimeError):
    """A template gave something that is not the planned object: a fault of the operator's own."""


class Strict(BaseModel):
    """A part of a manifest: only what our templates write, camelCase, nothing else."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class OwnerReference(Strict):
    """The TrainingRun an object goes with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: Literal[True]
    block_owner_deletion: Literal[True]


class PodMetadata(Strict):
    """Metadata of a pod template."""

    labels: dict[str, str]
    annotations: dict[str, str]


class LabelSelector(Strict):
    """Pods with these labels."""

    match_labels: dict[str, str]


class ObjectMetadata(Strict):
    """Metadata of an object of a run."""

    name: str
    namespace: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()


class Manifest(Strict):
    """What every object of a run has."""

    OWNED: ClassVar[bool] = True
    """Whether the object goes with its run."""

    api_version: str
    kind: str
    metadata: ObjectMetadata


def parse(text: str, model: type[Manifest], plan: LaunchPlan, name: str) -> dict[str, Any]:
    """The manifest in a template's text: typed, of the planned name, namespace and owner.

    Raises:
        RenderError: it is not YAML, not of the model's shape, or someone else's object.
    """
    try:
        manifest = model.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise RenderError(f"{model.__name__} {name} is no YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_input=False)[:_SHOWN_ERRORS]
        )
        raise RenderError(f"{model.__name__} {name} is not as planned: {faults}") from error
    _check_identity(manifest, plan, name)
    return manifest.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _check_identity(manifest: Manifest, plan: LaunchPlan, name: str) -> None:
    owner = OwnerReference(
        api_version=API_VERSION,
        kind=KIND,
        name=plan.name,
        uid=plan.uid,
        controller=True,
        block_owner_deletion=True,
    )
    planned = (plan.namespace, name, (owner,) if manifest.OWNED else ())
    metadata = manifest.metadata
    if (metadata.namespace, metadata.name, metadata.owner_references) != planned:
        raise RenderError(f"{metadata.namespace}/{metadata.name} is not the planned {name}")

"""The pods of a run, as a user describes them: `spec.workers`."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from trainingrun_operator.api.affinity import Affinity, Spread
from trainingrun_operator.api.elastic import Elastic
from trainingrun_operator.api.names import AnnotationValue, LabelKey, LabelValue, ObjectName
from trainingrun_operator.api.resources import Resources
from trainingrun_operator.api.tolerations import Toleration
from trainingrun_operator.api.variables import EnvFrom, EnvVar
from trainingrun_trainer.rules import Group, Rule

RESERVED_KEYS: Final = (
    "^([a-z0-9.-]*[.-])?(kubernetes[.]io|k8s[.]io|kubeflow[.]org|trainingrun[.]io)/"
)


def _own_keys_only(field: str) -> Rule:
    """Keys of Kubernetes', Kubeflow's and our own domains mean something to somebody else."""
    return Rule(
        cel=f"!has(self.{field}) || self.{field}.all(key, !key.matches('{RESERVED_KEYS}'))",
        holds=lambda w: not any(re.search(RESERVED_KEYS, key) for key in getattr(w, field)),
        message="a key of the domains kubernetes.io, k8s.io, kubeflow.org and trainingrun.io is "
        "not the user's to set; remove it, or write a key of your own domain",
        field=field,
    )


class Workers(Group):
    """How many pods train, and what each gets."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        _own_keys_only("labels"),
        _own_keys_only("annotations"),
        Rule(
            # A range upside down is a fault of its own, told once.
            cel="!has(self.elastic) || self.elastic.min > self.elastic.max || "
            "(self.elastic.min <= self.count && self.count <= self.elastic.max)",
            holds=lambda w: (
                w.elastic is None
                or w.elastic.min > w.elastic.max
                or w.elastic.min <= w.count <= w.elastic.max
            ),
            message="count is not between elastic.min and elastic.max; change one of them",
            field="count",
        ),
        Rule(
            cel="",
            holds=lambda w: len({e.name for e in w.env}) == len(w.env),
            message="a variable is given more than once; remove all but one",
            field="env",
        ),
        Rule(
            cel="",
            holds=lambda w: (
                len({a.topology_key for a in w.affinity.apart}) == (len(w.affinity.apart))
            ),
            message="a topologyKey is given more than once; remove all but one",
            field="affinity.apart",
        ),
        Rule(
            cel="",
            holds=lambda w: (
                len({s.topology_key for s in w.topology_spread or ()})
                == (len(w.topology_spread or ()))
            ),
            message="a topologyKey is given more than once; remove all but one",
            field="topologySpread",
        ),
    )

    count: int = Field(1, ge=1, le=1000, description="Pods that are meant to train.")
    elastic: Elastic | None = Field(
        None, description="Bounds of count; a fixed number of workers if absent."
    )
    processes_per_worker: Annotated[int, Field(ge=1, le=128)] | Literal["auto"] = Field(
        "auto", description="Ranks in each worker; auto: one."
    )
    resources: Resources = Field(Resources(), description="What one worker gets.")
    node_selector: dict[LabelKey, LabelValue] = Field(
        {}, max_length=32, description="Labels a node must have."
    )
    tolerations: tuple[Toleration, ...] = Field(
        (), max_length=32, description="Taints the workers tolerate."
    )
    affinity: Affinity = Field(
        Affinity(), description="Where workers run with regard to nodes and to each other."
    )
    topology_spread: tuple[Spread, ...] | None = Field(
        None,
        max_length=8,
        description="How evenly workers are spread; over nodes, as far as that goes, if absent. "
        "An empty list leaves it to the scheduler.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["topologyKey"],
        },
    )
    priority_class_name: ObjectName | None = Field(None, description="The pods' priority class.")
    labels: dict[LabelKey, LabelValue] = Field(
        {}, max_length=32, description="Labels of the pods, beside the operator's."
    )
    annotations: dict[LabelKey, AnnotationValue] = Field(
        {}, max_length=32, description="Annotations of the pods."
    )
    env_from: tuple[EnvFrom, ...] = Field(
        (),
        max_length=16,
        description="Secrets and ConfigMaps whose every key becomes a variable. Those of env and "
        "the operator's own win.",
    )
    env: tuple[EnvVar, ...] = Field(
        (),
        max_length=128,
        description="Environment of the workers.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )

"""Where workers may run: `spec.workers.affinity` and `spec.workers.topologySpread`.

A bounded part of the core API's affinity: one term for nodes, and the run's own workers apart from
each other. Selectors of other pods are left out: they would name objects that are not the run's.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trainingrun_operator.api.names import LabelKey, LabelValue
from trainingrun_trainer.rules import Group, Rule

TopologyKey = LabelKey


class NodeExpression(Group):
    """What one label of a node must be."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(self.operator in ['In', 'NotIn']) || "
            "(has(self.values) && size(self.values) > 0)",
            holds=lambda e: e.operator not in ("In", "NotIn") or bool(e.values),
            message="In and NotIn compare with values; give one at least, or write Exists",
            field="values",
        ),
        Rule(
            cel="!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || "
            "size(self.values) == 0",
            holds=lambda e: e.operator not in ("Exists", "DoesNotExist") or not e.values,
            message="Exists and DoesNotExist compare no value; remove values, or write In",
            field="values",
        ),
        Rule(
            cel="!(self.operator in ['Gt', 'Lt']) || (has(self.values) && size(self.values) == 1 "
            "&& self.values[0].matches('^[0-9]+$'))",
            holds=lambda e: (
                e.operator not in ("Gt", "Lt") or (len(e.values) == 1 and e.values[0].isdecimal())
            ),
            message="Gt and Lt compare with one whole number; give exactly one",
            field="values",
        ),
    )

    key: LabelKey = Field(description="The label's key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(
        "In", description="How it is compared."
    )
    values: tuple[LabelValue, ...] = Field(
        (), max_length=64, description="What it is compared with."
    )


class NodePreference(Group):
    """Nodes that are better than others."""

    weight: int = Field(1, ge=1, le=100, description="How much better, beside other preferences.")
    expressions: tuple[NodeExpression, ...] = Field(
        min_length=1, max_length=16, description="What the better nodes' labels are, all of them."
    )


class NodeAffinity(Group):
    """Which nodes workers run on."""

    required: tuple[NodeExpression, ...] = Field(
        (), max_length=16, description="What a node's labels must be, all of them."
    )
    preferred: tuple[NodePreference, ...] = Field(
        (), max_length=16, description="What they had better be."
    )


class Apart(Group):
    """The run's workers are kept apart from each other."""

    topology_key: TopologyKey = Field(
        "kubernetes.io/hostname",
        description="The node label of which no two workers share a value: hostname for nodes.",
    )
    when: Literal["Required", "Preferred"] = Field(
        "Preferred",
        description="Required: a worker that would share one waits. Preferred: only if need be.",
    )


class Affinity(Group):
    """Where workers run with regard to nodes and to each other."""

    nodes: NodeAffinity = Field(NodeAffinity(), description="Which nodes workers run on.")
    apart: tuple[Apart, ...] = Field(
        (),
        max_length=8,
        description="How the run's workers keep apart from each other.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["topologyKey"],
        },
    )


class Spread(Group):
    """How evenly the workers are spread over the values of a node's label."""

    topology_key: TopologyKey = Field(
        description="The node label: kubernetes.io/hostname, topology.kubernetes.io/zone."
    )
    max_skew: int = Field(
        1, ge=1, le=1000, description="By how many workers the values may differ."
    )
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        "ScheduleAnyway", description="Whether a worker that would make it worse waits."
    )


EVENLY_OVER_NODES = Spread(topology_key="kubernetes.io/hostname")

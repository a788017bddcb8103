"""How the learning rate changes over the run: `spec.training.schedule`."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from trainingrun_trainer.rules import Group, Rule


class ScheduleType(StrEnum):
    """Schedules by their Transformers names: those that look at nothing but the step."""

    LINEAR = "linear"
    COSINE = "cosine"
    COSINE_WITH_MINIMUM = "cosine_with_min_lr"
    COSINE_WITH_RESTARTS = "cosine_with_restarts"
    CONSTANT = "constant"
    CONSTANT_WITH_WARMUP = "constant_with_warmup"
    INVERSE_SQUARE_ROOT = "inverse_sqrt"
    WARMUP_STABLE_DECAY = "warmup_stable_decay"


def _belongs(field: str, attribute: str, *types: ScheduleType) -> Rule:
    """A field that only some schedules have."""
    return Rule(
        cel=f"!has(self.{field}) || self.type in {[kind.value for kind in types]}",
        holds=lambda s: getattr(s, attribute) is None or s.type in types,
        message=f"this schedule has no {field}; remove it, or write type: {' or '.join(types)}",
        field=field,
    )


def _needs(kind: ScheduleType, field: str, attribute: str) -> Rule:
    return Rule(
        # The API server tries the rule on an absent schedule too, before it fills in the type.
        cel=f"!has(self.type) || self.type != '{kind}' || has(self.{field})",
        holds=lambda s: s.type is not kind or getattr(s, attribute) is not None,
        message=f"{kind} is nothing without {field}; give it, or write another type",
        field=field,
    )


class Schedule(Group):
    """How the learning rate changes over the run."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.warmupSteps) && has(self.warmupPercent))",
            holds=lambda s: s.warmup_steps is None or s.warmup_percent is None,
            message="warmupSteps and warmupPercent say the same; remove one of them",
            field="warmupPercent",
        ),
        Rule(
            cel="self.type != 'constant' || !(has(self.warmupSteps) || has(self.warmupPercent))",
            holds=lambda s: s.type is not ScheduleType.CONSTANT or not s.warms_up,
            message="constant has no warm-up; remove it, or write type: constant_with_warmup",
            field="type",
        ),
        _belongs(
            "minimumPercent",
            "minimum_percent",
            ScheduleType.COSINE_WITH_MINIMUM,
            ScheduleType.WARMUP_STABLE_DECAY,
        ),
        _belongs("cycles", "cycles", ScheduleType.COSINE_WITH_RESTARTS),
        _belongs("decayPercent", "decay_percent", ScheduleType.WARMUP_STABLE_DECAY),
        _needs(ScheduleType.COSINE_WITH_MINIMUM, "minimumPercent", "minimum_percent"),
        _needs(ScheduleType.WARMUP_STABLE_DECAY, "decayPercent", "decay_percent"),
        Rule(
            cel="!(has(self.warmupPercent) && has(self.decayPercent)) || "
            "self.warmupPercent + self.decayPercent <= 100",
            holds=lambda s: (s.warmup_percent or 0) + (s.decay_percent or 0) <= 100,
            message="warm-up and decay take more than the whole run; write less of one of them",
            field="decayPercent",
        ),
    )

    type: ScheduleType = Field(
        ScheduleType.LINEAR, description="The shape of the curve, by its Transformers name."
    )
    warmup_steps: int | None = Field(
        None, ge=0, le=1_000_000_000, description="Steps over which the learning rate rises."
    )
    warmup_percent: int | None = Field(
        None, ge=0, le=100, description="The same as a share of all steps, rounded up."
    )
    minimum_percent: int | None = Field(
        None,
        ge=0,
        le=99,
        description="cosine_with_min_lr and warmup_stable_decay: where the learning rate ends, "
        "as a share of its peak.",
    )
    decay_percent: int | None = Field(
        None,
        ge=1,
        le=100,
        description="warmup_stable_decay: the share of all steps, the last ones, over which the "
        "learning rate falls; rounded up.",
    )
    cycles: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="cosine_with_restarts: how often it begins; 1 if absent.",
    )

    @property
    def warms_up(self) -> bool:
        """Whether a warm-up is asked for, if only of no step."""
        return self.warmup_steps is not None or self.warmup_percent is not None

    def warmup(self, total_steps: int) -> int:
        """Steps of the warm-up, 0 to `total_steps` and more."""
        if self.warmup_percent is not None:
            return _share(self.warmup_percent, total_steps)
        return self.warmup_steps or 0

    def decay(self, total_steps: int) -> int:
        """Steps of the decay of warmup_stable_decay, 0 for any other schedule."""
        return _share(self.decay_percent or 0, total_steps)


def _share(percent: int, total: int) -> int:
    return -(-total * percent // 100)

"""How the weights follow the gradients: `spec.training.optimizer`."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from pydantic import Field

from trainingrun_trainer.rules import Group, Rule


class OptimizerName(StrEnum):
    """Optimisers by their Transformers names: those that need no package beside torch."""

    ADAMW = "adamw_torch"
    ADAMW_FUSED = "adamw_torch_fused"
    ADAFACTOR = "adafactor"
    ADAGRAD = "adagrad"
    RMSPROP = "rmsprop"
    SGD = "sgd"


_ADAM: Final = (OptimizerName.ADAMW, OptimizerName.ADAMW_FUSED)


def _only(who: str, field: str, names: tuple[OptimizerName, ...]) -> Rule:
    return Rule(
        cel=f"!has(self.{field}) || self.name in {[name.value for name in names]}",
        holds=lambda o: getattr(o, field) is None or o.name in names,
        message=f"only {who} {field}; remove it, or write name: {names[-1]}",
        field=field,
    )


class Optimizer(Group):
    """How the weights follow the gradients."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        *(_only("AdamW has", field, _ADAM) for field in ("beta1", "beta2", "epsilon")),
        _only("sgd and rmsprop have", "momentum", (OptimizerName.SGD, OptimizerName.RMSPROP)),
    )
    name: OptimizerName = Field(
        OptimizerName.ADAMW_FUSED, description="The optimiser, by its Transformers name."
    )
    weight_decay: float = Field(0.0, ge=0, le=10, description="Weight decay; biases have none.")
    beta1: float | None = Field(
        None, ge=0, lt=1, description="AdamW: decay of the mean of gradients; 0.9 if absent."
    )
    beta2: float | None = Field(
        None, ge=0, lt=1, description="AdamW: decay of their mean square; 0.999 if absent."
    )
    epsilon: float | None = Field(
        None, gt=0, le=1, description="AdamW: added to the divisor; 1e-8 if absent."
    )
    momentum: float | None = Field(
        None, ge=0, lt=1, description="sgd and rmsprop: how much of the last step goes on; 0."
    )

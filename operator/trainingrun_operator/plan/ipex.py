"""Whether Intel's extension for PyTorch changes the model: as asked, where the runtime has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.config import Ipex, TaskType
from trainingrun_trainer.image_manifest import Runtime

FIELD: Final = "spec.cpu.ipex"


@dataclass(frozen=True)
class Extension:
    """What it does, and why."""

    ipex: Ipex
    choice: PlanChoice


def choose_ipex(spec: TrainingRunSpec, runtime: Runtime, refusals: Refusals) -> Extension:
    """What the extension does in a run.

    Refuses where it is asked for and is not, or where our trainer makes no model.
    """
    if spec.cpu.ipex == "auto":
        # Torch 2.8 has taken over what it was made for; docs/benchmarks.md has the figures.
        return _extension(Ipex.OFF, "torch was not slower without it in what was measured")
    asked = Ipex(spec.cpu.ipex)
    if asked is not Ipex.OFF and runtime is not Runtime.XEON:
        refusals.add(FIELD, f"runtime {runtime} has no IPEX; write off, or spec.runtime: xeon")
    if asked is not Ipex.OFF and spec.task.type is TaskType.SCRIPT:
        refusals.add(FIELD, "a script makes its own model, and calls IPEX itself; write off")
    return _extension(asked, f"as {FIELD} says")


def _extension(ipex: Ipex, reason: str) -> Extension:
    return Extension(ipex, PlanChoice(name="ipex", value=ipex.value, reason=reason))

"""Pure: a TrainingRun and the operator's settings become a launch plan. Imported by `render` up."""

from trainingrun_operator.plan.launch_plan import LaunchPlan, launch_plan
from trainingrun_operator.plan.refusal import PlanError
from trainingrun_operator.plan.settings import Settings

__all__ = ["LaunchPlan", "PlanError", "Settings", "launch_plan"]

"""Pure: a launch plan becomes the manifests to apply. May import `plan` and `api` only."""

from trainingrun_operator.render.claim import claims
from trainingrun_operator.render.config_map import config_map, with_workers
from trainingrun_operator.render.manifest import RenderError
from trainingrun_operator.render.manifests import render

__all__ = ["RenderError", "claims", "config_map", "render", "with_workers"]

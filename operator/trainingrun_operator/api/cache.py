"""Where downloaded models and data sets are kept: `spec.cache`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainingrun_operator.api.names import RelativePath
from trainingrun_trainer.rules import Group


class Cache(Group):
    """Where downloaded models and data sets are kept."""

    scope: Literal["Shared", "Run"] = Field(
        "Shared",
        description="Shared: all runs on the claim download a model once. Run: inside the run's "
        "own folder.",
    )
    sub_path: RelativePath = Field(
        ".cache/huggingface",
        description="The folder below the claim's root (Shared) or the run's folder (Run), as "
        "HF_HOME; hub/ and datasets/ are in it.",
    )

"""What the fork server imports once, so that a rank starts with everything in memory.

Import only: a thread started here (OpenMP, tokenizers, gloo) would not exist in the forked ranks,
and its locks would stay locked. Imported by the fork server alone; it ends with its launcher.
"""

from __future__ import annotations

import accelerate  # type: ignore[import-untyped]
import torch.distributed
import transformers.models.llama.modeling_llama
import transformers.trainer

import trainingrun_trainer.worker.main
from trainingrun_trainer.lineage import die_with_parent

__all__ = ["accelerate", "torch", "trainingrun_trainer", "transformers"]

die_with_parent()

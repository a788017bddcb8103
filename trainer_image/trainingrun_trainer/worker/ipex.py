"""Intel Extension for PyTorch: it rearranges the weights of a model and fuses its optimizer."""

from __future__ import annotations

import importlib
import os
from typing import Any, Final

import torch

from trainingrun_trainer.config import Ipex
from trainingrun_trainer.errors import UserError

MODULE: Final = "intel_extension_for_pytorch"
FIELD: Final = "spec.cpu.ipex"


def load() -> Any:
    """The extension. The first time takes seconds: 5 s of processor time, measured with 2.8.

    Raises:
        UserError: it is not there, or does not fit this torch.
    """
    # It imports torch's compiler, which would start processes of its own at once.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    # The compiler names a folder after the user, and fails for one that /etc/passwd does not know,
    # as in a pod.
    os.environ.setdefault("USER", str(os.getuid()))
    try:
        return importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        cause = f"the image has no module {error.name}"
    except (ImportError, OSError, RuntimeError, SystemExit) as error:
        # Beside another version of torch it ends the process.
        cause = f"the module {MODULE} cannot be loaded: {error}"
    raise UserError(f"{cause}; use an image of the runtime xeon, or write off", FIELD)


def check(ipex: Ipex) -> None:
    """Returns if ranks can train with it.

    Raises:
        UserError: the extension cannot be had.
    """
    if ipex is not Ipex.OFF:
        load()


def optimise(model: torch.nn.Module, optimizer: torch.optim.Optimizer, ipex: Ipex) -> None:
    """Changes a model and its optimizer in place, before they are wrapped for the ranks."""
    if ipex is Ipex.OFF:
        return
    model.train()
    load().optimize(
        model,
        optimizer=optimizer,
        dtype=torch.float32,
        inplace=True,
    )

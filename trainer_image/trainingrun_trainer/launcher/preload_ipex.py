"""What the fork server imports besides where ranks use IPEX: its import takes seconds.

Where it cannot be had, each rank finds out by itself and says so.
"""

from __future__ import annotations

import contextlib

from trainingrun_trainer.errors import UserError
from trainingrun_trainer.worker import ipex

with contextlib.suppress(UserError):
    ipex.load()

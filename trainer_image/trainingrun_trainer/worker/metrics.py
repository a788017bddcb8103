"""Every number that was logged, in the run's folder: one JSON object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

FILE_NAME: Final = "metrics.jsonl"


class MetricsFile:
    """Lines are only added: steps that were done again after a restart stand there twice."""

    def __init__(self, folder: Path, run_uid: str, say: Callable[[str], None]) -> None:
        """`run_uid` tells the lines of this run from those of an earlier one of its name."""
        self._path = folder / FILE_NAME
        self._run_uid = run_uid
        self._say = say
        self._failing = False

    def write(self, at: datetime, *, step: int, **numbers: float | None) -> None:
        """Add a line; numbers that are not known, or that JSON has none for, are left out.

        A line that cannot be written is reported once: no run ends for the want of it.
        """
        known = {k: v for k, v in numbers.items() if v is not None and math.isfinite(v)}
        line = {"at": at.isoformat(), "run": self._run_uid, "step": step, **known}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            if not self._failing:
                self._say(f"{self._path} cannot be written: {error.strerror}")
            self._failing = True
        else:
            self._failing = False

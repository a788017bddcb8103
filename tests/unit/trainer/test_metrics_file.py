"""The numbers of a run, one JSON object a line."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

from trainingrun_trainer.worker.metrics import FILE_NAME, MetricsFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_lines_are_added_to_those_of_earlier_rounds(tmp_path: Path) -> None:
    for step in (1, 2):
        MetricsFile(tmp_path, "uid", print).write(NOW, step=step, loss=2.5)

    lines = [json.loads(line) for line in (tmp_path / FILE_NAME).read_text().splitlines()]
    assert lines[1] == {"at": "2026-01-01T00:00:00+00:00", "run": "uid", "step": 2, "loss": 2.5}
    assert len(lines) == 2


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    MetricsFile(tmp_path, "uid", print).write(NOW, step=1, loss=math.nan, epoch=None)

    assert json.loads((tmp_path / FILE_NAME).read_text()).keys() == {"at", "run", "step"}


def test_a_folder_that_is_gone_is_told_once_and_ends_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    file = MetricsFile(tmp_path / "gone", "uid", said.append)
    for step in (1, 2):
        file.write(NOW, step=step)

    assert len(said) == 1

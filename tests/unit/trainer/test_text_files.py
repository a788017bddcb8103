"""What a file of a user's holds, and what is said where it holds something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from trainingrun_trainer.config import Data
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import text_files
from trainingrun_trainer.tasks.token_cache import Blocks


def texts(path: Path, content: str, **data: Any) -> list[str]:
    path.write_text(content)
    settings = Data.model_validate({"train": str(path), **data})
    return list(text_files.texts(text_files.split(settings).train, settings))


def lines(path: Path, content: str) -> list[str]:
    return texts(path, content, format="jsonl", columns={"text": "text"})


def test_a_plain_file_is_one_text(tmp_path: Path) -> None:
    assert texts(tmp_path / "a", "one\ntwo\n") == ["one\ntwo\n"]


def test_each_line_of_json_is_a_text(tmp_path: Path) -> None:
    content = '{"text": "one", "id": 1}\n\n{"text": "t\\nwo\u2028"}\n'
    assert lines(tmp_path / "a", content) == ["one", "t\nwo\u2028"]


@pytest.mark.parametrize(
    ("content", "field", "word"),
    [
        ('{"text": "a"}\n{', "spec.data.train", ":2 is no JSON"),
        ('{"txt": "a"}', "spec.data.columns.text", ":1 has no column 'text', only txt"),
        ('["a"]', "spec.data.train", ":1 is no JSON object"),
        ('{"text": 1}', "spec.data.columns.text", "has a number for text"),
    ],
)
def test_a_line_without_a_text_is_told_by_file_and_number(
    content: str, field: str, word: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=word) as caught:
        lines(tmp_path / "a", content)
    assert caught.value.field == field


def test_no_more_samples_are_taken_than_asked_for() -> None:
    ids = torch.arange(100).to(torch.uint8).numpy()
    assert [len(Blocks(ids, 8, at_most)) for at_most in (None, 3, 99)] == [12, 3, 12]

"""Token ids of one run are used by another only if the same texts and tokenizer made them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import text_files, token_cache

TRAINED: dict[str, Any] = {
    "fromScratch": {},
    "tokenizer": {"train": {"vocabSize": 320}},
}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text("text")
        os.utime(folder / name, (1, 1))
    return folder


def fingerprint(texts: Path, uid: str = "", model: dict[str, Any] | None = None) -> str:
    config = RunConfig.model_validate(
        {
            "run": {"name": "test", "uid": uid},
            "folder": "/run",
            "task": {"type": "causal-lm"},
            "model": model or TRAINED,
            "data": {"train": str(texts)},
            "training": {"maxSteps": 1},
        }
    )
    return token_cache.fingerprint(config, text_files.split(config.data))


def test_another_run_of_the_same_texts_uses_the_same_token_ids(texts: Path) -> None:
    assert fingerprint(texts, uid="1") == fingerprint(texts, uid="2")


def test_a_text_that_changed_but_not_its_length_makes_new_token_ids(texts: Path) -> None:
    before = fingerprint(texts)
    (texts / "a").write_text("next")
    assert fingerprint(texts) != before


def test_one_text_more_makes_new_token_ids(texts: Path) -> None:
    before = fingerprint(texts)
    (texts / "c").write_text("text")
    assert fingerprint(texts) != before


def test_another_vocabulary_makes_new_token_ids(texts: Path) -> None:
    other = {**TRAINED, "tokenizer": {"train": {"vocabSize": 400}}}
    assert fingerprint(texts, model=other) != fingerprint(texts)


def test_a_named_tokenizer_that_changed_in_its_folder_makes_new_token_ids(
    texts: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    model = {"fromScratch": {}, "tokenizer": {"name": str(folder)}}
    before = fingerprint(texts, model=model)
    (folder / "tokenizer.json").write_text("{ }")
    assert fingerprint(texts, model=model) != before

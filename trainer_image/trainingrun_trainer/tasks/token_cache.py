"""Token ids on disk, made once for a run and mapped into memory by every rank."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.files import move_folder, sync_folder
from trainingrun_trainer.tasks import text_files, tokenizer

TokenIds = npt.NDArray[np.unsignedinteger[Any]]
"""One row of token ids, 16 or 32 bits each as the vocabulary needs."""

_TEXTS_AT_ONCE: Final = 64


class Blocks(Sequence[dict[str, torch.Tensor]]):
    """Training samples: blocks of `size` tokens, texts packed one after another.

    Each sample is `{"input_ids": (size,) int64, "labels": the same}`; the model shifts labels. The
    tokens after the last whole block are left out.
    """

    def __init__(self, ids: TokenIds, size: int) -> None:
        self._ids = ids
        self._size = size

    def __len__(self) -> int:
        return len(self._ids) // self._size

    def __getitem__(self, index: Any) -> Any:
        start = index * self._size
        block = torch.from_numpy(self._ids[start : start + self._size].astype(np.int64))
        return {"input_ids": block, "labels": block}


def fingerprint(config: RunConfig, files: text_files.Split) -> str:
    """Equal for equal token ids: names and sizes of the files, and what they are turned into."""
    model = config.model
    parts = {
        "tokenizer": model.tokenizer.model_dump()
        if model.tokenizer
        else [model.name, model.revision],
        "files": [[(f.name, f.size) for f in side] for side in (files.train, files.evaluation)],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def build(config: RunConfig, files: text_files.Split, folder: Path) -> None:
    """Makes `folder` with the tokenizer and the token ids; it appears whole or not at all.

    Raises:
        UserError: the tokenizer cannot be loaded, or a file not be read.
    """
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        tokenizing = _tokenizer(config, files)
        tokenizing.save_pretrained(draft / "tokenizer")
        for name, side in (("train", files.train), ("evaluation", files.evaluation)):
            np.save(draft / f"{name}.npy", _encoded(tokenizing, text_files.texts(side)))
        sync_folder(draft)
        move_folder(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: Path) -> tuple[PreTrainedTokenizerBase, TokenIds, TokenIds]:
    """The tokenizer, the training and the held-out token ids; the ids are mapped, not read."""
    train, evaluation = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("train", "evaluation")
    )
    return tokenizer.reload(folder / "tokenizer"), train, evaluation


def _tokenizer(config: RunConfig, files: text_files.Split) -> PreTrainedTokenizerBase:
    settings = config.model.tokenizer
    if settings is not None and settings.train is not None:
        return tokenizer.train(settings.train, text_files.texts(files.train))
    return tokenizer.load(config.model)


def _encoded(tokenizing: PreTrainedTokenizerBase, texts: Iterable[str]) -> TokenIds:
    """All texts in one row, an end-of-text token after each."""
    kind = np.uint16 if len(tokenizing) <= np.iinfo(np.uint16).max else np.uint32
    end = tokenizing.eos_token_id
    rows: list[TokenIds] = [
        np.array([*ids, end], dtype=kind)
        for texts_at_once in _batches(texts)
        for ids in tokenizing(texts_at_once, add_special_tokens=False, verbose=False)["input_ids"]
    ]
    return np.concatenate(rows) if rows else np.array([], dtype=kind)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, _TEXTS_AT_ONCE)):
        yield batch

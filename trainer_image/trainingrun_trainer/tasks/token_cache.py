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

from trainingrun_trainer.config import RunConfig, TaskType
from trainingrun_trainer.files import move, sync_folder
from trainingrun_trainer.tasks import losses, text_files, tokenizer

TokenIds = npt.NDArray[np.unsignedinteger[Any]]
"""One row of token ids, 16 or 32 bits each as the vocabulary needs."""

_TEXTS_AT_ONCE: Final = 64


class Blocks(Sequence[dict[str, torch.Tensor]]):
    """Training samples: blocks of `size` tokens, texts packed one after another.

    Each sample is `{"input_ids": (size,) int64, "labels": the same}`, where the first label is
    left out, since nothing comes before it to tell it by; the loss shifts labels. The
    tokens after the last whole block, or the last of `at_most` blocks, are left out.
    """

    def __init__(self, ids: TokenIds, size: int, at_most: int | None = None) -> None:
        self._ids = ids
        self._size = size
        whole = len(ids) // size
        self._length = whole if at_most is None else min(whole, at_most)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        start = index * self._size
        block = torch.from_numpy(self._ids[start : start + self._size].astype(np.int64))
        labels = block.clone()
        labels[0] = losses.IGNORED
        return {"input_ids": block, "labels": labels}


def fingerprint(config: RunConfig, files: text_files.Split) -> str:
    """Equal only for equal token ids: it hangs on the files, not by their contents, which may be
    large, but by name, size and time of change, and on the tokenizer in the same way."""
    model = config.model
    name = model.tokenizer.name if model.tokenizer is not None else model.name
    parts = {
        "tokenizer": model.tokenizer.model_dump() if model.tokenizer else [name, model.revision],
        "texts": [config.data.format, config.data.columns and config.data.columns.text],
        "marks": config.task.type is TaskType.CAUSAL_LM,
        "tokenizer files": _local_files(name),
        "files": [
            [(f.name, f.size, f.modified_ns) for f in side]
            for side in (files.train, files.evaluation)
        ],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _local_files(name: str | None) -> list[tuple[str, int, int]]:
    """The files of a tokenizer that is named by its folder; a hub's name has none here."""
    if name is None or not Path(name).is_dir():
        return []
    found = [text_files.TextFile.at(p, p.name) for p in Path(name).iterdir() if p.is_file()]
    return sorted((file.name, file.size, file.modified_ns) for file in found)


def build(config: RunConfig, files: text_files.Split, needs: Sequence[str], folder: Path) -> None:
    """Makes `folder` with the tokenizer and the token ids; it appears whole or not at all.

    Raises:
        UserError: the tokenizer cannot be loaded or lacks one of the special tokens that are
            needed, or a file cannot be read.
    """
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        texts = text_files.texts(files.train, config.data)
        tokenizing = tokenizer.for_run(config, needs, texts)
        tokenizing.save_pretrained(draft / "tokenizer")
        for name, side in (("train", files.train), ("evaluation", files.evaluation)):
            np.save(
                draft / f"{name}.npy", _encoded(tokenizing, text_files.texts(side, config.data))
            )
        sync_folder(draft)
        move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: Path) -> tuple[PreTrainedTokenizerBase, TokenIds, TokenIds]:
    """The tokenizer, the training and the held-out token ids; the ids are mapped, not read."""
    train, evaluation = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("train", "evaluation")
    )
    return tokenizer.reload(folder / "tokenizer"), train, evaluation


def _encoded(tokenizing: PreTrainedTokenizerBase, texts: Iterable[str]) -> TokenIds:
    """All texts in one row, an end-of-text token after each."""
    kind = np.uint16 if len(tokenizing) <= np.iinfo(np.uint16).max else np.uint32
    end = tokenizing.eos_token_id
    if end is None:
        end = tokenizing.sep_token_id  # what BERT ends texts with
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

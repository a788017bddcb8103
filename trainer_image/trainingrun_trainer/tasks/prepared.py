"""Rows checked and encoded by rank 0 before any rank trains, kept on the claim for all of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transformers import PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.files import move, sync_folder
from trainingrun_trainer.tasks import token_cache, tokenizer
from trainingrun_trainer.tasks.data import samples, tables
from trainingrun_trainer.tasks.data.samples import Example, Examples, Sample, Samples
from trainingrun_trainer.tasks.data.tables import Table
from trainingrun_trainer.tasks.recipe import Recipe
from trainingrun_trainer.tasks.text_files import Split
from trainingrun_trainer.worker.distributed import Group

_ENCODING: Final = 1
"""Counts up when equal settings no longer give equal samples."""
_LABELS: Final = "labels.json"


@dataclass(frozen=True)
class Prepared:
    """What all ranks train on and are measured by, equal on all of them."""

    tokenizer: PreTrainedTokenizerBase
    labels: tuple[str, ...]
    train: Samples
    evaluation: Samples
    examples: Examples
    """The held-out examples."""


def prepared(config: RunConfig, recipe: Recipe, group: Group, cache: Path) -> Prepared:
    """Has rank 0 check and encode the rows if that is not done yet; a collective.

    Raises:
        UserError: rows, labels or tokenizer are not what the task needs.
    """

    def made() -> str:
        sides = tables.split(config)
        folder = cache / fingerprint(config, *sides)
        if not folder.is_dir():
            print("checking and encoding the data", flush=True)
            build(config, recipe, *sides, folder)
        return folder.name

    folder = cache / group.from_leader("samples", made)
    if not group.everyone(folder.is_dir()):
        raise UserError(
            f"not all workers see {folder}; they need a claim that they share",
            "spec.storage.claimName",
        )
    return load(folder)


def fingerprint(config: RunConfig, train: Table, evaluation: Table) -> str:
    """Equal only for equal samples: it hangs on files and tokenizer as token ids do, and on every
    setting of task and data."""
    parts = [
        _ENCODING,
        token_cache.fingerprint(config, Split(train.files, evaluation.files)),
        config.task.model_dump(mode="json"),
        config.data.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def build(config: RunConfig, recipe: Recipe, train: Table, held_out: Table, folder: Path) -> None:
    """Makes `folder` with tokenizer, labels and samples; it appears whole or not at all.

    Raises:
        UserError: rows, labels or tokenizer are not what the task needs.
    """
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        labels = survey(config, recipe, train, held_out)
        texts = (text for row in train for text in recipe.texts(recipe.example(row)))
        tokenizing = tokenizer.for_run(config, recipe.NEEDS, texts)
        recipe.fit(tokenizing, labels)
        tokenizing.save_pretrained(draft / "tokenizer")
        (draft / _LABELS).write_text(json.dumps(labels))
        for name, table in (("train", train), ("evaluation", held_out)):
            held = table is held_out
            encoded = _encoded(recipe, tokenizing, labels, table, held_out=held)
            written = samples.write(draft / name, encoded, keep=held)
            if not held and not written:
                raise UserError("the training data gives no sample", "spec.data.train")
        sync_folder(draft)
        move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def survey(config: RunConfig, recipe: Recipe, train: Table, held_out: Table) -> tuple[str, ...]:
    """Reads every row of both sides once; the labels in their order.

    Raises:
        UserError: a row is wrong, a side is empty, or a label is not among those that are known.
    """
    trained = _seen(recipe, train)
    if trained is None:
        raise UserError(
            "there is no row to train on; give more data or hold out less", "spec.data.train"
        )
    labels = config.task.labels or tuple(sorted(trained))
    if config.task.labels is not None:
        _known(recipe, train, frozenset(labels), "spec.task.labels")
    field = "spec.data.evaluation" if config.data.evaluation else "spec.data.evaluationPercent"
    wanted = config.data.evaluation is not None or config.data.evaluation_percent is not None
    if _known(recipe, held_out, frozenset(labels), field) == 0 and wanted:
        raise UserError("there are too few rows to hold any out; give more data", field)
    return labels


def load(folder: Path) -> Prepared:
    """What `build` made."""
    return Prepared(
        tokenizer.reload(folder / "tokenizer"),
        tuple(json.loads((folder / _LABELS).read_bytes())),
        Samples(folder / "train"),
        Samples(folder / "evaluation"),
        Examples(folder / "evaluation"),
    )


def _seen(recipe: Recipe, table: Table) -> set[str] | None:
    """The labels of a table; None if it has no rows."""
    seen: set[str] | None = None
    for row in table:
        seen = seen if seen is not None else set()
        seen.update(recipe.labels(recipe.example(row)))
    return seen


def _known(recipe: Recipe, table: Table, known: Iterable[str], field: str) -> int:
    """How many rows a table has, after checking that no label of them is new."""
    rows = 0
    for rows, row in enumerate(table, start=1):  # noqa: B007 - the last number is what is asked for
        for label in recipe.labels(recipe.example(row)):
            if label not in known:
                raise UserError(
                    f"{row.where} has the label {label!r}, which is not one of "
                    f"{', '.join(sorted(known)[:20])}",
                    field,
                )
    return rows


def _encoded(
    recipe: Recipe,
    tokenizing: PreTrainedTokenizerBase,
    labels: tuple[str, ...],
    table: Table,
    *,
    held_out: bool,
) -> Iterator[tuple[Example, Iterator[Sample]]]:
    for row in table:
        example = recipe.example(row)
        yield example, recipe.encode(tokenizing, labels, example, held_out=held_out)

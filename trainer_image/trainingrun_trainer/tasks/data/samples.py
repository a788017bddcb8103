"""Encoded samples on disk, made once for a run and mapped into memory by every rank.

A side is a folder: `<name>.bin` holds one array of all samples, row after row; `examples.jsonl` the
held-out examples as they were read; `contents.json`, written last, the shapes and types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import torch

Sample = Mapping[str, npt.NDArray[Any]]
"""One sample: arrays of the same shape in every sample of a side."""

Example = dict[str, Any]
"""What a task read from a row: JSON values."""

_CONTENTS: Final = "contents.json"
_EXAMPLES: Final = "examples.jsonl"
_FLOAT: Final = np.dtype(np.float32)
_INTEGER: Final = np.dtype(np.int32)
_OF: Final = "example"
"""The array that says which example a sample is of."""

Item = TypeVar("Item")


class Samples(Sequence[dict[str, torch.Tensor]]):
    """The samples of one side, in the order they were written: integers as int64, others as
    float32. `example` is left out of them."""

    def __init__(self, folder: Path) -> None:
        contents = json.loads((folder / _CONTENTS).read_bytes())
        self._length: int = contents["samples"]
        self._arrays = {
            name: np.memmap(folder / f"{name}.bin", dtype, "r", shape=(self._length, *shape))
            for name, (dtype, shape) in contents["arrays"].items()
            if self._length
        }
        self.of_example: npt.NDArray[Any] = self._arrays.pop(_OF, np.zeros(0, _INTEGER))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return {name: _tensor(array[index]) for name, array in self._arrays.items()}

    def of(self, example: int) -> range:
        """The samples of one example; they stand together."""
        first, last = np.searchsorted(self.of_example, (example, example + 1))
        return range(int(first), int(last))


class Examples(Sequence[Example]):
    """The examples of one side; each is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _EXAMPLES
        with self._path.open("rb") as file:
            self._ends = np.cumsum([0, *(len(line) for line in file)])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: Any) -> Any:
        with self._path.open("rb") as file:
            file.seek(self._ends[index])
            return json.loads(file.readline())


def write(folder: Path, encoded: Iterable[tuple[Example, Iterable[Sample]]], *, keep: bool) -> int:
    """Writes a side from its examples and the samples of each; the number of samples. Examples
    themselves are kept only where an evaluation asks for them."""
    folder.mkdir(parents=True)
    arrays: dict[str, tuple[str, tuple[int, ...]]] = {}
    written = 0
    with ExitStack() as stack:
        open_file = {name: stack.enter_context((folder / name).open("wb")) for name in (_EXAMPLES,)}
        for number, (example, samples) in enumerate(encoded):
            if keep:
                open_file[_EXAMPLES].write(json.dumps(example).encode() + b"\n")
            for sample in samples:
                for name, array in {**sample, _OF: np.array(number)}.items():
                    narrow = array.astype(_FLOAT if array.dtype.kind == "f" else _INTEGER)
                    if name not in arrays:
                        arrays[name] = (narrow.dtype.str, narrow.shape)
                        open_file[name] = stack.enter_context((folder / f"{name}.bin").open("wb"))
                    open_file[name].write(narrow.tobytes())
                written += 1
    contents = {"samples": written, "arrays": arrays}
    (folder / _CONTENTS).write_text(json.dumps(contents))
    return written


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, `size` at a time."""
    group: list[Item] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    kind = np.float32 if array.dtype.kind == "f" else np.int64
    return torch.from_numpy(np.array(array, dtype=kind))

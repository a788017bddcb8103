"""Text from files: which ones, in which order, and which are held out."""

from __future__ import annotations

import hashlib
import json
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainingrun_trainer.config import BUILTIN_PYTHON_STDLIB, Data
from trainingrun_trainer.errors import UserError

_EVERY_FILE: Final = "**/*"
_NOT_STDLIB_TEXT: Final = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "__pycache__"}
)
"""Installed packages are not the library; tests are a third of it and largely tables."""


@dataclass(frozen=True)
class TextFile:
    """A file and the name that its place in the order and its side of the split hang on."""

    name: str
    path: Path
    size: int
    modified_ns: int
    """Nanoseconds since the epoch."""

    @classmethod
    def at(cls, path: Path, name: str) -> TextFile:
        """The file as it is now.

        Raises:
            OSError: it is not there.
        """
        seen = path.stat()
        return cls(name, path, seen.st_size, seen.st_mtime_ns)

    @property
    def draw(self) -> int:
        """A number that looks random and is the same everywhere."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "big")


@dataclass(frozen=True)
class Split:
    """Training and held-out files, each in a fixed order."""

    train: tuple[TextFile, ...]
    evaluation: tuple[TextFile, ...]


def split(data: Data) -> Split:
    """The files of a run.

    Raises:
        UserError: a source has no text, or nothing is left for one side.
    """
    files = _listed(data.train, data.files, "spec.data.train")
    held_out: tuple[TextFile, ...] = ()
    if data.evaluation is not None:
        held_out = _listed(data.evaluation, data.files, "spec.data.evaluation")
    elif data.evaluation_percent is not None:
        percent = data.evaluation_percent
        held_out = tuple(f for f in files if f.draw % 100 < percent)
        files = tuple(f for f in files if f.draw % 100 >= percent)
        if not held_out or not files:
            raise UserError(
                f"{len(files) + len(held_out)} files are too few to hold out {percent} percent of "
                "them; give spec.data.evaluation instead",
                "spec.data.evaluationPercent",
            )
    if data.max_megabytes is not None:
        files = tuple(_first_bytes(files, data.max_megabytes * 1_000_000))
    return Split(files, held_out)


def texts(files: Sequence[TextFile], data: Data) -> Iterator[str]:
    """The files' texts. What is not UTF-8 is replaced; binary files are left out.

    Raises:
        UserError: a file cannot be read, or a line of it has no text.
    """
    for file in files:
        try:
            content = file.path.read_bytes()
        except OSError as error:
            raise UserError(f"{file.path}: {error.strerror}", "spec.data.train") from error
        if b"\0" in content:
            continue
        text = content.decode(errors="replace")
        if data.column is None:
            yield text
        else:
            yield from _column(text, data.column, file.path)


def _column(text: str, column: str, path: Path) -> Iterator[str]:
    # Not splitlines(): a JSON text may hold other line ends than this one.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)[column]
        except ValueError as error:
            raise UserError(f"{path}:{number} is no JSON: {error}", "spec.data.format") from error
        except (KeyError, TypeError, IndexError) as error:
            raise UserError(f"{path}:{number} has no {column!r}", "spec.data.column") from error
        if not isinstance(found, str):
            raise UserError(f"{path}:{number}: {column!r} is no string", "spec.data.column")
        yield found


def _listed(source: str, pattern: str, field: str) -> tuple[TextFile, ...]:
    """The files of a source, in the order of their draws, so that any part is a fair sample."""
    if source == BUILTIN_PYTHON_STDLIB:
        root = Path(sysconfig.get_path("stdlib"))
        pattern = "**/*.py" if pattern == _EVERY_FILE else pattern
        paths = [
            p
            for p in root.glob(pattern)
            if not _NOT_STDLIB_TEXT & set(p.relative_to(root).parts) and p.is_file()
        ]
    else:
        root = Path(source)
        if root.is_file():
            return (TextFile.at(root, root.name),)
        if not root.is_dir():
            raise UserError(f"{source} does not exist in the pod", field)
        try:
            paths = [p for p in root.glob(pattern) if p.is_file()]
        except (ValueError, NotImplementedError) as error:
            raise UserError(f"{pattern!r} is no pattern: {error}", "spec.data.files") from error
    files = [TextFile.at(path, str(path.relative_to(root))) for path in paths]
    files = [f for f in files if f.size]
    if not files:
        raise UserError(f"{source} has no files that match {pattern!r}", field)
    return tuple(sorted(files, key=lambda f: (f.draw, f.name)))


def _first_bytes(files: Sequence[TextFile], limit: int) -> Iterator[TextFile]:
    """Files from the front until they hold `limit` bytes; one at least."""
    total = 0
    for file in files:
        if total and total + file.size > limit:
            return
        total += file.size
        yield file

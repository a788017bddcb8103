"""Files as rows: JSON lines, JSON, SQuAD's own JSON, CSV, Parquet and Arrow.

Lines are read by the standard library, so that a damaged one is named by its number and "007" or a
date stays the text it is; `datasets` would guess types from the first lines. Parquet and Arrow have
types of their own, and `datasets` gives the names behind their class labels.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from trainingrun_trainer.config import DataFormat
from trainingrun_trainer.errors import UserError

Values = Mapping[str, Any]
Located = tuple[str, Values]
"""Where a row stands, and its values by column."""

_FIELD: Final = "spec.data.train"


def of(path: Path, given: DataFormat | None) -> DataFormat:
    """What a file holds: what the user says, or else what its name says."""
    by_name = {f".{kind.value}": kind for kind in _READERS}
    return given or by_name.get(path.suffix.lower(), DataFormat.TEXT)


def rows(path: Path, given: DataFormat | None = None) -> Iterator[Located]:
    """The rows of a table, in its order.

    Raises:
        UserError: the file is no table, damaged, or empty.
    """
    read = _READERS.get(of(path, given))
    if read is None:
        raise UserError(
            f"{path} is no table; leave it out by data.files, or say by data.format what it holds",
            "spec.data.files",
        )
    empty = True
    try:
        for row in read(path):
            empty = False
            yield row
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 at byte {error.start}; convert it", _FIELD) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}", _FIELD) from error
    if empty:
        raise UserError(f"{path} has no rows; fill it or leave it out by data.files", _FIELD)


def _json_lines(path: Path) -> Iterator[Located]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _object(f"{path}:{number}", _parsed(path, line, number))


def _json(path: Path) -> Iterator[Located]:
    """A list of objects, an object whose `data` is one, SQuAD's nesting, or JSON lines."""
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    if not _whole_document(first):
        yield from _json_lines(path)
        return
    document = _parsed(path, path.read_text(encoding="utf-8"))
    listed = document.get("data") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise UserError(f"{path} is neither a list of rows nor an object with data", _FIELD)
    for number, entry in enumerate(listed, start=1):
        if isinstance(entry, dict) and "paragraphs" in entry:
            yield from _squad(path, number, entry)
        else:
            yield _object(f"{path}: row {number}", entry)


def _whole_document(first_line: str) -> bool:
    if first_line.lstrip()[:1] == "[":
        return True
    try:
        only = json.loads(first_line)
    except ValueError:
        return True
    return isinstance(only, dict) and isinstance(only.get("data"), list)


def _squad(path: Path, number: int, article: Values) -> Iterator[Located]:
    try:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = asked.get("answers", [])
                yield (
                    f"{path}: question {asked['id']}",
                    {
                        "id": asked["id"],
                        "question": asked["question"],
                        "context": paragraph["context"],
                        "answers": {
                            "text": [answer["text"] for answer in answers],
                            "answer_start": [answer["answer_start"] for answer in answers],
                        },
                    },
                )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: article {number} is not SQuAD's: {error}", _FIELD) from error


def _separated(delimiter: str) -> Callable[[Path], Iterator[Located]]:
    def read(path: Path) -> Iterator[Located]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            try:
                header = next(reader, [])
                if len(set(header)) < len(header):
                    raise UserError(f"{path}:1 names a column twice; rename one", _FIELD)
                for cells in reader:
                    if not cells:
                        continue
                    where = f"{path}:{reader.line_num}"
                    if len(cells) != len(header):
                        raise UserError(
                            f"{where} has {len(cells)} cells, the header {len(header)}; "
                            "quote the separators within cells",
                            _FIELD,
                        )
                    yield where, dict(zip(header, cells, strict=True))
            except csv.Error as error:
                raise UserError(f"{path}:{reader.line_num} is damaged: {error}", _FIELD) from error

    return read


def _columnar(builder: str) -> Callable[[Path], Iterator[Located]]:
    def read(path: Path) -> Iterator[Located]:
        # Seconds to load, only for those who have such files.
        import pyarrow  # type: ignore[import-untyped]  # noqa: PLC0415
        from datasets import load_dataset  # type: ignore[import-untyped]  # noqa: PLC0415
        from datasets.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
            DatasetGenerationError,
        )

        try:
            found = load_dataset(builder, data_files=str(path), split="train", streaming=True)
            names = _class_labels(found.features or {})
            for number, values in enumerate(found, start=1):
                yield f"{path}: row {number}", _decoded(values, names)
        except (pyarrow.ArrowException, DatasetGenerationError, ValueError) as error:
            raise UserError(f"{path} is damaged or no {builder} file: {error}", _FIELD) from error

    return read


def _class_labels(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names behind the numbers of columns of class labels, or of lists of them."""
    inner = {name: getattr(feature, "feature", feature) for name, feature in features.items()}
    return {
        name: labels for name, kind in inner.items() if (labels := getattr(kind, "names", None))
    }


def _decoded(values: Values, names: Mapping[str, list[str]]) -> Values:
    def name(labels: list[str], value: Any) -> Any:
        if isinstance(value, list):
            return [name(labels, item) for item in value]
        return labels[value] if isinstance(value, int) and 0 <= value < len(labels) else value

    return {**values, **{key: name(labels, values[key]) for key, labels in names.items()}}


def _parsed(path: Path, text: str, line: int = 0) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        where = f"{path}:{line or getattr(error, 'lineno', 1)}"
        raise UserError(f"{where} is no JSON: {error}", _FIELD) from error


def _object(where: str, value: Any) -> Located:
    if not isinstance(value, dict):
        raise UserError(f"{where} is no JSON object; write one object for each row", _FIELD)
    return where, value


_READERS: Final[dict[DataFormat, Callable[[Path], Iterator[Located]]]] = {
    DataFormat.JSON_LINES: _json_lines,
    DataFormat.JSON: _json,
    DataFormat.CSV: _separated(","),
    DataFormat.TSV: _separated("\t"),
    DataFormat.PARQUET: _columnar("parquet"),
    DataFormat.ARROW: _columnar("arrow"),
}

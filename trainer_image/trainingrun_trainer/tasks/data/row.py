"""One row of the data, read by the parts that a task gives its columns; every refusal says where
the row stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from trainingrun_trainer.config import Columns
from trainingrun_trainer.errors import UserError


@dataclass(frozen=True)
class Row:
    """`values` by the data's own names of columns; `where` is the file and the row in it."""

    where: str
    values: Mapping[str, Any]
    columns: Columns

    def has(self, part: str) -> bool:
        """Whether the row has a value for a part."""
        return self.values.get(self.columns.named(part)) is not None

    def value(self, part: str) -> Any:
        """Whatever stands in a part's column.

        Raises:
            UserError: there is no such column, or nothing in it.
        """
        name = self.columns.named(part)
        if name not in self.values:
            there = ", ".join(map(str, self.values)) or "none"
            raise self.refusal(part, f"has no column {name!r}, only {there}; name the right one")
        if self.values[name] is None:
            raise self.refusal(part, f"has nothing in the column {name!r}; fill it or drop the row")
        return self.values[name]

    def text(self, part: str) -> str:
        """A text that is not blank.

        Raises:
            UserError: it is none.
        """
        value = self.value(part)
        if not isinstance(value, str):
            raise self.refusal(part, f"has {_kind(value)} for {part}; a text belongs there")
        if not value.strip():
            raise self.refusal(part, f"has a blank {part}; fill it or drop the row")
        return value

    def texts(self, part: str) -> list[str]:
        """A list of texts, one at least.

        Raises:
            UserError: it is none.
        """
        value = self.value(part)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refusal(
                part,
                f"has {_kind(value)} for {part}; a list of texts belongs there, which jsonl, "
                "parquet and arrow can hold",
            )
        if not value:
            raise self.refusal(part, f"has an empty list of {part}; fill it or drop the row")
        return value

    def number(self, part: str) -> float:
        """A finite number, also one that is written as text.

        Raises:
            UserError: it is none.
        """
        value = self.value(part)
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self.refusal(part, f"has {value!r} for {part}; a finite number belongs there")
        return number

    def refusal(self, part: str, problem: str) -> UserError:
        """The error that this row is wrong in one part."""
        return UserError(f"{self.where} {problem}", f"spec.data.columns.{to_camel(part)}")


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "a text" if isinstance(value, str) else kinds.get(type(value), "an object")

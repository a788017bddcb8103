"""Where files and models come from, in the forms a user writes."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

BUILTIN_PYTHON_STDLIB: Final = "builtin://python-stdlib"
"""A data source: the source text of the standard library of the Python that runs the trainer."""

LocalPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^/"),
    Field(examples=["/runs/data"]),
]
DataSource = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^(/|builtin://python-stdlib$)"),
    Field(examples=["/runs/data", BUILTIN_PYTHON_STDLIB]),
]
ModelName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=1024,
        pattern=r"^(/.+|[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)?)$",
    ),
    Field(examples=["organisation/model", "/runs/models/small"]),
]

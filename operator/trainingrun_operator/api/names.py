"""Names and paths that a user writes, with the forms Kubernetes gives them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

NAME_MAX_LENGTH = 50
"""A service is named `<job>-worker-<i>` by the training operator and has 63 characters at most."""

ObjectName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    ),
    Field(examples=["training-data"]),
]
ImageName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=512,
        pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$",
    ),
    Field(examples=["registry.example.org/team/trainer:1.0"]),
]
RUN_NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
"""RFC 1035, as the training operator demands of a PyTorchJob."""
RunName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX_LENGTH, pattern=RUN_NAME_PATTERN),
    Field(examples=["python-lm"]),
]
LabelKey = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=317,
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    ),
    Field(examples=["kubernetes.io/arch"]),
]
LabelValue = Annotated[
    str,
    StringConstraints(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"),
    Field(examples=["amd64"]),
]
AnnotationValue = Annotated[str, StringConstraints(max_length=4096), Field(examples=["any text"])]
RelativePath = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=256,
        pattern=r"^\.?[A-Za-z0-9_][A-Za-z0-9._-]*(/\.?[A-Za-z0-9_][A-Za-z0-9._-]*)*$",
    ),
    Field(examples=["team/runs"]),
]
"""A folder below another: no part of it is `..`, and it does not begin at the root."""
MountPath = Annotated[
    str,
    StringConstraints(min_length=2, max_length=256, pattern=r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$"),
    Field(examples=["/runs"]),
]

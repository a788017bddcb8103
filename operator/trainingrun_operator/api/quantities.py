"""Kubernetes quantities that a user writes: parsed exactly, kept as written.

Grammar and suffixes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

CPU_PATTERN: Final = r"^([0-9]+(\.[0-9]{1,3})?|[0-9]+m)$"
MEMORY_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"

_SCALE: Final = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_EVERY_SCALE: Final[dict[str, Decimal | int]] = {
    **_SCALE,
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "P": 10**15,
    "E": 10**18,
    "Pi": 2**50,
    "Ei": 2**60,
}


def _as_written(value: object) -> object:
    """YAML reads `cpu: 8` as a number; the API server gives it back the way it came."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _schema(pattern: str, max_length: int, examples: list[str]) -> WithJsonSchema:
    """Integer or string, as the quantities of the core API are."""
    text = {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": pattern}
    return WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, text], "examples": examples}
    )


CpuQuantity = Annotated[
    str,
    BeforeValidator(_as_written),
    StringConstraints(min_length=1, max_length=16, pattern=CPU_PATTERN),
    _schema(CPU_PATTERN, 16, ["8", "500m"]),
]
MemoryQuantity = Annotated[
    str,
    BeforeValidator(_as_written),
    StringConstraints(min_length=1, max_length=24, pattern=MEMORY_PATTERN),
    _schema(MEMORY_PATTERN, 24, ["16Gi", "512Mi"]),
]


def amount(quantity: str) -> Decimal | None:
    """The number in any quantity that the API server gives, in its base unit; None if it is none.

    Wider than what a run may write: with all suffixes and exponents.
    """
    found = re.fullmatch(r"([+-]?[0-9]*\.?[0-9]+|[0-9]+\.)([eE][+-]?[0-9]+|[A-Za-z]*)", quantity)
    if found is None:
        return None
    number, suffix = found.groups()
    if suffix in _EVERY_SCALE:
        return Decimal(number) * _EVERY_SCALE[suffix]
    return Decimal(number + suffix) if suffix[1:].lstrip("+-").isdigit() else None


def cpus(quantity: str) -> Decimal:
    """Number of CPUs: `500m` is 0.5."""
    return Decimal(quantity[:-1]) / 1000 if quantity.endswith("m") else Decimal(quantity)


def size_bytes(quantity: str) -> int:
    """Number of bytes: `1Gi` is 1073741824."""
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", quantity).groups()  # type: ignore[union-attr]
    return int(Decimal(number) * _SCALE[suffix])

"""Times and steps in the few characters that a column has."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration(length: timedelta) -> str:
    """The two largest units, the second only where the first is small: 45s, 11m, 2h5m, 3d."""
    seconds = max(0, round(length.total_seconds()))
    for position, (unit, size) in enumerate(_UNITS):
        if seconds < size:
            continue
        count, rest = divmod(seconds, size)
        if count < 10 and position + 1 < len(_UNITS):
            next_unit, next_size = _UNITS[position + 1]
            if smaller := rest // next_size:
                return f"{count}{unit}{smaller}{next_unit}"
        return f"{count}{unit}"
    return "0s"


def shortened(text: str, length: int) -> str:
    """The text, or as much of its start as fits with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1]}…"

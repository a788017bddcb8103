"""Storage that takes no more: full, over its quota, or read-only. Pure."""

from __future__ import annotations

import errno
import os
from typing import Final

_WORDS: Final = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "is over its quota",
    errno.EROFS: "is read-only",
}


def trouble(error: BaseException) -> str | None:
    """What is the matter with the storage in words, None if the error has another cause.

    Not every library raises an OSError: safetensors only quotes its number, `(os error 28)`.
    """
    for number, words in _WORDS.items():
        quoted = f"(os error {number})" in str(error)
        if quoted or (isinstance(error, OSError) and error.errno == number):
            return f"the storage {words} ({os.strerror(number)})"
    return None

"""The best answers of a question from the logits of the windows of its context; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Window:
    """What a model said of one window: logits (tokens,) of the answer's first and last token, and
    the characters (padded tokens, 2) of each token, -1 where it is not of the context."""

    start: npt.NDArray[Any]
    end: npt.NDArray[Any]
    offsets: npt.NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """A span of the context, or "" for none."""

    text: str
    score: float
    probability: float = 0.0


def best_answers(
    context: str,
    windows: Sequence[Window],
    *,
    at_most: int,
    max_tokens: int,
    no_answer: bool,
) -> list[Answer]:
    """Answers by their score, the sum of both logits, best first and one at least.

    With `no_answer` the empty answer takes part, with the least score that any window gives it: a
    context has no answer only if none of its windows has one.
    """
    found: dict[str, float] = {}
    for window in windows:
        for start, end, score in _spans(window, at_most, max_tokens):
            # Byte-level tokens hold the space before a word; it is no part of an answer.
            text = context[window.offsets[start, 0] : window.offsets[end, 1]].strip()
            if text:
                found[text] = max(score, found.get(text, score))
    if no_answer or not found:
        found[""] = min(float(window.start[0] + window.end[0]) for window in windows)
    best = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:at_most]
    weights = np.exp(np.array([score for _, score in best]) - best[0][1])
    shares = weights / weights.sum()
    return [
        Answer(text, score, float(share)) for (text, score), share in zip(best, shares, strict=True)
    ]


def _spans(window: Window, at_most: int, max_tokens: int) -> list[tuple[int, int, float]]:
    """Spans of context, from the likeliest first and last tokens."""
    own = np.flatnonzero(window.offsets[: len(window.start), 0] >= 0)
    starts = own[np.argsort(-window.start[own], kind="stable")][:at_most]
    ends = own[np.argsort(-window.end[own], kind="stable")][:at_most]
    return [
        (int(start), int(end), float(window.start[start] + window.end[end]))
        for start in starts
        for end in ends
        if start <= end < start + max_tokens
    ]

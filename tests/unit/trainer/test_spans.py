"""Which answer is given, from what a model says of the windows of a context."""

from __future__ import annotations

import numpy as np
import pytest

from trainingrun_trainer.tasks.spans import Answer, Window, best_answers

CONTEXT = "one two three"
OFFSETS = np.array([[-1, -1], [0, 3], [4, 7], [8, 13]])


def window(start: list[float], end: list[float]) -> Window:
    return Window(np.array(start), np.array(end), OFFSETS)


def answers(*windows: Window, no_answer: bool = False, max_tokens: int = 3) -> list[Answer]:
    return best_answers(CONTEXT, windows, at_most=3, max_tokens=max_tokens, no_answer=no_answer)


def test_the_answer_is_the_span_with_the_highest_sum() -> None:
    (best, *_) = answers(window([0, 0, 5, 0], [0, 0, 0, 5]))
    assert (best.text, best.score) == ("two three", 10.0)


def test_an_answer_ends_after_it_begins_and_is_not_too_long() -> None:
    backwards = window([0, 0, 0, 5], [0, 5, 0, 0])
    assert answers(backwards)[0].text == "one"
    assert answers(window([0, 9, 0, 0], [0, 0, 0, 9]), max_tokens=2)[0].text != CONTEXT


def test_the_best_of_all_windows_is_taken_and_no_answer_is_given_twice() -> None:
    found = answers(window([0, 1, 0, 0], [0, 1, 0, 0]), window([0, 3, 0, 0], [0, 3, 0, 0]))
    assert found[0].text == "one"
    assert len({answer.text for answer in found}) == len(found) == 3


def test_there_is_no_answer_only_if_no_window_has_one() -> None:
    nothing, something = (
        window([9, 0, 0, 0], [9, 0, 0, 0]),
        window([0, 0, 5, 0], [0, 0, 5, 0]),
    )
    assert answers(nothing, no_answer=True)[0].text == ""
    assert answers(nothing, something, no_answer=True)[0].text == "two"
    assert all(answer.text for answer in answers(nothing))


def test_the_space_before_a_word_is_no_part_of_an_answer() -> None:
    with_spaces = np.array([[-1, -1], [0, 3], [3, 7], [7, 8]])
    said = Window(np.array([0, 0, 5, 1]), np.array([0, 0, 5, 1]), with_spaces)
    texts = [answer.text for answer in answers(said)]
    assert texts[0] == "two"
    assert "" not in texts


def test_probabilities_of_the_best_add_up_to_one() -> None:
    found = answers(window([0, 1, 2, 3], [0, 1, 2, 3]), no_answer=True)
    assert sum(answer.probability for answer in found) == pytest.approx(1.0)
    assert found == sorted(found, key=lambda answer: -answer.probability)

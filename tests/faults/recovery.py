"""How long the operator took to be right again after each fault, for the table in the docs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "failure-modes.md"
BEGIN, END = "<!-- recovery times: begin -->", "<!-- recovery times: end -->"


@dataclass(frozen=True)
class Recovery:
    """One fault of the matrix, and the seconds from its end to the right state."""

    number: int
    fault: str
    test: str
    expected_seconds: float
    seconds: float


@dataclass(frozen=True)
class Recorder:
    """Takes the times of one test."""

    test: str
    recoveries: list[Recovery]

    @contextlib.contextmanager
    def within(self, expected_seconds: float, number: int, fault: str) -> Iterator[None]:
        """The block waits for the recovery.

        Raises:
            AssertionError: it took longer.
        """
        began = time.monotonic()
        yield
        self.took(time.monotonic() - began, expected_seconds, number, fault)

    def took(self, seconds: float, expected_seconds: float, number: int, fault: str) -> None:
        """Note a recovery.

        Raises:
            AssertionError: it took longer than expected.
        """
        self.recoveries.append(Recovery(number, fault, self.test, expected_seconds, seconds))
        assert seconds <= expected_seconds, f"{fault}: {seconds:.1f} s"


def table(recoveries: Sequence[Recovery]) -> str:
    """The recoveries in the order of the matrix, as Markdown."""
    rows = [
        f"| {r.number} | {r.fault} | {r.expected_seconds:.0f} s | {r.seconds:.1f} s | `{r.test}` |"
        for r in sorted(recoveries, key=lambda r: (r.number, r.fault))
    ]
    head = ["| # | Fault | Right again within | Took | Test |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def write(recoveries: Sequence[Recovery], page: Path = PAGE) -> None:
    """Put the table between its markers in the page."""
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{table(recoveries)}\n{END}{after}")

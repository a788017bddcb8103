"""The table at the head of the log: what was planned, what is, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trainingrun_trainer.report import Finding

HEADINGS = ("stack", "planned", "found")


def table(findings: Sequence[Finding]) -> Iterator[str]:
    """The lines of the table, one for each finding and one more for each problem."""
    rows = [HEADINGS, *((f.name, f.planned, f.found) for f in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    problems = ["", *(finding.problem for finding in findings)]
    for (name, planned, found), problem in zip(rows, problems, strict=True):
        yield f"{name:<{widths[0]}}  {planned:<{widths[1]}}  {found}".rstrip()
        if problem:
            yield f"{'':<{widths[0]}}  ! {problem}"

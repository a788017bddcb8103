"""The TrainingRuns in files, and what is wrong with them, as lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from kubectl_trainingrun import check
from kubectl_trainingrun.documents import Document, UnreadableError, documents
from kubectl_trainingrun.options import DEFAULT_TRAINER_IMAGE, DEFAULT_XEON_IMAGE
from trainingrun_operator.api.problems import Problem
from trainingrun_operator.plan import LaunchPlan, Settings


class Reader:
    """Reads runs and prints each problem on a line; `found` counts the problems."""

    def __init__(self, files: Sequence[str], trainer_image: str | None = None) -> None:
        self._files = files
        self._settings = Settings(
            image_cpu=trainer_image or DEFAULT_TRAINER_IMAGE,
            image_xeon=trainer_image or DEFAULT_XEON_IMAGE,
        )
        self.found = 0

    def plans(self, namespace: str | None = None) -> Iterator[tuple[Document, LaunchPlan]]:
        """The runs that are right, with what the operator would make of them."""
        for document in _training_runs(self._files):
            if isinstance(document, Problem):
                self._report([document])
                continue
            try:
                yield document, check.plan(document, self._settings, namespace)
            except check.InvalidError as error:
                self._report(error.problems, document)

    def _report(self, problems: Sequence[Problem], document: Document | None = None) -> None:
        """One line a problem on stdout; where it stands on stderr, so that lines stay plain."""
        if document is not None:
            print(f"in {document.file}, document {document.number}:", file=sys.stderr)
        for problem in problems:
            print(problem)
        self.found += len(problems)


def _training_runs(files: Sequence[str]) -> Iterator[Document | Problem]:
    for file in files:
        runs = 0
        try:
            for document in documents(file):
                if document.is_training_run:
                    runs += 1
                    yield document
        except UnreadableError as error:
            yield error.problem
        else:
            if not runs:
                yield Problem(file, "holds no TrainingRun; write kind: TrainingRun")

"""TrainingRuns as users write them, right and wrong, as YAML text."""

from __future__ import annotations

import re
import textwrap

_GROUPS = {
    "task": "{type: causal-lm}",
    "model": "{name: organisation/model}",
    "data": "{train: /data/text}",
    "training": "{maxSteps: 100, globalBatchSize: 24}",
    "storage": "{claimName: training-data}",
}


def document(groups: str = "", name: str = "squad") -> str:
    """A run with these groups of the spec in place of the usual ones, and this name, unquoted.

    A group that is written as `-name` is left out.
    """
    lines = textwrap.dedent(groups).strip().splitlines()
    absent = {line[1:] for line in lines if line.startswith("-")}
    given = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    usual = [f"{key}: {value}" for key, value in _GROUPS.items() if key not in given | absent]
    spec = [*usual, *(line for line in lines if not line.startswith("-"))]
    return (
        "apiVersion: trainingrun.io/v1alpha1\nkind: TrainingRun\n"
        f"metadata:\n  name: {name}\nspec:\n" + textwrap.indent("\n".join(spec), "  ") + "\n"
    )

"""Every sample, trained as it is written, reaches a measure that is out of an untrained model's
reach."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainingrun_trainer.report import Summary, TerminationMessage

SAMPLES = Path("manifests/samples")
RANKS = 2

pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True)
class Bar:
    """What the last evaluation must reach; the one before training must not."""

    metric: str
    at_least: float = float("-inf")
    at_most: float = float("inf")


BARS = {
    "python-lm": Bar("perplexity", at_most=40),
    "instructions": Bar("perplexity", at_most=80),
    # The most frequent token is one in sixteen.
    "masked-lm": Bar("accuracy", at_least=0.35),
    # A model that never has an answer is right for one question in four.
    "question-answering": Bar("exact_match", at_least=50),
    # The most frequent label is that of one function in four.
    "text-classification": Bar("accuracy", at_least=0.65),
    "token-classification": Bar("f1", at_least=0.8),
    "seq2seq": Bar("exact_match", at_least=0.8),
}
"""Perplexity begins at the size of the vocabulary, 2048 and 800."""


def test_every_sample_has_a_bar() -> None:
    assert {path.stem for path in SAMPLES.glob("*.yaml")} == BARS.keys()


@pytest.mark.parametrize("name", BARS)
def test_a_sample_as_written_reaches_its_bar(name: str, tmp_path: Path) -> None:
    bar, summary = BARS[name], trained(name, tmp_path)
    reached, before = (e[bar.metric] for e in (summary.evaluation, summary.first_evaluation))
    seconds = f"{summary.wall_seconds or 0:.0f} s"
    print(f"\n{name:24} {bar.metric} {before:.4g} -> {reached:.4g} in {seconds}")
    assert bar.at_least <= reached <= bar.at_most, summary
    assert not bar.at_least <= before <= bar.at_most, summary


def trained(name: str, folder: Path) -> Summary:
    """The summary of a sample that the plugin trained on this machine."""
    words = ("run", "-f", SAMPLES / f"{name}.yaml", "--folder", folder, f"--processes={RANKS}")
    ended = subprocess.run(
        (sys.executable, "-m", "kubectl_trainingrun", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    message = TerminationMessage.model_validate_json((folder / "termination.json").read_bytes())
    assert message.summary is not None, message
    return message.summary

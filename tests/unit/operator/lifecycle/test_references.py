"""Secrets and ConfigMaps that are missing, in the kubelet's words and by their field."""

from __future__ import annotations

import pytest

from trainingrun_operator.api.conditions import Reason
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.lifecycle.references import missing, references

RUN = TrainingRun.parse(
    {
        "apiVersion": "trainingrun.io/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": "squad"},
        "spec": {
            "task": {"type": "causal-lm"},
            "model": {"fromScratch": {}, "tokenizer": {"train": {}}},
            "data": {"train": "builtin://python-stdlib"},
            "training": {"globalBatchSize": 16, "maxSteps": 40},
            "workers": {
                "env": [
                    {"name": "A", "value": "a"},
                    {"name": "B", "secretKey": {"name": "hub", "key": "token"}},
                    {"name": "C", "secretKey": {"name": "hub", "key": "other"}},
                ],
                "envFrom": [{"configMap": "settings"}, {"secret": "keys"}],
            },
        },
    }
)


@pytest.mark.parametrize(
    ("told", "reason", "said"),
    [
        (
            'secret "hub" not found', Reason.SECRET_NOT_FOUND,
            "spec.workers.env[1].secretKey: secret hub does not exist in the run's namespace",
        ),
        (
            "couldn't find key other in Secret ml/hub", Reason.SECRET_NOT_FOUND,
            "spec.workers.env[2].secretKey: secret hub has no key other; add it",
        ),
        (
            'secret "keys" not found', Reason.SECRET_NOT_FOUND,
            "spec.workers.envFrom[1].secret: secret keys does not exist",
        ),
        (
            'configmap "settings" not found', Reason.CONFIG_MAP_NOT_FOUND,
            "spec.workers.envFrom[0].configMap: ConfigMap settings does not exist",
        ),
        (
            'secret "unknown" not found', Reason.SECRET_NOT_FOUND,
            "secret unknown does not exist in the run's namespace; make it",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_by_its_field(told: str, reason: Reason, said: str) -> None:
    found = missing(told, references(RUN.spec))

    assert found is not None
    assert found.reason is reason
    assert found.message.startswith(said)


def test_other_words_of_the_kubelet_tell_of_nothing_missing() -> None:
    assert missing("failed to create containerd task: no such command", ()) is None

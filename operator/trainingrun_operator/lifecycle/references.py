"""Secrets and ConfigMaps that a run names: found in the kubelet's words, told by their field.

The operator does not read them (docs/adr/0006): the kubelet looks, and what it misses is told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trainingrun_operator.api.conditions import Reason
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec

_NO_OBJECT: Final = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found', re.I)
_NO_KEY: Final = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) \S+/(?P<name>\S+)"
)
"""As the kubelet of Kubernetes 1.20 to 1.36 says it (pkg/kubelet/kubelet_pods.go)."""
_WORDS: Final = {"secret": "secret", "configmap": "ConfigMap"}
_REASONS: Final = {
    "secret": Reason.SECRET_NOT_FOUND,
    "configmap": Reason.CONFIG_MAP_NOT_FOUND,
}


@dataclass(frozen=True)
class Reference:
    """An object of the run's namespace that a field names; `kind` is secret or configmap."""

    kind: str
    name: str
    field: str
    key: str = ""


@dataclass(frozen=True)
class Missing:
    """What the kubelet looked for in vain."""

    reason: Reason
    message: str


def references(spec: TrainingRunSpec) -> tuple[Reference, ...]:
    """All that the workers' environment names."""
    keys = (
        Reference("secret", v.secret_key.name, f"spec.workers.env[{i}].secretKey", v.secret_key.key)
        for i, v in enumerate(spec.workers.env)
        if v.secret_key is not None
    )
    sources = (
        Reference("secret", source.secret, f"spec.workers.envFrom[{i}].secret")
        if source.secret is not None
        else Reference("configmap", source.config_map or "", f"spec.workers.envFrom[{i}].configMap")
        for i, source in enumerate(spec.workers.env_from)
    )
    return (*keys, *sources)


def missing(told: str, known: Iterable[Reference]) -> Missing | None:
    """What is missing in the kubelet's words; None if they tell of something else."""
    found = _NO_OBJECT.search(told) or _NO_KEY.search(told)
    if found is None:
        return None
    kind, name = found["kind"].lower(), found["name"]
    key = found.groupdict().get("key")
    field = next(
        (r.field for r in known if (r.kind, r.name) == (kind, name) and key in (None, r.key)), None
    )
    lacks = f"has no key {key}; add it" if key else "does not exist in the run's namespace; make it"
    where = f"{field}: " if field else ""
    message = f"{where}{_WORDS[kind]} {name} {lacks}, and the workers start by themselves"
    return Missing(_REASONS[kind], message)

"""The life of a run that every fault is put into: made, running with two workers, succeeded."""

from __future__ import annotations

import json
from typing import Any

from tests.api.cluster import Namespace
from tests.api.manifests import Object, training_run

SUMMARY = json.dumps({"summary": {"steps": 40, "firstLoss": 7.5, "lastLoss": 2.25}})


def begin(namespace: Namespace, **spec: Any) -> Object:
    """The user makes the run and the claim that it needs."""
    namespace.make_claim()
    return namespace.create(training_run(**spec))


def train(namespace: Namespace) -> None:
    """The job comes, and its workers start."""
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")
    namespace.until(lambda s: s["workers"]["summary"] == "2/2")


def succeed(namespace: Namespace) -> None:
    """The workers end well; the status says so."""
    namespace.end_worker(1, 0, "")
    namespace.end_worker(0, 0, SUMMARY)
    namespace.set_job_status("Created", "Succeeded")
    namespace.until_condition("Succeeded", "True", "Completed")
    namespace.until(lambda s: s.get("summary"))


def live(namespace: Namespace) -> None:
    """All of it."""
    begin(namespace)
    train(namespace)
    succeed(namespace)

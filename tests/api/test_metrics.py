"""What Prometheus is told by an operator that works."""

from __future__ import annotations

import dataclasses

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import operator
from tests.api.server import ApiServer, free_port
from trainingrun_operator.options import Options


def test_runs_requests_and_reconciles_are_told(
    api_server: ApiServer, options: Options, namespace: Namespace
) -> None:
    port = free_port()
    options = dataclasses.replace(options, health_address=f"127.0.0.1:{port}")
    with operator(api_server, options):
        namespace.make_claim()
        namespace.create(training_run())
        namespace.until_condition("JobCreated", "True", "JobCreated")
        answer = httpx2.get(f"http://127.0.0.1:{port}/metrics").raise_for_status()

    families = text_string_to_metric_families(answer.text)
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }
    assert told["trainingrun_runs", "Starting"] == 1
    assert told["trainingrun_operator_api_requests_total", "201", "POST"] >= 3
    assert told["trainingrun_operator_reconcile_seconds_count", "done"] >= 1
    assert told["trainingrun_restarts_total", namespace.name, "squad"] == 0
    assert told["trainingrun_operator_watches_sound",] == 1

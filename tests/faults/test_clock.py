"""The operator's clock is wrong, or is set while it runs: no false time-out, no burst of tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import Object, training_run
from tests.api.running import operator
from tests.api.server import ApiServer
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, succeed, train
from tests.faults.proxy import Proxy
from tests.faults.recovery import Recorder
from trainingrun_operator.clock import SteadyClock
from trainingrun_operator.options import Options

# Both would be over at once if the ten minutes were believed.
LIMITS = {"activeDeadlineSeconds": 300, "stallTimeoutSeconds": 300}


class MachineClock:
    """A machine's clock, and what it is set off by."""

    def __init__(self) -> None:
        self.off = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_set_while_a_run_trains_changes_nothing(
    minutes: int, server: ApiServer, options: Options, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    machine = MachineClock()
    with operator(server, options, clock=SteadyClock(machine)):
        begin(namespace, policy=LIMITS)
        train(namespace)
        machine.off = timedelta(minutes=minutes)
        with recorder.within(60, 12, f"clock set by {minutes:+} minutes"):
            succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_set_makes_no_burst_of_tries(
    minutes: int, proxy: Proxy, server: ApiServer, options: Options, namespace: Namespace,
    witness: Witness,
) -> None:  # fmt: skip
    machine = MachineClock()
    with operator(server, options, clock=SteadyClock(machine)):
        namespace.create(training_run())
        namespace.until_condition("Accepted", "False", "ClaimNotFound")
        before = len(proxy.calls)
        machine.off = timedelta(minutes=minutes)
        namespace.make_claim()
        namespace.until_condition("JobCreated", "True", "JobCreated")
        tries = [c for c in proxy.calls[before:] if c.resource == "persistentvolumeclaims"]
    witness.check()
    assert len(tries) <= 3, tries

"""Watches that expire, break or fall silent: what they would have shown is seen all the same."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import Object
from tests.api.running import operator
from tests.api.server import ApiServer
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, succeed, train
from tests.faults.proxy import Interruption, Proxy
from tests.faults.recovery import Recorder
from trainingrun_operator.options import Options, Patience


@pytest.mark.parametrize("how", [Interruption.EXPIRED, Interruption.RESET])
def test_what_happens_while_watches_are_renewed_is_not_missed(
    how: Interruption, proxy: Proxy, server: ApiServer, options: Options, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    with operator(server, options):
        begin(namespace)
        train(namespace)
        before = len(proxy.calls)
        proxy.interrupt_watches(how)
        what = "410 Gone on all watches" if how is Interruption.EXPIRED else "all watches reset"
        with recorder.within(60, 7, what):
            succeed(namespace)
        renewed = [call for call in proxy.calls[before:] if call.verb == "watch"]
    witness.check()
    assert end_state(namespace) == unbroken
    assert len(renewed) >= 3


@pytest.mark.timeout(180)
def test_watches_that_fall_silent_are_given_up_and_the_backlog_is_worked_off(
    inactivity_seconds: int, proxy: Proxy, server: ApiServer, options: Options,
    namespace: Namespace, witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    patience = Patience(watch_inactivity=timedelta(seconds=inactivity_seconds))
    patient = dataclasses.replace(namespace, patience_seconds=inactivity_seconds + 20)
    with operator(server, options, patience=patience):
        begin(namespace)
        train(namespace)
        proxy.interrupt_watches(Interruption.SILENT)
        what = f"silent watches (given up after {inactivity_seconds} s, outside 70 s)"
        with recorder.within(inactivity_seconds + 5, 10, what):
            succeed(patient)
    witness.check()
    assert end_state(namespace) == unbroken

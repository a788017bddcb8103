"""Watches that expire, break or fall silent: what they would have shown is seen all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.cluster import Namespace, Object
from tests.api.running import operator
from tests.api.server import ApiServer
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, succeed, train
from tests.faults.proxy import Interruption, Proxy
from tests.faults.recovery import Recorder
from trainingrun_operator.options import Options, Patience

SHORT = Patience(watch_inactivity=timedelta(seconds=5))


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


def test_watches_that_fall_silent_are_given_up_and_the_backlog_is_worked_off(
    proxy: Proxy, server: ApiServer, options: Options, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    with operator(server, options, patience=SHORT):
        begin(namespace)
        train(namespace)
        proxy.interrupt_watches(Interruption.SILENT)
        with recorder.within(10, 10, "silent watches (inactivity limit 5 s here, 70 s outside)"):
            succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken

"""Where a rank's process begins. All that the launcher itself loads of the worker is this."""

from __future__ import annotations

from trainingrun_trainer.handover import Orders, Outcome


def run_rank(orders: Orders) -> Outcome:
    """As `worker.main.run_rank`, which the fork server has loaded.

    The launcher only names it: with Transformers loaded it would take 190 MiB more in each worker,
    and 2 s of processor time more at its start, measured with torch 2.15 and Transformers 5.23.
    """
    from trainingrun_trainer.worker import main  # noqa: PLC0415

    return main.run_rank(orders)

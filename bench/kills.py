"""Kill a random rank at a random moment, again and again, and time each return to a step.

`python -m bench.kills [--kills N] [--seed S]`: one run of two ranks on this machine, a checkpoint
every 10 steps. Each kill (SIGKILL) comes at a moment drawn evenly from half a second to three
seconds after the last recovery, hence also while a checkpoint is written, an evaluation runs, or
the ranks have only just met. The run must end by itself, with every restart in its record.
"""

import argparse
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from bench.recovery import GIVE_UP_SECONDS, ours, processes, read_steps
from trainingrun_trainer.report import TerminationMessage

EARLIEST_SECONDS: Final = 0.5
LATEST_SECONDS: Final = 3.0
RANKS: Final = 2


def pid_of(rank: int, launcher: int) -> int | None:
    """The process of one of the launcher's ranks, None if it does not live just now."""
    known = processes()
    servers = {pid for pid, (parent, _) in known.items() if parent == launcher}
    return next(
        (p for p, (parent, name) in known.items() if parent in servers and name == f"rank-{rank}"),
        None,
    )


def kill(rank: int, launcher: int) -> float:
    """Kills the rank as soon as it lives; when."""
    pause = threading.Event()
    while (pid := pid_of(rank, launcher)) is None:
        pause.wait(0.01)
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def recoveries(
    launcher: int, steps: "queue.Queue[tuple[float, int]]", kills: int, chance: random.Random
) -> list[float]:
    """Seconds from each kill to the next step; ends at the first that does not come back."""
    took: list[float] = []
    pause = threading.Event()
    try:
        steps.get(timeout=GIVE_UP_SECONDS)
        for _ in range(kills):
            pause.wait(chance.uniform(EARLIEST_SECONDS, LATEST_SECONDS))
            while not steps.empty():
                steps.get_nowait()
            killed = kill(chance.randrange(RANKS), launcher)
            at = killed
            # Lines that were on their way when the rank died do not count.
            while at - killed < 0.05:
                at, _ = steps.get(timeout=GIVE_UP_SECONDS)
            took.append(at - killed)
    except queue.Empty:
        pass
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="draws ranks and moments")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - moments and ranks, no secret
    with tempfile.TemporaryDirectory() as folder:
        contender = ours(Path(folder), steps=options.kills * 200)
        last_words = Path(folder) / "termination"
        process = subprocess.Popen(
            contender.argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "TRAININGRUN_TERMINATION_LOG": str(last_words),
            },
        )
        steps: queue.Queue[tuple[float, int]] = queue.Queue()
        reader = threading.Thread(target=read_steps, args=(process.stdout, steps), daemon=True)
        reader.start()
        took = recoveries(process.pid, steps, options.kills, chance)
        process.terminate()  # the ranks save, and the record of restarts is written
        process.wait()
        told = TerminationMessage.model_validate_json(last_words.read_bytes()).restart_count
    print(f"{len(took)} of {options.kills} recovered, {told} restarts in the run's record")
    print("kill to next step, s: " + " ".join(f"{seconds:.2f}" for seconds in took))
    print(f"median {statistics.median(took):.2f}, max {max(took):.2f}")
    return 0 if len(took) == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())

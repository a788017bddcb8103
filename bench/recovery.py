"""Kill a rank, and time how long until the next optimiser step: our launcher against torchrun.

`python -m bench.recovery [--kills N]`: two ranks on this machine, gloo, the same size of model,
a checkpoint every 10 steps. Each contender trains once and has one rank killed N times (SIGKILL).
"""

import argparse
import contextlib
import io
import os
import queue
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from trainingrun_trainer.config import RunConfig

STEP: Final = re.compile(r"\bstep +(\d+)/\d+")
STEPS_BETWEEN_KILLS: Final = 15
GIVE_UP_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Contender:
    """One way to run the training, and how to find the process of rank 1."""

    name: str
    argv: tuple[str, ...]
    rank_1: Callable[[int], int]
    env: Mapping[str, str]


def processes() -> dict[int, tuple[int, str]]:
    """Parent and name of every process, by pid."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue
        pid, _, name = head.partition(" (")
        found[int(pid)] = (int(tail.split()[1]), name)
    return found


def named_rank_1(_: int) -> int:
    """Our ranks carry their number as their name."""
    return next(pid for pid, (_, name) in processes().items() if name == "rank-1")


def second_child(launcher: int) -> int:
    """torchrun starts its ranks in order, as its own children."""
    return sorted(pid for pid, (parent, _) in processes().items() if parent == launcher)[-1]


def ours(folder: Path, steps: int) -> Contender:
    """The TrainingRun of the comparison, as the operator would hand it to the trainer."""
    config = RunConfig.model_validate(
        {
            "run": {"name": "recovery"},
            "folder": str(folder / "ours"),
            "task": {"type": "causal-lm", "blockSize": 64},
            "model": {
                "fromScratch": {"hiddenSize": 64, "layers": 2, "attentionHeads": 4},
                "tokenizer": {"train": {"vocabSize": 512, "sampleMegabytes": 1}},
            },
            "data": {"train": "builtin://python-stdlib", "files": "json/*.py"},
            "training": {
                "globalBatchSize": 16,
                "perDeviceBatchSize": 8,
                "maxSteps": steps,
                "loggingSteps": 1,
            },
            "checkpoints": {"everySteps": 10, "keep": 2},
            "processes": {"perWorker": 2, "maxRestarts": 1000},
        }
    )
    path = folder / "run.json"
    path.write_text(config.to_json())
    argv = (sys.executable, "-m", "trainingrun_trainer", "--config", str(path))
    return Contender("TrainingRun", argv, named_rank_1, {})


def torchrun(folder: Path, steps: int) -> Contender:
    """The field's way, as it comes."""
    return _torchrun("torchrun", folder / "raw", steps, {})


def torchrun_own_store(folder: Path, steps: int) -> Contender:
    """The field's way with its own switch against stale addresses in a store that is shared."""
    env = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    return _torchrun("torchrun, own store", folder / "own", steps, env)


def _torchrun(name: str, folder: Path, steps: int, env: Mapping[str, str]) -> Contender:
    script = str(Path(__file__).with_name("raw_trainer.py"))
    launch = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1000")
    endpoint = ("--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0")
    argv = (sys.executable, *launch, *endpoint, script, str(folder), str(steps))
    return Contender(name, argv, second_child, env)


def end_tree(root: int) -> None:
    """End a process and all its descendants: torchrun's ranks have sessions of their own."""
    known = processes()
    doomed = [root]
    for pid in doomed:
        doomed += [child for child, (parent, _) in known.items() if parent == pid]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def read_steps(stream: IO[str], into: "queue.Queue[tuple[float, int]]") -> None:
    for line in stream:
        if found := STEP.search(line):
            into.put((time.monotonic(), int(found[1])))


def measure(contender: Contender, kills: int) -> list[float]:
    """Seconds from each kill to the first step after it; infinite if none came in two minutes."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", **contender.env}
    process = subprocess.Popen(
        contender.argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env,
        start_new_session=True,
    )  # fmt: skip
    stdout = process.stdout or io.StringIO()
    steps: queue.Queue[tuple[float, int]] = queue.Queue()
    threading.Thread(target=read_steps, args=(stdout, steps), daemon=True).start()
    took: list[float] = []
    try:
        for _ in range(kills):
            for _ in range(STEPS_BETWEEN_KILLS):
                steps.get(timeout=GIVE_UP_SECONDS)
            os.kill(contender.rank_1(process.pid), signal.SIGKILL)
            killed = time.monotonic()
            at = killed
            # Lines that were on their way when the rank died do not count.
            while at - killed < 0.05:
                at, _ = steps.get(timeout=GIVE_UP_SECONDS)
            took.append(at - killed)
    except queue.Empty:
        took.append(float("inf"))
    finally:
        end_tree(process.pid)
        process.wait()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5)
    kills = parser.parse_args().kills
    steps = (kills + 2) * STEPS_BETWEEN_KILLS * 10
    print(f"{'kill to next step, s':<22}{'median':>8}{'min':>8}{'max':>8}   all")
    with tempfile.TemporaryDirectory() as folder:
        for make in (ours, torchrun_own_store, torchrun):
            contender = make(Path(folder), steps)
            took = measure(contender, kills)
            every = " ".join(f"{seconds:.2f}" for seconds in took)
            row = f"{statistics.median(took):8.2f}{min(took):8.2f}{max(took):8.2f}"
            print(f"{contender.name:<22}{row}   {every}", flush=True)


if __name__ == "__main__":
    main()

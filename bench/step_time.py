"""Times optimiser steps in the trainer's image, variant by variant, each in a process of its own.

Runs inside a container that has the image's libraries and nothing of this repository but this file:

    python step_time.py '{"repeats": 5, "variants": {"one thread": {"OMP_NUM_THREADS": "1"}}}'

Variants take turns, so that what else the machine does meanwhile meets them alike. Prints one line
of JSON: for each variant the median seconds of a step in each of its processes. A variant may name
a library of the image's manifest as `PRELOAD`, several with colons between them; with `TORCHRUN`
set torchrun starts the process.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

STEPS = 12
WARM_UP = 3
BATCH, TOKENS, VOCABULARY, WIDTH = 8, 128, 2048, 256


def measure() -> None:
    """Prints the median seconds of a step, and the threads that torch used."""
    import torch  # noqa: PLC0415 - the process that starts the others needs none of it
    from torch import nn  # noqa: PLC0415

    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True)
    model = nn.Sequential(
        nn.Embedding(VOCABULARY, WIDTH),
        nn.TransformerEncoder(layer, 4),
        nn.Linear(WIDTH, VOCABULARY),
    )
    optimizer = torch.optim.AdamW(model.parameters())
    taken = []
    for _ in range(WARM_UP + STEPS):
        tokens = torch.randint(VOCABULARY, (BATCH, TOKENS))
        begin = time.perf_counter()
        nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
        taken.append(time.perf_counter() - begin)
    print(json.dumps([statistics.median(taken[WARM_UP:]), torch.get_num_threads()]))


def main(order: dict[str, object]) -> None:
    """Lets the variants take turns."""
    repeats, variants = order["repeats"], order["variants"]
    if not (isinstance(repeats, int) and isinstance(variants, dict)):
        raise TypeError("repeats is a number, variants are environments by name")
    found: dict[str, list[float]] = {name: [] for name in variants}
    threads: dict[str, int] = {}
    for _ in range(repeats):
        for name, env in variants.items():
            seconds, threads[name] = _in_a_process(dict(env))
            found[name].append(seconds)
            print(f"{name}: {1000 * seconds:.0f} ms a step", file=sys.stderr, flush=True)
    print(json.dumps({"seconds": found, "threads": threads}))


def _in_a_process(env: dict[str, str]) -> tuple[float, int]:
    if wanted := env.pop("PRELOAD", ""):
        libraries = json.loads(Path("/opt/trainingrun/image.json").read_text())["libraries"]
        env["LD_PRELOAD"] = ":".join(libraries[name] for name in wanted.split(":"))
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1")
    start = torchrun if env.pop("TORCHRUN", "") else ()
    ended = subprocess.run(
        [sys.executable, *start, __file__, "--measure"],
        env={**os.environ, **env},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds, threads = json.loads(ended.stdout.splitlines()[-1])
    return seconds, threads


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        measure()
    else:
        main(json.loads(sys.argv[1]))

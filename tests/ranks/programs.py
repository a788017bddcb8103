"""A user's own training program for the tests, with no word of ours in it."""

from __future__ import annotations

PROGRAM = """
import os
import signal
import sys
import time

import torch
import torch.distributed as dist

steps, fail_at = int(sys.argv[1]), int(sys.argv[2])
dist.init_process_group("gloo")
rank = dist.get_rank()
folder = os.environ["TRAININGRUN_CHECKPOINT_DIR"]
leaving = []
signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))

torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
done = [int(name.rpartition("-")[2]) for name in os.listdir(folder)]
start = max(done, default=0)
if start:
    model.module.load_state_dict(torch.load(os.path.join(folder, f"checkpoint-{start}", "m")))
print(f"program starts at {start} of {dist.get_world_size()} with {sys.argv[1:]}", flush=True)
for step in range(start + 1, steps + 1):
    loss = model(torch.ones(4, 8)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == fail_at:
        raise ValueError(f"the sample of step {step} is empty")
    stop = torch.tensor([float(bool(leaving))])
    dist.all_reduce(stop, op=dist.ReduceOp.MAX)
    if rank == 0 and (step % 20 == 0 or stop.item()):
        place = os.path.join(folder, f"checkpoint-{step}")
        os.makedirs(place, exist_ok=True)
        torch.save(model.module.state_dict(), os.path.join(place, "m"))
        print(f"program at {step}", flush=True)
    dist.barrier()
    if stop.item():
        sys.exit(0)
    time.sleep(0.01)
print(f"program of rank {rank} ends", flush=True)
"""

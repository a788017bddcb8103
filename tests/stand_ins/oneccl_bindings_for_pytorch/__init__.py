"""A STAND-IN for oneCCL's binding, which is on no package index: tests put it on PYTHONPATH.

It registers the backend `ccl` under the module name of the real one; gloo carries the data. Like
the real one it needs its environment when it is imported, and refuses to be imported without.
"""

import os
from datetime import timedelta

import torch.distributed as dist
from torch.distributed.distributed_c10d import ProcessGroupGloo

NEEDED = {
    *("RANK", "WORLD_SIZE", "CCL_LOCAL_RANK", "CCL_LOCAL_SIZE", "CCL_PROCESS_LAUNCHER"),
    *("CCL_ATL_TRANSPORT", "CCL_WORKER_COUNT", "FI_PROVIDER"),
}

if missing := sorted(NEEDED - set(os.environ)):
    raise ImportError(f"stand-in for oneCCL: {', '.join(missing)} must be set before the import")


def _group(store: dist.Store, rank: int, size: int, timeout: timedelta) -> ProcessGroupGloo:
    if rank == 0:
        print("stand-in for oneCCL: gloo carries the collectives of ccl", flush=True)
    return ProcessGroupGloo(store, rank, size, timeout=timeout)


dist.Backend.register_backend("ccl", _group, devices=["cpu"])

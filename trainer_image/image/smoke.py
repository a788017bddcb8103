"""Two ranks of this environment train one step over gloo, through the trainer's own libraries.

Fails if anything that CPU training needs is missing. Prints nothing but what `slim.py` asks for:
with `--mapped`, the files that training had mapped into memory.
"""

from __future__ import annotations

import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

import accelerate  # noqa: F401
import tokenizers  # noqa: F401
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import transformers.trainer  # noqa: F401
from transformers import LlamaConfig, LlamaForCausalLM


def mapped_files() -> set[str]:
    """The files that are mapped into this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if "/" in line}


def rank(number: int, store: str, mapped: Connection) -> None:
    """One rank; sends what it had mapped."""
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=number, world_size=2)
    shape = LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    model = torch.nn.parallel.DistributedDataParallel(LlamaForCausalLM(shape))
    optimizer = torch.optim.AdamW(model.parameters())
    tokens = torch.arange(16).reshape(1, 16)
    model(input_ids=tokens, labels=tokens).loss.backward()
    optimizer.step()
    dist.destroy_process_group()
    if number == 0:
        mapped.send(mapped_files())


def main(arguments: list[str]) -> None:
    receive, send = mp.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(rank, args=(f"{folder}/store", send), nprocs=2)
    files = receive.recv()
    if arguments == ["--mapped"]:
        print("\n".join(sorted(files)))


if __name__ == "__main__":
    main(sys.argv[1:])

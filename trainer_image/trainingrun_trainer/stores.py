"""Torch's key-value stores. `torch.distributed` offers them too, but not to a type checker."""

from torch._C._distributed_c10d import PrefixStore, Store, TCPStore

__all__ = ["PrefixStore", "Store", "TCPStore"]

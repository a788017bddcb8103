"""Checkpoints that can be trusted: manifests, verification, the choice of what to resume from."""

"""Tests on the local kind cluster: real API server, real training operator, real training."""

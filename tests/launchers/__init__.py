"""Ranks that torchrun, mpirun and accelerate launch start: `make test-launchers`."""

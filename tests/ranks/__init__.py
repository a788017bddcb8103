"""Whole runs: the real launcher, its fork server and its ranks, on this machine, no cluster."""

"""Keeps one worker's ranks running: rendezvous with the other workers, restarts, the end.

Imported by the entrypoint only. It reaches the ranks through `handover`, never through `worker`.
"""

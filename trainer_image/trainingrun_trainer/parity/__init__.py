"""Whether this image trains the same with Intel's parts as without: one small model, many ways.

Nothing imports this but its own `__main__`: `python -m trainingrun_trainer.parity`.
"""

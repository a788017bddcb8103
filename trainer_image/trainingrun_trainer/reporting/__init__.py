"""Carries progress from rank 0 to the operator, and never stands in training's way."""

"""Runs as curves: what is drawn (course), and how, in a terminal or a file."""

"""Programs that measure what docs/benchmarks.md reports; each prints a table."""

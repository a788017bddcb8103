"""What Prometheus reads of the operator and of the runs. Imported by `operator` alone."""

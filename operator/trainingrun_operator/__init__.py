"""The controller: turns TrainingRuns into PyTorchJobs and follows them to the end."""

__version__ = "0.1.0"

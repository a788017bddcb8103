"""The kubectl plugin: checks, shows and follows TrainingRuns. Imports the operator's pure parts."""

"""The TrainingRun resource as typed models.

Imported by every layer; imports only the trainer's contract.
"""

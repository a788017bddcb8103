"""The error that says: the run as written cannot work, whoever starts it again."""

from __future__ import annotations


class UserError(Exception):
    """Something the user wrote is wrong; final at once.

    `field` is the path of the TrainingRun's field to change, if one is to blame; the message says
    what is wrong and what to write instead.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

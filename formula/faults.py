"""What can go wrong while a formula runs. Each becomes the error of the Evaluation."""

from __future__ import annotations


class Fault(Exception):
    """The evaluation stops. `at` is the offset in the text, None if only the statement is known."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class InsufficientData(Fault):
    """Too few samples. The message lacks its `Line, Col` and the name of the metric."""


class Stopped(Exception):
    """The formula called stop(): what was assigned so far counts."""


class Refused(Exception):
    """The statement has an error that the checker reported."""

"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..diagnostics import Edit
from .facts import Facts


class Report(Protocol):
    def __call__(
        self, code: str, start: int, end: int, message: str, hint: str | None = None, edits: tuple[Edit, ...] = ()
    ) -> None: ...


Rule = Callable[[Facts, Report], None]

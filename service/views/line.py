"""One line of a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "good", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Line:
    """`time` in seconds since the epoch; `detail` is shown indented below; `subject` is what it is about."""

    time: float
    subject: str
    text: str
    tone: Tone = ""
    detail: tuple[str, ...] = ()


class Remark(str):
    """In the detail of a line, among what a task printed: said by us."""

    __slots__ = ()

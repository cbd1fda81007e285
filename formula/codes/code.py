"""What one kind of finding is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `code` is stable for ever; severity, words and examples may become better.

    `explanation`: what goes wrong and why, in a few sentences. `wrong`: a formula that has this finding; `right`: the
    same one mended, without it. Tests check both.
    """

    code: str
    severity: Severity
    title: str
    explanation: str = ""
    wrong: str = ""
    right: str = ""


def by_code(codes: Iterable[Code]) -> Mapping[str, Code]:
    return {code.code: code for code in codes}

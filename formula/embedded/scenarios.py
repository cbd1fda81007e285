"""Scenarios of `ebbtide simulate`: documents with a `workload`, whose `formulas` are texts, or files with formulas."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_Path = Sequence[str | int]

#: A name of a file is at most so long.
_LONGEST_NAME = 255
_CALLED = [re.compile(rf"^[\s{{]*[\"']?{name}[\"']?\s*:", re.M) for name in ("workload", "formulas")]


def is_formula_text(text: str) -> bool:
    """A formula, not the name of its file: it sets something, or is too long for a name."""
    return "=" in text or "\n" in text or len(text) > _LONGEST_NAME


def is_scenario(names: Collection[str | int]) -> bool:
    """By the names of its properties."""
    return "workload" in names and "formulas" in names


def is_compared(path: _Path) -> bool:
    """Whether a formula, or a file with one, stands at that place of a scenario."""
    match path:
        case ["formulas", int()] | ["formulas", int(), "formula"]:
            return True
    return False


def may_be_scenario(content: str) -> bool:
    """Whether it is worth while to read a document that nobody named."""
    return all(called.search(content) for called in _CALLED)

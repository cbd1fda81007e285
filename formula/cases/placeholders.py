"""Numbers for the placeholders of a template: `${var.most}` of Terraform, `parameters('most')` of an ARM template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..embedded import FormulaText

_GIVEN = re.compile(r"(.*\S)\s*[\s=]\s*(-?(?:\d+(?:\.\d*)?|\.\d+))", re.ASCII)
_STAND_IN = re.compile(r"1\.0+", re.ASCII)


def read_given(text: str) -> tuple[str, str]:
    """`PLACEHOLDER NUMBER` or `PLACEHOLDER = NUMBER`. Raises ValueError with the cure."""
    match = _GIVEN.fullmatch(text)
    name = match[1].removesuffix("=").strip() if match else ""
    if match is None or not name:
        raise ValueError("write the placeholder and its number, like var.most = 20")
    return _plain(name), match[2]


def fill_placeholders(formula: FormulaText, given: Mapping[str, str]) -> tuple[FormulaText, list[str]]:
    """The formula with numbers for its placeholders, and the names of those that have none."""
    if not formula.unknown:
        return formula, []
    text = list(formula.text)
    places = [[formula.place(offset)] for offset in range(len(text) + 1)]
    missing: list[str] = []
    for offset in formula.unknown:
        match = _STAND_IN.match(formula.text, offset)
        hole = formula.holes[match[0]] if match else None
        if match is None or hole is None:
            continue
        name = _plain(hole.source)
        number = given.get(name)
        if number is None:
            missing.append(name)
            continue
        text[offset : match.end()] = [number] + [""] * (len(match[0]) - 1)
        places[offset : match.end()] = [[hole.start] * len(number)] + [[]] * (len(match[0]) - 1)
    flat = tuple(place for part in places for place in part)
    whole = replace(formula, text="".join(text), places=flat, unknown=frozenset(), holes={}, notation=None)
    return whole, sorted(set(missing))


def _plain(source: str) -> str:
    """The name without `${` and `}`, in which people need not repeat blanks."""
    if source.startswith("${") and source.endswith("}"):
        source = source[2:-1]
    return " ".join(source.split())

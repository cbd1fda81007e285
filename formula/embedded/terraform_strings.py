"""Texts with `${...}`, as Terraform writes them: in quotes, in heredocs and in JSON.

Source: the HCL native syntax specification, "Templates" and "Quoted literals".
"""

from __future__ import annotations

import re

from .escapes import character, escaped
from .formula_text import Hole
from .interpolation import Interpolation
from .templates import Part, Run

_SPECIAL = re.compile(r"\$\$\{|%%\{|[$%]\{|\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}

SYNTAX = Interpolation('"', re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"', re.S))


def template_parts(run: Run, end: int, *, quoted: bool = False) -> list[Part]:
    """The parts of a template. `quoted`: backslashes escape; `end`: the offset in the document behind the run."""
    text = run.text
    places = [*run.places, end]
    parts: list[Part] = []
    characters: list[str] = []
    at_places: list[int] = []
    at = 0
    while at < len(text):
        match = _SPECIAL.search(text, at)
        until = match.start() if match else len(text)
        characters += text[at:until]
        at_places += places[at:until]
        if match is None:
            break
        at = match.end()
        if match[0] in ("${", "%{"):
            at = SYNTAX.end(text, match.start())
            parts.append(Run("".join(characters), at_places))
            parts.append(Hole(places[until], places[at], text[until:at]))
            characters, at_places = [], []
            continue
        if match[0][0] != "\\":
            read = match[0][1:]
        elif quoted:
            read = _unescaped(match[0])
        else:
            read = "\\"
            at = until + 1
        characters += read
        at_places += [places[until], *places[at - len(read) + 1 : at]]
    return [*parts, Run("".join(characters), at_places)]


def template_text(text: str) -> str:
    """A text in which nothing is interpolated."""
    return text.replace("${", "$${").replace("%{", "%%{")


def quoted_text(text: str) -> str:
    """What stands between the quotes for a text in which nothing is interpolated."""
    return template_text(escaped(text, _ESCAPES))


def _unescaped(escape: str) -> str:
    if escape[1] in "uU" and len(escape) > 2:
        return character(escape[2:])
    return _ESCAPES.get(escape[1], escape)

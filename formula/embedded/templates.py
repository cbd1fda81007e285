"""Texts with placeholders: what stands in a document becomes a formula in which a number stands for each placeholder.

A placeholder counts as a number that nobody knows: `min(${var.most}, 5)` reads as `min(1.0, 5)`. Inside of a comment or
a string it may be anything; where no number can stand, the formula cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .formula_text import Hole


@dataclass(frozen=True, slots=True)
class Run:
    """Characters as they read, with the offset in the document of each."""

    text: str
    places: Sequence[int]


Part = Run | Hole


class CannotFill(Exception):
    """A placeholder that nothing can stand in for; `reason` follows its name in a sentence."""

    def __init__(self, hole: Hole, reason: str) -> None:
        super().__init__(f"{hole.source} {reason}")
        self.hole = hole
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Filled:
    """The fields of a FormulaText."""

    text: str
    places: tuple[int, ...]
    unknown: frozenset[int]
    holes: Mapping[str, Hole]


_MOST_HOLES = 100

_STAND_IN = re.compile(r"1\.0+")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.")
_BEFORE = frozenset("=(+-*/<>!&|?:,")
_AFTER = frozenset(")+-*/<>=!&|?:,;")


def fill(parts: Sequence[Part], end: int) -> Filled:
    """The formula of a template. `end`: the offset in the document where it ends. Raises CannotFill."""
    written = "".join(part.text for part in parts if isinstance(part, Run))
    longest = max((len(found) for found in _STAND_IN.findall(written)), default=2)
    texts: list[str] = []
    places: list[int] = []
    unknown: set[int] = set()
    holes: dict[str, Hole] = {}
    before = _Before()
    for number, part in enumerate(parts):
        if isinstance(part, Run):
            before.feed(part.text)
            texts.append(part.text)
            places += part.places
            continue
        if len(holes) == _MOST_HOLES:
            raise CannotFill(part, f"is one placeholder more than the {_MOST_HOLES} that are followed")
        # Every placeholder gets a spelling of 1 of its own, so that it is found again in the changed text.
        stand_in = "1." + "0" * (longest - 1 + len(holes))
        if before.inside == "":
            if part.is_directive or not (before.wants_operand and _ends_operand(parts[number + 1 : number + 3])):
                raise CannotFill(part, "is more than a number in it")
            unknown.add(len(places))
        holes[stand_in] = part
        before.feed(stand_in)
        texts.append(stand_in)
        places += [part.start] * len(stand_in)
    return Filled("".join(texts), (*places, end), frozenset(unknown), holes)


def split(text: str, holes: Mapping[str, Hole]) -> list[str | Hole]:
    """A changed text with its placeholders again; before, between and behind them stands text, if only an empty one."""
    parts: list[str | Hole] = []
    done = 0
    for match in _STAND_IN.finditer(text):
        if match[0] in holes:
            parts += (text[done : match.start()], holes[match[0]])
            done = match.end()
    return [*parts, text[done:]]


class _Before:
    """What stands before a place in a formula. `inside`: of a comment (`/`), of a string (`"`) or of neither."""

    def __init__(self) -> None:
        self.inside = ""
        self._last = ""
        self._last_code = ""

    @property
    def wants_operand(self) -> bool:
        return self._last not in _NAME and self._last_code in _BEFORE

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            begin = at
            if self.inside:
                found = _END_OF[self.inside].search(text, at)
                at = found.end() if found else len(text)
                self.inside = "" if found else self.inside
                self._last_code = '"' if found and found[0] == '"' else self._last_code
            else:
                found = _STRING_OR_COMMENT.search(text, at)
                code = text[at : found.start() if found else len(text)].rstrip()
                self._last_code = code[-1:] or self._last_code
                at = found.end() if found else len(text)
                self.inside = found[0][0] if found else ""
            self._last = text[at - 1] if at > begin else self._last


_STRING_OR_COMMENT = re.compile(r'"|//')
_END_OF = {'"': re.compile(r'["\n]'), "/": re.compile(r"[\r\n]")}
_COMMENT = re.compile(r"//[^\r\n]*")


def _ends_operand(following: Sequence[Part]) -> bool:
    """Whether what follows a number can follow it: an operator, a closing parenthesis, the end."""
    text = following[0].text if following and isinstance(following[0], Run) else ""
    if text[:1] and text[0] in _NAME:
        return False
    code = _COMMENT.sub("", text).strip()
    if code:
        return code[0] in _AFTER
    # Nothing but blanks up to the next placeholder would be two numbers in a row, unless that is in a comment.
    return len(following) <= 1 or "//" in text

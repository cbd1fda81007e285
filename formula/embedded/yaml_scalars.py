"""How YAML writes a text, and which character of it stands where.

Source: YAML 1.2, chapters 7 (flow scalars) and 8 (block scalars).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .formula_text import Hole
from .line_writing import in_lines

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_HEADER = re.compile(r"[|>](?P<indicators>[-+0-9]*)(?P<comment>[^\r\n]*)(?:\r\n?|\n|\Z)")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|(?P<fold>(?:\r\n?|\n)[ \t]*)|.)", re.S)
_BLANKS = " \t\r\n\x85\u2028\u2029\ufeff"
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


class NotAligned(ValueError):
    """The text is not what the document writes; only a defect can lead here."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """At document[start:end], without its anchor and tag and without the blank lines behind it. `style`: "" plain, or
    the character that it begins with. `indent`: of the lines of a block.
    """

    start: int
    end: int
    style: str
    indent: int
    places: tuple[int, ...]


def locate(document: str, start: int, end: int, value: str, style: str) -> Scalar:
    """The scalar between two marks of the parser. Raises NotAligned."""
    properties = _PROPERTIES.match(document, start, end)
    start = properties.end() if properties else start
    end = start + len(document[start:end].rstrip())
    if style in ("'", '"'):
        places = _places(document, start + 1, end - 1, value, style, 0)
        return Scalar(start, end, style, 0, places)
    header = _HEADER.match(document, start) if style else None
    if header is None:
        return Scalar(start, end, "", 0, _places(document, start, end, value, "", 0))
    indent = _block_indent(document[header.end() : end], value)
    at = _skip_indent(document, header.end(), indent)
    return Scalar(start, end, style, indent, _places(document, at, end, value, style, indent))


def _block_indent(lines: str, value: str) -> int:
    """By how much the first line that says something stands further to the right than in the text."""
    written = re.search(r"^( *)(?=[^\s])|^( *\t)", lines, re.M)
    read = re.search(r"^( *)(?=[^\s])|^( *\t)", value, re.M)
    if written is None or read is None:
        return 0
    return max(0, len(written[0].rstrip("\t")) - len(read[0].rstrip("\t")))


def _skip_indent(document: str, at: int, indent: int) -> int:
    until = at + indent
    while at < until and document[at : at + 1] == " ":
        at += 1
    return at


def _places(document: str, at: int, end: int, value: str, style: str, indent: int) -> tuple[int, ...]:
    """The offset of every character of the value, and of its end, by reading both side by side.

    Where lines are folded, one blank of the value stands for blanks and line ends of the document.
    """
    places: list[int] = []
    for wanted in value:
        while True:
            there = document[at] if at < end else ""
            escape = _ESCAPE.match(document, at) if there == "\\" and style == '"' else None
            if escape is not None:
                if escape["fold"] is None:
                    places.append(at)
                    at = escape.end()
                    break
                at = escape.end()
            elif there == wanted or (wanted == "\n" and there == "\r"):
                places.append(at)
                at += 2 if document.startswith("\r\n", at) or (style == wanted == "'") else 1
                if wanted == "\n":
                    at = _skip_indent(document, at, indent)
                break
            elif wanted in " \n" and (not there or there in _BLANKS):
                places.append(at)
                break
            elif there and there in _BLANKS:
                at += 1
            else:
                raise NotAligned(f"{wanted!r} is {there!r} in the document")
    return (*places, min(at, end))


@dataclass(frozen=True, slots=True)
class YamlNotation:
    """`header`: the first line of a block without its line end. `key_column`: of the name before the scalar."""

    start: int
    end: int
    style: str
    indent: int
    header: str
    key_column: int

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        text = "".join(part for part in parts if isinstance(part, str))
        if not self.style and "\n" not in text:
            yield text
        if self.style == "'" and "\n" not in text:
            yield "'" + text.replace("'", "''") + "'"
        if self.style != '"':
            yield from self._blocks(text, newline)
        yield _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))

    def _blocks(self, text: str, newline: str) -> Iterator[str]:
        """Blocks with the former header, then with one that says how the text ends."""
        lines = in_lines([text.rstrip("\n")], newline, " " * (self.indent or self.key_column + 2))
        header = _HEADER.match(self.header)
        if header is not None:
            yield f"|{header['indicators']}{header['comment']}{newline}{lines}"
        indicators = re.sub("[-+]", "", header["indicators"]) if header else ""
        comment = header["comment"] if header else ""
        chomping = "" if text.endswith("\n") else "-"
        yield f"|{indicators}{chomping}{comment}{newline}{lines}"
        yield f"|{indicators}{chomping}{comment}{newline}{lines}{newline}"

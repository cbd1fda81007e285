"""Formulas in Terraform: `auto_scale { formula = ... }` of `azurerm_batch_pool`, in a heredoc or in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..source import Source
from .brace_documents import KINDS, Entry, Token
from .brace_reading import Language, StringText, read_braces
from .formula_text import DocumentReading, FormulaFileError, Hole
from .line_writing import in_lines
from .templates import Run
from .terraform_strings import SYNTAX, quoted_text, template_parts, template_text

LOOKED_FOR = "`formula` in `auto_scale` of azurerm_batch_pool, or `autoscale_formula`"

_TOKEN = re.compile(
    r"(?P<blank>[ \t\ufeff]+|#[^\r\n]*|//[^\r\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<newline>\r\n?|\n)"
    r"|(?P<heredoc><<-?[ \t]*(?P<mark>[^\W\d][\w-]*)[ \t]*(?:\r\n?|\n))"
    r"|(?P<quote>\")"
    r"|(?P<word>[^\W\d][\w.-]*)"
    r"|(?P<other>[=!<>]=|=>|[^={}\[\]():,])"
    r"|(?P<is>[=:])|(?P<comma>,)|(?P<open>[\[{(])|(?P<close>[\]})])",
    re.S,
)
_LINES = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_REFERENCE = re.compile(r"(local|var)\.([\w-]+)")


@dataclass(frozen=True, slots=True)
class HeredocNotation:
    """From `<<` to the line of the mark. `indent`: what `<<-` takes away from each line."""

    start: int
    end: int
    mark: str
    is_indented: bool
    indent: str

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        texts = [template_text(part) if isinstance(part, str) else part for part in parts]
        if self.is_indented:
            yield f"<<-{self.mark}{newline}{in_lines(texts, newline, self.indent)}"
        yield f"<<{self.mark}{newline}{in_lines(texts, newline)}"


@dataclass(frozen=True, slots=True)
class QuotedNotation:
    start: int
    end: int

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        yield f'"{"".join(quoted_text(part) if isinstance(part, str) else part.source for part in parts)}"'


def read_terraform(file: str, document: Source) -> DocumentReading:
    """Raises FormulaFileError."""
    return read_braces(file, document, _LANGUAGE)


def _referenced(expression: str) -> Iterator[tuple[str, ...]]:
    reference = _REFERENCE.fullmatch(expression)
    if reference is not None:
        yield ("locals", reference[2]) if reference[1] == "local" else ("variable", reference[2], "default")


def _string(text: str, entry: Entry) -> StringText:
    if text[entry.start] == '"':
        end = entry.end - 1
        run = Run(text[entry.start + 1 : end], range(entry.start + 1, end))
        parts = template_parts(run, end, quoted=True)
        return StringText(parts, end, QuotedNotation(entry.start, entry.end), is_line=True)
    notation, run = _heredoc(text, entry)
    parts = [
        Hole(part.start, part.end, text[part.start : part.end]) if isinstance(part, Hole) else part
        for part in template_parts(run, notation.end)
    ]
    return StringText(parts, notation.end, notation, is_line=False)


def _heredoc(text: str, entry: Entry) -> tuple[HeredocNotation, Run]:
    match = _TOKEN.match(text, entry.start)
    assert match is not None
    end = max(text.rfind("\n", 0, entry.end), text.rfind("\r", 0, entry.end)) + 1
    is_indented = text[entry.start + 2] == "-"
    lines = [line.span() for line in _LINES.finditer(text, match.end(), end) if line[0]]
    indents = [re.match(r"[ \t]*", text[start:stop]) for start, stop in lines if text[start:stop].strip()]
    indent = min((found[0] for found in indents if found), key=len, default="") if is_indented else ""
    characters: list[str] = []
    places: list[int] = []
    for start, stop in lines:
        blank = len(text[start:stop]) - len(text[start:stop].lstrip(" \t"))
        start += min(len(indent), blank)
        line = text[start:stop].rstrip("\r\n")
        characters += line
        places += range(start, start + len(line))
        if start + len(line) < stop:
            characters.append("\n")
            places.append(start + len(line))
    run = Run("".join(characters), places)
    return HeredocNotation(entry.start, end, match["mark"], is_indented, indent), run


def _tokens(file: str, document: Source) -> Iterator[Token]:
    text = document.text
    lines = text.replace("\r", "\n")
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, "every character begins a token"
        start, at = match.span()
        kind = match.lastgroup or ""
        if kind == "quote":
            at = SYNTAX.string_end(text, start)
            if at < 0:
                raise _unclosed(file, document, start, "string")
            yield Token("string", start, at)
        elif match["heredoc"]:
            close = re.compile(rf"^[ \t]*{re.escape(match['mark'])}(?=[ \t]*$)", re.M).search(lines, match.end())
            if close is None:
                raise _unclosed(file, document, start, f"heredoc {match['mark']}")
            at = close.end()
            yield Token("string", start, at)
        elif kind in KINDS:
            yield Token(KINDS[kind], start, at)
    yield Token("end", len(text), len(text))


def _unclosed(file: str, document: Source, start: int, what: str) -> FormulaFileError:
    line, column = document.position(start)
    return FormulaFileError(f"{file}:{line}:{column}: is not Terraform: the {what} is not closed")


# `content` stands between a `dynamic "auto_scale"` and what it holds.
_LANGUAGE = Language(LOOKED_FOR, _tokens, _referenced, _string, passed_over=frozenset({"content"}))

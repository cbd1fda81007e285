"""Finding the formulas of a document, and writing changed ones back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..source import Source
from .formats import reader_of
from .formula_text import DocumentReading, FormulaFileError, FormulaText
from .templates import split

_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = re.compile(r"\r\n|\n|\r")


def read_document(file: str, content: str) -> DocumentReading:
    """The formulas of a document, and those that cannot be followed. Raises FormulaFileError if it cannot be read.

    A byte order mark counts neither as text nor as a column.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    return reader_of(file, content)(file, Source(content))


def read_formulas(file: str, content: str) -> list[FormulaText]:
    """Every formula in the document, at least one. Raises FormulaFileError."""
    reading = read_document(file, content)
    if reading.formulas:
        return list(reading.formulas)
    for unreadable in reading.unreadable:
        line, column = reading.document.position(unreadable.start)
        raise FormulaFileError(f"{file}:{line}:{column}: {unreadable.message}; {unreadable.hint}")
    raise FormulaFileError(f"no formula found in {file}: looked for {reading.looked_for}")


def rewrite(content: str, changed: Mapping[FormulaText, str]) -> str:
    """The document with the formulas' new texts, written as the document writes them; nothing else in it changes.

    `content` is that which the formulas were read from. Raises FormulaFileError for a text that the document cannot
    hold: what is written is read again before it is returned.
    """
    document = content.removeprefix(_BYTE_ORDER_MARK)
    mark = content[: len(content) - len(document)]
    new = {formula: text for formula, text in changed.items() if text != formula.text}
    if not new:
        return content
    for formula, text in new.items():
        if formula.notation is None:
            return mark + text
    # From the last one to the first, so that the places of those before stay what they were.
    order = sorted(new, key=_start, reverse=True)
    line_end = _LINE_END.search(document)
    newline = line_end[0] if line_end else "\n"
    at_once = document
    for formula in order:
        at_once = next(_candidates(at_once, formula, new[formula], newline), at_once)
    if _reads_as(at_once, document, new):
        return mark + at_once
    for formula in order:
        document = _first_that_reads(document, formula, new[formula], newline)
    return mark + document


def _start(formula: FormulaText) -> int:
    return formula.notation.start if formula.notation is not None else 0


def _candidates(document: str, formula: FormulaText, text: str, newline: str) -> Iterator[str]:
    """The document with a formula changed, in all the ways that its notation has."""
    notation = formula.notation
    assert notation is not None, "the document is not the formula"
    for written in notation.written(split(text, formula.holes), newline):
        yield document[: notation.start] + written + document[notation.end :]


def _first_that_reads(document: str, formula: FormulaText, text: str, newline: str) -> str:
    for candidate in _candidates(document, formula, text, newline):
        if _reads_as(candidate, document, {formula: text}):
            return candidate
    line, column = formula.position(0)
    place = f"{formula.file}:{line}:{column}"
    raise FormulaFileError(f"{place}: the document cannot hold the changed formula as it is written; edit it by hand")


def _reads_as(candidate: str, document: str, changed: Mapping[FormulaText, str]) -> bool:
    """Whether the candidate reads as the document with these formulas changed, and all others as they were."""
    file = next(iter(changed)).file
    wanted = {_start(formula): _source(formula.text, formula) for formula in read_document(file, document).formulas}
    wanted |= {_start(formula): _source(text, formula) for formula, text in changed.items()}
    try:
        found = [_source(formula.text, formula) for formula in read_document(file, candidate).formulas]
    except FormulaFileError:
        return False
    return found == [text for _, text in sorted(wanted.items())]


def _source(text: str, formula: FormulaText) -> str:
    """A formula with its placeholders as the document writes them."""
    return "".join(part if isinstance(part, str) else f"\0{part.source}\0" for part in split(text, formula.holes))

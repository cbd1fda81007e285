"""Collects what a document holds, in the order of the document and everything once."""

from __future__ import annotations

from collections.abc import Sequence

from ..parser import MAX_LENGTH
from ..source import Source
from .formula_text import DocumentReading, FormulaFileError, FormulaText, NamedFile, Notation, Unreadable
from .templates import CannotFill, Part, fill

#: More than any formula has, with every character escaped and many long placeholders.
_LONGEST = 16 * MAX_LENGTH

_CHECK_WHERE_IT_STANDS = "check the text that comes out, or the file that it comes from"


class Found:
    def __init__(self, file: str, document: Source, looked_for: str) -> None:
        self.file = file
        self.document = document
        self._looked_for = looked_for
        self._seen: set[int] = set()
        self._formulas: dict[int, FormulaText] = {}
        self._unreadable: dict[int, Unreadable] = {}
        self._files: list[NamedFile] = []

    def add(self, where: str, parts: Sequence[Part], end: int, notation: Notation) -> None:
        """A formula of these parts; `end`: the offset in the document where its text ends."""
        try:
            filled = fill(parts, end)
        except CannotFill as exc:
            message = f"the formula is not checked: {_short(exc.hole.source)} {exc.reason}"
            self._refuse(exc.hole.start, exc.hole.end, where, message, _CHECK_WHERE_IT_STANDS)
            return
        places = filled.places
        self._formulas.setdefault(
            notation.start,
            FormulaText(
                self.file, filled.text, self.document, where, places, filled.unknown, filled.holes, notation
            ),
        )

    def is_new(self, where: str, start: int, end: int) -> bool:
        """Whether what stands there was not looked at before, by way of another reference to it.

        Raises FormulaFileError for what is so long that it is no formula, before any work is put into it.
        """
        if start in self._seen:
            return False
        self._seen.add(start)
        if end - start > _LONGEST:
            line, column = self.document.position(start)
            told = f"{where} is longer than {_LONGEST} characters; a formula has at most {MAX_LENGTH}"
            raise FormulaFileError(f"{self.file}:{line}:{column}: {told}")
        return True

    def add_computed(self, where: str, start: int, end: int) -> None:
        """A formula of which nothing stands in the document."""
        source = _short(self.document.text[start:end])
        message = f"the formula is not checked: it is computed, by {source}"
        self._refuse(start, end, where, message, _CHECK_WHERE_IT_STANDS)

    def add_no_text(self, where: str, start: int, end: int) -> None:
        source = _short(self.document.text[start:end])
        self._refuse(start, end, where, f"the formula is not a text but {source}", "write it in quotes")

    def add_file(self, where: str, start: int, name: str) -> None:
        self._files.append(NamedFile(start, where, name))

    def _refuse(self, start: int, end: int, where: str, message: str, hint: str) -> None:
        self._unreadable.setdefault(start, Unreadable(start, end, where, message, hint))

    def reading(self) -> DocumentReading:
        return DocumentReading(
            self.document,
            tuple(formula for _, formula in sorted(self._formulas.items())),
            tuple(unreadable for _, unreadable in sorted(self._unreadable.items())),
            self._looked_for,
            tuple(self._files),
        )


def _short(source: str) -> str:
    line = " ".join(source.split())
    return f"`{line if len(line) <= 60 else line[:57] + '...'}`"

"""A formula in a document, and where each of its characters stands there."""

from __future__ import annotations

from dataclasses import dataclass

from ..source import Source


class FormulaFileError(ValueError):
    """A document that cannot be read. The message names the place and the cure."""


@dataclass(frozen=True)
class FormulaText:
    """`text`: the formula as the service would get it. `file`: the name of the document for messages.

    `where`: the path of the formula inside the document, such as `pools[0].autoScaleFormula`; empty if the document is
    a formula. `places`: for every character of the text, and for its end, the offset in the document; None if they are
    the same. `unknown`: the offsets of numbers in the text that stand for a template's placeholders.
    """

    file: str
    text: str
    document: Source
    where: str = ""
    places: tuple[int, ...] | None = None
    unknown: frozenset[int] = frozenset()

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) in the document of an offset into the text."""
        if self.places is not None:
            offset = self.places[max(0, min(offset, len(self.places) - 1))]
        return self.document.position(offset)

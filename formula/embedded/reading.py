"""Finding the formulas of a document, and writing changed ones back."""

from __future__ import annotations

from collections.abc import Mapping

from ..source import Source
from .formula_text import FormulaText


def read_formulas(file: str, content: str) -> list[FormulaText]:
    """Every formula in the document. Raises FormulaFileError if the document cannot be read."""
    return [FormulaText(file, content, Source(content))]


def rewrite(content: str, changed: Mapping[FormulaText, str]) -> str:
    """The document with the formulas' new texts, written as the document writes them."""
    for text in changed.values():
        content = text
    return content

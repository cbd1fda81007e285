"""Formulas where they live: in files of their own, and inside other documents."""

from .findings import lint_formula
from .fitting import fitted
from .formats import EXTENSIONS, may_hold_formulas
from .formula_text import DocumentReading, FormulaFileError, FormulaText, NamedFile, Unreadable, formulas_at
from .reading import read_document, read_formulas, rewrite
from .scenarios import is_formula_text

__all__ = [
    "EXTENSIONS",
    "DocumentReading",
    "FormulaFileError",
    "FormulaText",
    "NamedFile",
    "Unreadable",
    "fitted",
    "formulas_at",
    "is_formula_text",
    "lint_formula",
    "may_hold_formulas",
    "read_document",
    "read_formulas",
    "rewrite",
]

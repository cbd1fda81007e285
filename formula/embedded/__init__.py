"""Formulas where they live: in files of their own, and inside other documents."""

from .findings import lint_formula
from .fitting import fitted
from .formats import EXTENSIONS, may_hold_formulas
from .formula_text import DocumentReading, FormulaFileError, FormulaText, Unreadable, formulas_at
from .reading import read_document, read_formulas, rewrite

__all__ = [
    "EXTENSIONS",
    "DocumentReading",
    "FormulaFileError",
    "FormulaText",
    "Unreadable",
    "fitted",
    "formulas_at",
    "lint_formula",
    "may_hold_formulas",
    "read_document",
    "read_formulas",
    "rewrite",
]

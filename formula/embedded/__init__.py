"""Formulas where they live: in files of their own, and inside other documents."""

from .formula_text import FormulaFileError, FormulaText
from .reading import read_formulas, rewrite

__all__ = ["FormulaFileError", "FormulaText", "read_formulas", "rewrite"]

"""Syntax and size: what makes the service refuse a formula."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

SYNTAX: Mapping[str, Code] = by_code(
    (
        Code("F100", "error", "the formula is too long"),
        Code("F101", "error", "the formula has too many statements"),
        Code("F102", "error", "nested too deeply"),
        Code("F103", "error", "the number is too large"),
        Code("F104", "error", "unexpected text"),
        Code("F105", "error", "a `;` is missing between two statements"),
        Code("F106", "error", "invalid character"),
        Code("F107", "error", "`#` does not start a comment"),
        Code("F108", "error", "`/* */` is not a comment"),
        Code("F109", "error", "strings need double quotes"),
        Code("F110", "error", "a quote is escaped"),
        Code("F111", "error", "a template placeholder is left in the text"),
        Code("F112", "error", "the string is not closed"),
        Code("F113", "error", "a parenthesis is not closed"),
        Code("F114", "error", "no such operator"),
        Code("F115", "error", "there are no vector literals"),
        Code("F116", "error", "not a decimal number"),
        Code("F117", "error", "the formula ends in the middle of an expression"),
    )
)

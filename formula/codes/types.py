"""Types and arguments: what cannot be computed."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

TYPES: Mapping[str, Code] = by_code(
    (
        Code("F301", "error", "the operator does not take these types"),
        Code("F302", "error", "the condition is not a number"),
        Code("F303", "error", "an argument has the wrong type"),
        Code("F304", "error", "wrong number of arguments"),
        Code("F305", "error", "a target must be a number"),
        Code("F306", "error", "not a node deallocation option"),
        Code("F307", "error", "a node deallocation option in the wrong place"),
        Code("F308", "error", "methods belong to metrics"),
        Code("F309", "error", "not a date and time"),
        Code("F310", "warning", "a metric used as a number"),
        Code("F311", "error", "members belong to timestamps"),
    )
)

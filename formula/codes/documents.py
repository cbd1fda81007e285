"""Formulas in documents. These findings are not a formula's own: no formula has them."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

DOCUMENTS: Mapping[str, Code] = by_code(
    (
        Code(
            "F701",
            "warning",
            "the formula cannot be read in this document",
            "The document computes the formula, or a part of it that is more than a number: a function reads it from "
            "another file, or a placeholder stands for a whole statement. What the service will get is not known here, "
            "so nothing of it was checked. Write the formula into the document, with placeholders for numbers only, or "
            "check the file that it comes from.",
        ),
    )
)

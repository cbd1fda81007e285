"""Names: what a formula refers to."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

NAMES: Mapping[str, Code] = by_code(
    (
        Code("F201", "error", "undefined variable"),
        Code("F202", "error", "unknown function"),
        Code("F203", "error", "unknown method"),
        Code("F204", "error", "unknown member"),
        Code("F205", "error", "no such service variable"),
        Code("F206", "error", "assignment to something read-only"),
        Code("F207", "warning", "differs from a service variable only in upper and lower case"),
    )
)

"""Formulas that stand in lines of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .formula_text import Hole


def in_lines(parts: Sequence[str | Hole], newline: str, indent: str = "") -> str:
    """The parts with the document's line ends; every line that is not empty is indented."""
    whole = ""
    for number, part in enumerate(parts):
        if isinstance(part, Hole):
            whole += part.source
            continue
        last = number == len(parts) - 1
        text = re.sub(r"\n(?!\n)" if not last else r"\n(?!\n|\Z)", "\n" + indent, part)
        whole += text.replace("\n", newline)
    return indent + whole if whole[:1] not in ("", "\n", "\r") else whole

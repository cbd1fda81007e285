"""A formula with other numbers, and every other character as it was."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from .finding import constants


def with_values(text: str, values: Mapping[str, float]) -> str:
    """Raises KeyError for a name that is no constant of the formula."""
    found = constants(text)
    parts, last = [], len(text)
    for constant, value in sorted(
        ((found[name], value) for name, value in values.items()), key=lambda pair: pair[0].start, reverse=True
    ):
        parts += [text[constant.end : last], number_text(value)]
        last = constant.start
    parts.append(text[:last])
    return "".join(reversed(parts))


def number_text(value: float) -> str:
    """As a person would write it: `12`, `0.25`, `-3`; never with an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

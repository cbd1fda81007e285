"""The nearest known name, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` likely stands for: equal but for case and `$`, or a typing error away."""
    choices: dict[str, str] = {}
    for candidate in known:
        choices.setdefault(candidate.lstrip("$").lower(), candidate)
    # Hostile names may be thousands of characters long, and the comparison is quadratic.
    plain = name.lstrip("$").lower()
    if len(plain) > 80:
        return None
    if plain in choices:
        return choices[plain]
    found = get_close_matches(plain, choices, n=1, cutoff=0.75)
    return choices[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint, if some known name is near."""
    found = nearest(name, known)
    return f"did you mean {found}?" if found else None

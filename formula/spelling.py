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


def certain(name: str, known: Iterable[str]) -> str | None:
    """The one known name that `name` can stand for: equal but for case and `$`, or with one typing error."""
    plain = name.lstrip("$").lower()
    if len(plain) > 80:
        return None
    names = set(known)
    equal = [candidate for candidate in names if candidate.lstrip("$").lower() == plain]
    # In short names one letter is half the meaning, and x1 is not x2 mistyped.
    near = equal or [
        candidate for candidate in names if len(plain) > 3 and _one_error(plain, candidate.lstrip("$").lower())
    ]
    return near[0] if len(near) == 1 else None


def _one_error(one: str, other: str) -> bool:
    """Does one letter more, less or swapped with its neighbour make `other` of `one`? (Another one is another word.)"""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    rest, wanted = one[same:], other[same:]
    if any(character.isdigit() or character == "_" for character in rest[:1] + wanted[:1]):
        return False
    swapped = rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:]
    return swapped or rest == wanted[1:] or rest[1:] == wanted


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint, if some known name is near."""
    found = nearest(name, known)
    return f"did you mean {found}?" if found else None

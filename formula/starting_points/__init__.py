"""Formulas to begin with: each does one thing well, says what, and is meant to be changed."""

from __future__ import annotations

from importlib.resources import files

#: What there is, by name.
STARTING_POINTS = ("pending", "workday", "weekend", "spot-fallback", "scale-to-zero")


def starting_point(name: str) -> str:
    """The text of a formula to begin with. Raises KeyError for a name that is not in STARTING_POINTS."""
    if name not in STARTING_POINTS:
        raise KeyError(name)
    return files(__package__).joinpath(f"{name}.formula").read_text(encoding="utf-8")

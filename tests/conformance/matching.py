"""Comparing what is seen with what is expected.

A group matches if each of its properties does; a list, item by item; a text that begins with `~` is a pattern that is
found in what is seen; `{sorted: [...]}` is a text (or list) with these lines in any order; `{any: [...]}` one of
several. All else must be equal.
"""

from __future__ import annotations

import re
from typing import Any


def mismatch(expected: Any, seen: Any, path: str = "") -> str | None:
    """Where and how the two differ; None: they match."""
    where = path or "all"
    match expected:
        case {"sorted": list(lines), **rest} if not rest:
            found = seen.splitlines() if isinstance(seen, str) else seen
            right = isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, lines))
            return None if right else f"{where}: {seen!r} is not {lines!r} in any order"
        case {"any": list(choices), **rest} if not rest:
            right = any(mismatch(choice, seen, path) is None for choice in choices)
            return None if right else f"{where}: {seen!r} is none of {choices!r}"
        case dict():
            if not isinstance(seen, dict):
                return f"{where}: {seen!r}, not {expected!r}"
            for name, each in expected.items():
                if name not in seen:
                    return f"{where}: there is no {name!r} among {sorted(map(str, seen))}"
                if (found := mismatch(each, seen[name], f"{path}.{name}" if path else str(name))) is not None:
                    return found
            return None
        case list():
            if not isinstance(seen, list) or len(seen) != len(expected):
                return f"{where}: {seen!r}, not {expected!r}"
            pairs = enumerate(zip(expected, seen, strict=True))
            return next(filter(None, (mismatch(a, b, f"{where}[{n}]") for n, (a, b) in pairs)), None)
        case str() if expected.startswith("~"):
            right = isinstance(seen, str) and re.search(expected[1:], seen, re.MULTILINE) is not None
            return None if right else f"{where}: {seen!r} does not match {expected[1:]!r}"
    return None if expected == seen and isinstance(expected, bool) == isinstance(seen, bool) else (
        f"{where}: {seen!r}, not {expected!r}"
    )

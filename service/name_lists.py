"""Long lists of names, shortened for messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PARTS = re.compile(r"(\D*)(\d*)(.*)", re.DOTALL)


def grouped(names: Iterable[str]) -> list[str]:
    """Names that differ in their first number alone are one, as a shell would spell it: `d{2,4}s_v3`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        found = _PARTS.fullmatch(name)
        assert found is not None
        start, number, end = found.groups()
        groups.setdefault((start, end), []).append(number)
    return [
        f"{start}{{{','.join(numbers)}}}{end}" if len(numbers) > 1 else f"{start}{numbers[0]}{end}"
        for (start, end), numbers in groups.items()
    ]

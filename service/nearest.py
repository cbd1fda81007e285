"""Ids that somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

#: Named at most, and as close as this (see difflib).
_NAMED, _CLOSE = 20, 0.6
#: Of more than these only the first and the last ones are compared closely: that takes its time.
_COMPARED = 2000


def named(kind: str, ids: Sequence[str], meant: str) -> str:
    """All of a few; of many those that are nearest to what was `meant`, or if none is near the first and the last."""
    if not ids:
        return f"there are no {kind}"
    if len(ids) <= _NAMED:
        return f"{kind}: {', '.join(ids)}"
    near = _near(ids, meant)
    if near:
        return f"of {len(ids)} {kind} these are near: {', '.join(near)}"
    return f"{len(ids)} {kind}: {ids[0]}, {ids[1]}, ..., {ids[-1]}"


def _near(ids: Sequence[str], meant: str) -> list[str]:
    plain = meant.lower()
    same = [each for each in ids if each.lower() == plain]
    begin = [each for each in ids if plain and each.lower() != plain and each.lower().startswith(plain)]
    some = ids if len(ids) <= _COMPARED else [*ids[: _COMPARED // 2], *ids[-_COMPARED // 2 :]]
    lower = {each.lower(): each for each in some}
    like = [lower[each] for each in difflib.get_close_matches(plain, lower, 5, _CLOSE)]
    return list(dict.fromkeys((*same, *like, *begin[:5])))[:_NAMED]

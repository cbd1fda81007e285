"""Attempts of an execution before the present or last one: which of them are remembered. Pure."""

from __future__ import annotations

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an attempt ended that was not the last. Times are Instants."""

    #: as in its execution id; those are left out that never began
    number: int
    node_id: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    exit_code: int | None = None
    #: why there was another, in words
    reason: str = ""


def with_attempt(
    earlier: tuple[Attempt, ...], one: Attempt, most: int
) -> tuple[tuple[Attempt, ...], tuple[Attempt, ...]]:
    """`earlier` with one more, and those that are forgotten for it: of more than `most` (2 at least) the first and the
    last ones stay."""
    if earlier and earlier[-1].number >= one.number:
        return earlier, ()
    every = (*earlier, one)
    gone = max(0, len(every) - most)
    return (*every[:1], *every[1 + gone :]), every[1 : 1 + gone]

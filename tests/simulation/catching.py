"""Whether a defect in the core is noticed, by one seed of many."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SEEDS = 120
# A law, a transition table, a missing record.
NOTICED = (AssertionError, RuntimeError, LookupError)


def is_caught(
    run: Callable[[int], None], *, first: int = 0, seeds: int = SEEDS, by: tuple[type[Exception], ...] = NOTICED
) -> None:
    """`first`: one that is known to notice it, for those that few do: it saves the time for those before it. Should it
    no longer, all others are tried."""
    for seed in sorted(range(seeds), key=lambda each: each != first):
        try:
            run(seed)
        except by as caught:
            print(f"seed {seed}: {str(caught)[:200]}")
            return
    pytest.fail(f"{seeds} seeds did not notice")

"""As many more stories as fit: what is told in full in test_storm.py goes on here until the time is over."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable

from .storms.seeds import Ledger, one, summary
from .test_storm import SEEDS

#: Seconds; together with test_storm.py it takes three minutes of one processor.
TIME = float(os.environ.get("EBBTIDE_STORM_SECONDS", "90"))


def test_every_law_holds_in_as_many_more_stories_as_fit(
    record_property: Callable[[str, object], None],
) -> None:
    ledger, until = Ledger(None), time.monotonic() + TIME
    for seed in itertools.count(SEEDS):
        if time.monotonic() >= until:
            break
        ledger.add(one(seed))
    assert ledger.told, f"no story fits into {TIME} s"
    record_property("said", f"storms from seed {SEEDS} on: {summary(ledger.told.values())}")
    failed = [f"seed {told.seed}: {told.failure}" for told in ledger.told.values() if told.failure]
    assert not failed, "\n".join(failed)

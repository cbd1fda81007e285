"""What a user is told of a clock that was put back while no controller worked."""

import logging

from .iso8601 import format_instant

log = logging.getLogger(__name__)

#: Seconds that a clock may be corrected by without a word.
_LITTLE = 1.0


def tell_if_put_back(latest: float, now: float) -> None:
    """`latest`: the last time that the state tells of."""
    if latest > now + _LITTLE:
        log.warning(
            "the clock was put back by %.0f s or more while no controller worked, from %s to %s: no pause, schedule or "
            "time limit takes longer for it; what nodes cost in that time is not known",
            *(latest - now, format_instant(latest), format_instant(now)),
        )

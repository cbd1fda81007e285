"""What may go wrong by itself: with calls, messages, the journal and the controller. What is done to nodes and clouds
on purpose stands in deeds.py."""

from __future__ import annotations

import random

from providers import (
    AuthError,
    ProviderError,
    SimulatedProvider,
    SimulatedSettings,
    ThrottledError,
    TransientError,
)
from runner.events import Event

from ..chaos import ERRORS, PLACES, PROFILE, REFUSALS, USUAL, RandomFaults
from .chances import Chances

#: A few things take so many times as long as they usually do.
VERY_SLOW = 60.0
#: But no longer (seconds): who calls a cloud, or a node, waits no longer for an answer.
LONGEST = 300.0
#: Moments at which the controller can end: before a commit, within it (what was written of it is torn), after it and
#: before its answers, before each command, and while it waits.
MOMENTS = ("commit", "torn", "committed", "effect", "idle")


class StormFaults(RandomFaults):
    def __init__(self, chances: Chances) -> None:
        super().__init__(chances.stream("rates"))
        self.chances = chances
        rates = self.rng
        self.crash_chance = rates.choice((0.0, 0.001, 0.003, 0.01))
        self.torn_chance = rates.choice((0.0, 0.0, 0.002, 0.01))
        self.journal_chance = rates.choice((0.0, 0.0, 0.005, 0.03))
        self.slow_chance = rates.choice((0.0, 0.002, 0.01))
        self.reorder_chance = rates.choice((0.0, 0.1, 0.5))
        self.node_chance = rates.choice((0.0, 0.02, 0.1))
        self.part_chance = chances.stream("part").choice((0.0, 0.0, 0.005, 0.02))
        #: VMs that were left out of a list
        self.denied: set[str] = set()
        #: the cloud answers nothing until then
        self.outage = float("-inf")

    def cloud_settings(self) -> SimulatedSettings:
        return SimulatedSettings(
            boot_delay=10.0,
            profile=PROFILE,
            visibility_delay=self.rng.choice((0.0, 0.0, 3.0, 20.0)),
            running_late=self.rng.choice((0.0, 0.0, 5.0)),
        )

    def strikes(self, kind: str, chance: float, what: object = "") -> bool:
        return not self.calm and self.chances.strikes(kind, chance, what)

    def latency(self, kind: str) -> float:
        usual = USUAL[kind] * self.chances.pick(f"latency/{kind}", (0.1, 0.5, 1.0, 1.0, 2.0, 8.0))
        return min(usual * VERY_SLOW, LONGEST) if self.strikes(f"slow/{kind}", self.slow_chance) else usual

    def crashes(self, moment: str, before: object = "") -> bool:
        return self.strikes(f"crash/{moment}", self.torn_chance if moment == "torn" else self.crash_chance, before)

    def call_error(self, method: str) -> tuple[ProviderError, bool] | None:
        if not self.calm and self.chances.clock() < self.outage:
            return TransientError(f"{method}: the cloud does not answer"), False
        chance = max(self.error_chance, 0.8) if method == "create" and self._swallowed else self.error_chance
        rng = self.chances.stream(f"errors/{method}")
        error, after = self._chosen(method, rng)
        words = f"{type(error).__name__} {'after it took effect' if after else 'instead'}"
        struck = self.strikes(f"call/{method}", chance, words)
        if method == "create":
            self._swallowed = after if struck else False
        return (error, after) if struck else None

    def _chosen(self, method: str, rng: random.Random) -> tuple[ProviderError, bool]:
        text = f"{method} failed by chance"
        if method == "create" and rng.random() < (0.8 if self._swallowed else 0.4):
            refusal = rng.choice((*REFUSALS, AuthError))
            return refusal(text), refusal is AuthError and rng.random() < 0.5
        if rng.random() < 0.2:
            return ThrottledError(text, retry_after=rng.uniform(1, 20)), False
        return rng.choice(ERRORS)(text), rng.random() < 0.5

    def survives_crash(self) -> bool:
        return self.chances.stream("survives").random() < 0.5

    def repeats(self, event: Event) -> bool:
        return self.strikes(f"repeat/{type(event).__name__}", self.repeat_chance, event)

    def change_room(self, cloud: SimulatedProvider) -> None:
        cloud.room.clear()
        if self.calm:
            return
        rng = self.chances.stream("room")
        for place in PLACES:
            for low_priority in (True, True, False):
                if rng.random() < 0.6:
                    cloud.room[place.size, place.zone, low_priority] = rng.choice((0, 0, 1))

"""A story of the storm: the workload of the fault test with all that can go wrong, told from one seed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from runner.events import Event
from runner.simulation import Simulation

from ..node_deeds import Operator
from ..scenario import Scenario
from ..settings import SETTINGS
from .api_user import ApiUser
from .chances import Chances, Incident
from .deeds import Adversary
from .driver import StormSimulation
from .faults import StormFaults
from .fickle import Fickle
from .laws import REACH, StormLaws

#: One story of so many has a journal in a file too.
KEPT_EVERY = 10


class Story(Scenario):
    """`only`: the names of the incidents that may happen; None: all may."""

    sim: StormSimulation
    laws: StormLaws
    faults: StormFaults

    def __init__(self, seed: int, only: Iterable[str] | None = None) -> None:
        self.chances = Chances(seed, None if only is None else frozenset(only))
        self._left_out = 0
        super().__init__(seed, StormLaws())
        self.laws.denied = self.faults.denied

    def _make_faults(self) -> StormFaults:
        return StormFaults(self.chances)

    def _make_simulation(self) -> Simulation:
        return StormSimulation(
            SETTINGS,
            self._behave,
            self.faults,
            self.faults.cloud_settings(),
            self.laws.check,
            self.seed,
            kept=self.seed % KEPT_EVERY == 0,
        )

    def _make_trouble(self) -> None:
        Adversary(self.sim, self.faults)
        self.operator = Operator(self.sim, self.faults, self.seed)
        self.user = ApiUser(self.sim, self.faults, self.task)
        self.fickle = Fickle(self.sim, self.faults)

    @property
    def incidents(self) -> list[Incident]:
        return self.chances.happened

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.sim.close()

    def _ask(self, event: Event, now: float) -> None:
        if self.chances.strikes(f"request/{type(event).__name__}", 1.0, event):
            super()._ask(event, now)
        else:
            self._left_out += 1

    def _asked_for(self, count: int) -> bool:
        others = self.operator.asked, self.user.asked, self.fickle.asked
        return super()._asked_for(count + sum(map(len, others)) - self._left_out)

    def _worked_off(self) -> bool:
        return super()._worked_off() and self.user.is_cleared and self.laws.reached

    def _end_storm(self, now: float) -> None:
        super()._end_storm(now)
        self.sim.at(now + REACH, partial(self.laws.must_have_reached, self.operator))



"""The search itself: batches of trials, then a check of what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from formula.constants import constants, with_values

from ..formulas import NamedFormula
from .measuring import Measured
from .parameters import Parameter
from .proposals import Proposals, Values
from .result import Trial, Tuning, WaitLimits, front_of, violations, within
from .trying import Trying

#: Trials that are proposed at a time, however many of them run at once: so the same are proposed by any number of jobs.
BATCH = 8

SEARCH, CHECK = "search", "check"


@dataclass(frozen=True, slots=True)
class Question:
    """`limits` None: as long as tasks wait with the formula as it is (p95). `checked_from`: see `Tuning`."""

    formula: NamedFormula
    scenario: str
    parameters: Sequence[Parameter]
    limits: WaitLimits | None
    seed: int
    check_seed: int
    checked_from: float | None
    trials: int


class Search:
    """`told` is called with what was done, trials and checks alike, and the cheapest within the limits so far."""

    def __init__(
        self,
        question: Question,
        trying: Trying,
        told: Callable[[int, Trial | None], None] = lambda done, best: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._question, self._trying, self._told, self._stopped = question, trying, told, stopped
        self._text = question.formula.text
        self._trials: list[Trial] = []
        self._limits = question.limits or WaitLimits()
        self._original: Measured | None = None
        self._done = 0

    def run(self) -> Tuning | None:
        """None if it was stopped before anything was known."""
        question = self._question
        known = constants(self._text)
        own: Values = {each.name: each.written(known[each.name].value) for each in question.parameters}
        proposals = Proposals(question.parameters, question.seed, question.trials, own)
        left, number = question.trials, 1
        batch = proposals.propose(min(left, BATCH))
        found = self._measured(SEARCH, [self._text, *map(self._with, batch)])
        if 0 not in found:
            return None
        self._original = found[0]
        if question.limits is None:
            self._limits = WaitLimits(p95=found[0].wait.p95)
        self._trials.append(Trial(number=0, values=own, searched=found.pop(0)))
        if all(each.holds(own[each.name]) for each in question.parameters):
            proposals.tell(own, self._trials[0].searched.cost, self._violations(self._trials[0]))
        found = {place - 1: measured for place, measured in found.items()}
        while batch:
            for place, values in enumerate(batch):
                if place in found:
                    self._take(proposals, Trial(number=number + place, values=values, searched=found[place]))
            number, left = number + len(batch), left - len(batch)
            if self._stopped():
                break
            batch = proposals.propose(min(left, BATCH))
            found = self._measured(SEARCH, [self._with(values) for values in batch])
        return self._checked(self._result())

    def _with(self, values: Values) -> str:
        return with_values(self._text, values)

    def _measured(self, part: str, texts: Sequence[str]) -> dict[int, Measured]:
        found = {}
        for place, measured in self._trying.each(part, texts):
            found[place] = measured
            self._done += 1
            self._told(self._done, self._best())
        return found

    def _take(self, proposals: Proposals, trial: Trial) -> None:
        self._trials.append(trial)
        proposals.tell(trial.values, trial.searched.cost, self._violations(trial))

    def _violations(self, trial: Trial) -> dict[str, float]:
        return violations(trial.searched, self._limits, self._original)

    def _best(self) -> Trial | None:
        """The cheapest within the limits; of those that cost the same, the one with the shortest waits."""
        kept = [each for each in self._trials if within(self._violations(each))]
        return min(kept, key=lambda each: (each.searched.cost, each.searched.wait.p95, each.number), default=None)

    def _result(self) -> Tuning:
        question, best = self._question, self._best()
        return Tuning(
            formula=question.formula.name,
            scenario=question.scenario,
            seed=question.seed,
            check_seed=question.check_seed,
            checked_from=question.checked_from,
            limits=self._limits,
            as_it_is=question.limits is None,
            best=None if best is None else best.number,
            front=front_of(self._trials),
            trials=self._trials,
            stopped=self._stopped(),
        )

    def _checked(self, found: Tuning) -> Tuning:
        """With the formula as it is, the best and the front on tasks that the search has not seen."""
        if found.stopped:
            return found
        wanted = {0: None, **dict.fromkeys([] if found.best is None else [found.best])}
        wanted |= dict.fromkeys(each.number for each in found.shown())
        numbers = list(wanted)
        texts = [self._with(found.trial(number).values) if number else self._text for number in numbers]
        checked = {numbers[place]: each for place, each in self._measured(CHECK, texts).items()}
        trials = [structs.replace(each, checked=checked.get(each.number)) for each in found.trials]
        return structs.replace(found, trials=trials, stopped=self._stopped())

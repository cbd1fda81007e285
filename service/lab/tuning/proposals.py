"""Which values to try next: a search with optuna. Proposals depend on the seed and on what was told alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..streams import stream
from .parameters import Parameter, all_values, combinations

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution

Values = dict[str, float]

#: So often in a row may the search propose what is known; then chance does.
_REPEATED = 5
#: So often may chance; then there is nothing left to try.
_DRAWN = 1000


class Proposals:
    """`trials`: so many are wanted in all. If there are no more combinations than that, all are tried. `known`: values
    that are not to be proposed; what became of them may be told."""

    def __init__(self, parameters: Sequence[Parameter], seed: int, trials: int, known: Values) -> None:
        self._parameters = parameters
        self._known = {tuple(known.values())}
        self._random = stream(seed, "proposals")
        self._asked: dict[tuple[float, ...], Trial] = {}
        self._distributions: dict[str, BaseDistribution] = {}
        count = combinations(parameters)
        every = count is not None and count <= trials + 1
        self._all = all_values(parameters) if every else None
        self._study: Study | None = None if self._all is not None else self._begun(seed)

    def _begun(self, seed: int) -> Study:
        import optuna
        from optuna.distributions import FloatDistribution, IntDistribution

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        for each in self._parameters:
            if each.whole:
                self._distributions[each.name] = IntDistribution(int(each.low), int(each.high), log=each.log)
            else:
                self._distributions[each.name] = FloatDistribution(each.low, each.high, log=each.log)
        # Those of one batch are not told of one another: the constant liar keeps them apart.
        sampler = optuna.samplers.TPESampler(seed=stream(seed, "search").getrandbits(32), multivariate=True)
        return optuna.create_study(sampler=sampler)

    def propose(self, most: int) -> list[Values]:
        """So many that are not known yet, or fewer if there are no more."""
        found: list[Values] = []
        while len(found) < most:
            values = self._next()
            if values is None:
                break
            self._known.add(tuple(values.values()))
            found.append(values)
        return found

    def tell(self, values: Values, cost: float, violations: Mapping[str, float]) -> None:
        """What became of the values. `violations`: by the name of a limit, how far it was passed; none is 0 or less."""
        trial = self._asked.pop(tuple(values.values()), None)
        if trial is not None:
            self._tell(trial, cost, violations)
        elif self._study is not None:
            self._study.enqueue_trial(dict(values))
            self._tell(self._study.ask(self._distributions), cost, violations)

    def _tell(self, trial: Trial, cost: float, violations: Mapping[str, float]) -> None:
        assert self._study is not None
        for name, value in violations.items():
            trial.set_constraint(name, value)
        self._study.tell(trial, cost)

    def _next(self) -> Values | None:
        if self._all is not None:
            return next((each for each in self._all if tuple(each.values()) not in self._known), None)
        assert self._study is not None
        from optuna.trial import TrialState

        for _ in range(_REPEATED):
            trial = self._study.ask(self._distributions)
            values = {each.name: each.rounded(trial.params[each.name]) for each in self._parameters}
            key = tuple(values.values())
            if key not in self._known:
                self._asked[key] = trial
                return values
            self._study.tell(trial, state=TrialState.FAIL)
        for _ in range(_DRAWN):
            values = {each.name: self._drawn(each) for each in self._parameters}
            if tuple(values.values()) not in self._known:
                return values
        return None

    def _drawn(self, each: Parameter) -> float:
        if each.whole:
            return self._random.randint(int(each.low), int(each.high))
        return each.rounded(self._random.uniform(each.low, each.high))

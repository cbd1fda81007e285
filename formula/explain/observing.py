"""Running a formula so that every computed value is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from random import Random
from typing import Any

from ..checker import CheckedProgram
from ..compiler import compile_program
from ..evaluation import INSUFFICIENT_DATA, Evaluation
from ..expression_types import bare
from ..formula import Formula, checked_formula
from ..samples import Samples
from ..syntax import Expression, MethodCall, Number, String, Unparsed
from ..value_types import NOTHING, Value, marked
from .branching import BranchSite, branch_sites


@dataclass(frozen=True)
class Observation:
    """One evaluation with the values that it computed, by the identity of their nodes."""

    formula: ObservedFormula
    samples: Samples
    now: float
    evaluation: Evaluation
    values: Mapping[int, Value]

    @property
    def checked(self) -> CheckedProgram:
        return self.formula.checked

    def value(self, node: Expression) -> Value | None:
        """What an expression was, None if it was not computed. Literals have their value even if nothing used it."""
        node = bare(node)
        if isinstance(node, Number | String):
            return node.value
        return self.values.get(id(node))

    def truth(self, node: Expression) -> bool | None:
        """Whether a computed condition held."""
        value = self.value(node)
        return None if value is None else bool(value)

    def was_computed(self, node: Expression) -> bool:
        """Of anything but a literal."""
        return id(bare(node)) in self.values

    @property
    def completed(self) -> int:
        """How many statements ran to their end, from the first one on."""
        for number, item in enumerate(self.checked.statements):
            statement = item.statement
            if item.errors or isinstance(statement, Unparsed) or self.value(statement.value) is None:
                return number
        return len(self.checked.statements)

    def failed_here(self, call: MethodCall) -> bool:
        """Whether this call found too few samples, which ended the evaluation."""
        error = self.evaluation.error
        if error is None or error.code != INSUFFICIENT_DATA:
            return False
        line, column = self.checked.source.position(call.parenthesis)
        return error.values[0][1].startswith(f"Line {line}, Col {column}:")


class ObservedFormula:
    """A formula of which `observe` tells everything; its evaluations are those of `Formula.evaluate`."""

    def __init__(self, text: str) -> None:
        """Raises FormulaError for a syntax error."""
        self.checked = checked_formula(text)
        self._program = compile_program(self.checked, observed=True)

    @cached_property
    def sites(self) -> tuple[BranchSite, ...]:
        """The ways that its evaluations can go."""
        return branch_sites(self.checked)

    def observe(self, samples: Samples, now: float, rng: Random | None = None) -> Observation:
        """Evaluate at `now` (seconds since the epoch, UTC)."""
        values: dict[int, Value] = {}
        program, types = self._program, self.checked.types

        def probe(number: int, value: Value) -> Value:
            node = program.nodes[number]
            values[id(node)] = marked(value, types.get(id(node), NOTHING))
            return value

        def run(now: float, period: float, draw: Callable[[], float] | None, *read: Any) -> tuple[Any, ...]:
            return program.run(now, period, draw, probe, *read)

        formula = Formula(self.checked, replace(program, run=run))
        return Observation(self, samples, now, formula.evaluate(samples, now, rng), values)


@lru_cache(maxsize=64)
def observed_formula(text: str) -> ObservedFormula:
    """The same text gives the same object. Raises FormulaError for a syntax error."""
    return ObservedFormula(text)

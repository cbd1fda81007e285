"""Branch coverage: which arms of `?:`, and which outcomes of the operands of `&&` and `||`, evaluations have met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..syntax import Logic, Ternary
from .branching import BranchPoint
from .observing import Observation, observed_formula
from .tracing import arm_taken, computed_operands


def branch_points(text: str) -> tuple[BranchPoint, ...]:
    """The points of a formula in the order of its text. Raises FormulaError for a syntax error."""
    return tuple(site.point for site in observed_formula(text).sites)


def _parts_taken(observation: Observation, node: Ternary | Logic) -> Iterator[tuple[int, bool]]:
    if isinstance(node, Logic):
        yield from ((id(operand), held) for operand, held in computed_operands(observation, node))
    elif (held := arm_taken(observation, node)) is not None:
        yield id(node.then if held else node.otherwise), held


@dataclass(slots=True)
class Coverage:
    """What evaluations of one formula have met. `met`: numbers of points, in the order of `branch_points`."""

    text: str
    met: set[int] = field(default_factory=set)

    def add(self, observation: Observation) -> None:
        """Count an evaluation of this formula."""
        sites = observation.formula.sites
        if len(self.met) == len(sites):
            return
        # By identity: the same text may occur twice.
        went: dict[int, set[tuple[int, bool]]] = {}
        for number, site in enumerate(sites):
            if number not in self.met:
                node = site.node
                if id(node) not in went:
                    went[id(node)] = set(_parts_taken(observation, node))
                if (id(site.part), site.point.outcome) in went[id(node)]:
                    self.met.add(number)

    def merge(self, met: Iterable[int]) -> None:
        """Count what another run has met of the same formula."""
        self.met.update(met)

    @property
    def points(self) -> tuple[BranchPoint, ...]:
        return branch_points(self.text)

    @property
    def percent(self) -> float:
        """100 for a formula without branches."""
        points = len(self.points)
        return 100.0 * len(self.met) / points if points else 100.0

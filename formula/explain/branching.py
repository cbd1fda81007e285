"""The ways that an evaluation of a formula can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..checker import CheckedProgram
from ..expression_types import bare
from ..syntax import Expression, Logic, Ternary, Unparsed, postorder
from .one_line import source_text


@dataclass(frozen=True, slots=True)
class BranchPoint:
    """One way that an evaluation can go.

    `outcome`: of the condition of a `?:`, or of an operand of `&&` or `||`. `start`: the offset of what is computed
    then: the arm, or the operand.
    """

    kind: Literal["arm", "operand"]
    text: str
    outcome: bool
    start: int

    def __str__(self) -> str:
        truth = "true" if self.outcome else "false"
        if self.kind == "arm":
            return f"never taken: {self.text} (its condition was never {truth})"
        return f"never {truth}: {self.text}"


@dataclass(frozen=True, slots=True)
class BranchSite:
    """Where a point stands in one tree: its `?:`, `&&` or `||`, and the arm or operand."""

    node: Ternary | Logic
    part: Expression
    point: BranchPoint


def branch_sites(checked: CheckedProgram) -> tuple[BranchSite, ...]:
    """In the order of the text."""
    return tuple(sorted(_sites(checked), key=lambda site: (site.point.start, site.point.kind, not site.point.outcome)))


def _sites(checked: CheckedProgram) -> Iterator[BranchSite]:
    for item in checked.statements:
        if isinstance(item.statement, Unparsed):
            continue
        for node in postorder(item.statement.value):
            if isinstance(node, Ternary):
                for outcome, arm in ((True, node.then), (False, node.otherwise)):
                    yield BranchSite(node, arm, _point("arm", checked, arm, outcome))
            elif isinstance(node, Logic):
                for operand in node.operands:
                    for outcome in (True, False):
                        yield BranchSite(node, operand, _point("operand", checked, operand, outcome))


def _point(kind: Literal["arm", "operand"], checked: CheckedProgram, node: Expression, outcome: bool) -> BranchPoint:
    return BranchPoint(kind, source_text(checked.source, node), outcome, bare(node).start)

"""The front of a search as an outcome, for the report page."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from msgspec import structs

from formula.constants import with_values

from ..comparing import compared
from ..formulas import NamedFormula
from ..outcome import Outcome
from ..report.wording import told_duration
from ..scenario_file import LoadedScenario
from .measuring import Part
from .result import Tuning

#: Of the front so many, beside the formula as it is and the tuned one.
_OTHERS = 4


def outcome_of(
    loaded: LoadedScenario, part: Part, formula: NamedFormula, found: Tuning, told: Callable[[float], None]
) -> Outcome:
    """`told`: called with the share that is done."""
    chosen = _chosen(found)
    formulas = []
    for number in chosen:
        name = "tuned" if number and number == found.best else f"trial {number}" if number else "as it is"
        values = found.trial(number).values if number else {}
        formulas.append(NamedFormula(name, with_values(formula.text, values)))
    length = max(1.0, part.arranged.arrivals.horizon)

    def stopped(number: int, seconds: float) -> bool:
        told((number + min(1.0, seconds / length)) / len(formulas))
        return False

    spec = loaded.spec
    if found.checked_from is not None:
        only = f"the first {told_duration(found.checked_from)}, on which {found.formula} was tuned"
        spec = structs.replace(spec, description=f"{spec.description} ({only})" if spec.description else only)
    return compared(loaded.name, spec, part.arranged, formulas, perf_counter, stopped)


def _chosen(found: Tuning) -> list[int]:
    """The formula as it is, the best, and others of the front from end to end."""
    first = [0] if not found.best else [0, found.best]
    others = [each.number for each in found.shown() if each.number not in first]
    if len(others) > _OTHERS:
        step = (len(others) - 1) / (_OTHERS - 1)
        others = [others[round(place * step)] for place in range(_OTHERS)]
    return [*first, *others]

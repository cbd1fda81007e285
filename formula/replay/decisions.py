"""What the runs of a replay decided, from whichever back end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..evaluation import EvaluationError
from ..variables import OPTIONS, PoolField
from .recording import Indices

#: What a run decides, as values of the pool.
DECIDED: tuple[PoolField, PoolField] = ("target_dedicated", "target_low_priority")

#: Node deallocation options as numbers.
OPTION_NUMBERS = {name: number for number, name in enumerate(OPTIONS)}

#: Whole numbers of nodes: int64, or Python's own integers if one is larger than that.
Targets: TypeAlias = NDArray[Any]


@dataclass(eq=False)
class Decisions:
    """`option`: the number of the node deallocation option in `OPTION_NUMBERS`; `error`: the number of the error among
    `errors`, -1 for a run without."""

    dedicated: Targets
    low_priority: Targets
    option: Indices
    error: Indices
    errors: list[EvaluationError] = field(default_factory=list)


def left_before(dedicated: Targets, low_priority: Targets, run: int) -> tuple[int | None, int | None]:
    """The targets that the run before this one left; None of the first run."""
    return (int(dedicated[run - 1]), int(low_priority[run - 1])) if run else (None, None)


def whole_numbers(values: Any) -> Targets:
    """Whole numbers, floats or ints, as integers."""
    if isinstance(values, np.ndarray):
        if not len(values) or np.abs(values).max() < 2.0**62:
            return values.astype(np.int64)
        return np.array([int(value) for value in values.tolist()], dtype=object)
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return np.array(values, dtype=object)

"""One evaluation of a pool's formula, and what it does to the pool. Pure."""

from __future__ import annotations

import random

from formula import FormulaError, Samples, compile_formula

from .failure_info import NameValue
from .model import AutoScaleError, AutoScaleRun, Pool, evolve
from .spec import NodeDeallocationOption


def evaluate(
    pool: Pool, text: str, samples: Samples, now: float, rng: random.Random
) -> tuple[AutoScaleRun, Pool]:
    """Evaluate `text` for `pool`: the run record, and the pool with the new targets (unchanged when it
    failed).

    The pool's `next_evaluation` is not touched: when the next run is due is the caller's business.
    """
    try:
        evaluation = compile_formula(text).evaluate(samples, now, rng)
    except FormulaError as exc:
        error = AutoScaleError(exc.code, str(exc))
        return AutoScaleRun(pool.id, now, "", error), pool
    if evaluation.error is not None:
        values = tuple(NameValue(name, value) for name, value in evaluation.error.values)
        error = AutoScaleError(evaluation.error.code, evaluation.error.message, values)
        return AutoScaleRun(pool.id, now, evaluation.results, error), pool
    run = AutoScaleRun(pool.id, now, evaluation.results)
    option = NodeDeallocationOption(evaluation.node_deallocation_option)
    wanted = (evaluation.dedicated, evaluation.low_priority, option)
    if wanted != (pool.target_dedicated, pool.target_low_priority, pool.node_deallocation_option):
        pool = evolve(
            pool,
            now,
            target_dedicated=evaluation.dedicated,
            target_low_priority=evaluation.low_priority,
            node_deallocation_option=option,
        )
    return run, pool

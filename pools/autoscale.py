"""One evaluation of a pool's formula, and what it does to the pool. Pure."""

from __future__ import annotations

import random

from formula import FormulaError, Samples, compile_formula

from .failure_info import NameValue
from .model import AutoScaleError, Pool, evolve
from .recorded_runs import RecordedRun
from .spec import NodeDeallocationOption


def evaluate(
    pool: Pool,
    text: str,
    samples: Samples,
    now: float,
    rng: random.Random,
    span: tuple[float, float] | None = None,
) -> tuple[RecordedRun, Pool]:
    """Evaluate `text` for `pool`: the run record, and the pool with the new targets (unchanged when it
    failed). `span`: when the first and the last of the samples were taken.

    The pool's `next_evaluation` is not touched: when the next run is due is the caller's business.
    """
    seed, results, error = None, "", None
    try:
        formula = compile_formula(text)
    except FormulaError as exc:
        error = AutoScaleError(exc.code, str(exc))
    else:
        # a seed of its own, so that the run can be gone through once more
        seed = rng.getrandbits(32) if formula.draws else None
        evaluation = formula.evaluate(samples, now, None if seed is None else random.Random(seed))
        results = evaluation.results
        if evaluation.error is not None:
            values = tuple(NameValue(name, value) for name, value in evaluation.error.values)
            error = AutoScaleError(evaluation.error.code, evaluation.error.message, values)
        else:
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
    run = RecordedRun(
        pool.id,
        now,
        results,
        error,
        formula=text,
        pool=samples.pool,
        target_dedicated=pool.target_dedicated,
        target_low_priority=pool.target_low_priority,
        node_deallocation_option=pool.node_deallocation_option,
        sample_period=samples.period,
        first_sample=span[0] if span is not None else None,
        last_sample=span[1] if span is not None else None,
        seed=seed,
    )
    return run, pool

"""Outcomes for tests of the report: real formulas on a rough model of a pool, without the core."""

from __future__ import annotations

import random
from itertools import pairwise
from math import cos, pi

from formula import PoolValues, Samples, TimeSeries, compile_formula
from service.lab.outcome import (
    About,
    AutoscaleRuns,
    Bound,
    Bounds,
    Figures,
    Outcome,
    RecordedSamples,
    Run,
    Series,
    Wait,
)

START = 1_699_920_000.0
DELAY = 60.0
STATES = ("booting", "idle", "running", "leaving")

PENDING = """// As many nodes as the waiting and running tasks need.
mostNodes = 20;
window = 5 * TimeInterval_Minute;
samplesPresent = $PendingTasks.GetSamplePercent(window);
tasks = samplesPresent < 70 ? max(0, $PendingTasks.GetSample(1)) : max(0, $PendingTasks.GetSample(window));
$TargetDedicatedNodes = min(mostNodes, ceil(tasks / $TaskSlotsPerNode));
$NodeDeallocationOption = taskcompletion;
"""
WORKDAY = """hour = time().hour;
inOffice = hour >= 8 && hour < 18;
recent = avg($ActiveTasks.GetSample(10 * TimeInterval_Minute, 50));
$TargetDedicatedNodes = inOffice ? max(4, min(16, recent)) : min(8, recent / 2);
"""
ALWAYS = "$TargetDedicatedNodes = 12;\n"


def synthetic(
    formulas: dict[str, str], days: float, step: float = 60.0, seed: int = 1, name: str = "A week of waves"
) -> Outcome:
    """A row and a sample every `step`, a run every five minutes. A day is busy around noon; a pool follows the formula
    with three steps of delay."""
    runs = [_run(formula, text, int(days * 86400 / step), step, seed) for formula, text in formulas.items()]
    cheapest = min(run.figures.cost for run in runs)
    used = min(run.figures.node_seconds for run in runs)
    about = About(
        name=name,
        description="Tasks come in daily waves with bursts; nodes take three minutes to boot.",
        seed=seed,
        start=START,
        tasks=max(run.figures.tasks + run.figures.unfinished for run in runs),
        task_slots_per_node=1,
    )
    bounds = Bounds(
        optimum=Bound(cost=cheapest * 0.71, node_seconds=used * 0.71),
        break_even=Bound(cost=cheapest * 0.93, node_seconds=used * 0.93, exact=False),
        work_alone=Bound(cost=cheapest * 0.62),
    )
    return Outcome(scenario=about, runs=runs, bounds=bounds)


def _run(name: str, text: str, steps: int, step_length: float, seed: int) -> Run:
    interval = int(300 / step_length)
    rng, formula = random.Random(seed), compile_formula(text)
    columns: dict[str, list] = {field: [] for field in Series.__struct_fields__ if field != "end"}
    made: dict[str, list] = {field: [] for field in AutoscaleRuns.__struct_fields__ if field != "errors"}
    errors: dict[int, str] = {}
    metrics = ("$PendingTasks", "$ActiveTasks")
    recorded: dict[str, list[float | None]] = {metric: [] for metric in metrics}
    visible = {metric: TimeSeries() for metric in metrics}
    target, nodes, queue, running, cost, done = 0, 0, 0, 0, 0.0, 0
    booting = [0, 0, 0]
    for step in range(steps):
        now = step * step_length
        day = 1 - cos(2 * pi * now / 86400)
        queue += sum(rng.random() < 0.4 * day for _ in range(4))
        queue += rng.randrange(10, 40) if rng.random() < 0.002 else 0
        ended = sum(rng.random() < 0.2 for _ in range(running))
        running, done = running - ended, done + ended
        lost = rng.random() < 0.03
        for metric, value in (("$PendingTasks", queue + running), ("$ActiveTasks", queue)):
            recorded[metric].append(None if lost else float(value))
        seen = step - int(-(-DELAY // step_length))
        for metric in metrics:
            if seen >= 0 and (known := recorded[metric][seen]) is not None:
                visible[metric].append(START + seen * step_length, known)
        if step % interval == 0:
            pool = PoolValues(target, 0, nodes + sum(booting), 0, 0, nodes, 1)
            told = formula.evaluate(Samples(step_length, visible, pool), START + now, random.Random(0))
            if told.error is not None:
                errors[len(made["times"])] = str(told.error)
            target = told.dedicated
            before = (now, target, 0, int(pool.current_dedicated), 0, 0, nodes)
            for column, told_value in zip(made.values(), before, strict=True):
                column.append(told_value)
        nodes += booting.pop(0)
        booting.append(max(0, target - nodes - sum(booting)))
        leaving = max(0, min(nodes - running, nodes - target))
        nodes -= leaving
        start = min(queue, max(0, min(nodes, 1000) - running))
        queue, running = queue - start, running + start
        row = (now, queue + running, target, 0, sum(booting), nodes - running, running, leaving, 0, queue, cost)
        for field, cell in zip(columns, row, strict=True):
            columns[field].append(cell)
        cost += (nodes + sum(booting) + leaving) * step_length / 3600 * 0.1
    used = [sum(columns[field]) * step_length for field in STATES]
    targets = made["dedicated"]
    there = [sum(row) for row in zip(*(columns[field] for field in STATES), strict=True)]
    waits = sum(columns["queue"]) * step_length / max(1, done)
    figures = Figures(
        formula=name,
        cost=cost,
        node_seconds=sum(used),
        idle_node_seconds=used[0] + used[1],
        peak_nodes=max(there),
        tasks=done,
        unfinished=queue + running,
        wait=Wait(mean=waits, p50=waits * 0.8, p95=waits * 2.1, p99=waits * 3, max=waits * 5),
        makespan=steps * step_length,
        evictions=0,
        thrown_away_seconds=0.0,
        resizes=sum(a != b for a, b in pairwise(targets)),
        flaps=sum(a < b > c for a, b, c in zip(targets, targets[1:], targets[2:], strict=False)),
        seconds_at_zero=step_length * there.count(0),
        events=steps * 7,
        wall_seconds=steps / 20000,
    )
    return Run(
        figures=figures,
        text=text,
        series=Series(end=steps * step_length, **columns),
        autoscale=AutoscaleRuns(**made, errors=errors),
        samples=RecordedSamples(period=step_length, delay=DELAY, values=recorded),
    )

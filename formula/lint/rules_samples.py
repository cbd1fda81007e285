"""Rules: what is made of samples (F407, F411 to F418)."""

from __future__ import annotations

from math import inf, trunc

from ..diagnostics import Edit
from ..syntax import Assignment, Call, Chain, Expression, Name, postorder
from ..value_types import VECTOR
from ..variables import METRICS, TARGETS, current_name
from .demand import number
from .facts import Facts, SampleCall
from .rule import Report


def newest_sample_only(facts: Facts, report: Report) -> None:
    """F407: the newest sample decides alone."""
    calls = [call for call in facts.sample_calls if call.node.method == "GetSample"]
    assigns = any(name in TARGETS for name in facts.final)
    if not assigns or not calls or not all(call.is_count and call.count == 1 for call in calls):
        return
    node = calls[0].node
    metrics = " and ".join(sorted({call.metric for call in calls}))
    report(
        "F407",
        node.start,
        node.end,
        f"the newest sample of {metrics} alone decides: one moment between two tasks takes the nodes away, one peak "
        "orders many",
        "take a window as well: max($X.GetSample(1), avg($X.GetSample(...))), with a guard".replace(
            "$X", calls[0].metric
        ),
    )


def doubtful_metrics(facts: Facts, report: Report) -> None:
    """F411, F412: metrics that may be 0, NaN or no longer measured. Each is told once."""
    told = set()
    for node in facts.nodes():
        if not isinstance(node, Name) or node.name in told or node.name not in METRICS or id(node) in facts.definitions:
            continue
        told.add(node.name)
        if METRICS[node.name].retired:
            report(
                "F412",
                node.start,
                node.end,
                f"Azure Batch was to measure {node.name} no longer from April 2024: without its samples the formula "
                "can fail there; ebbtide measures it",
                "scale on tasks where you can: $PendingTasks",
            )
        elif node.name in _DOUBTS:
            report("F411", node.start, node.end, *_DOUBTS[node.name])


_DOUBTS = {
    "$PreemptedNodeCount": (
        "$PreemptedNodeCount was documented as not available on Azure Batch, where it can stay 0 while nodes are "
        "preempted",
        "see that the formula is right too if it is always 0",
    ),
    "$CPUPercent": (
        "$CPUPercent has no samples while the pool has no nodes, and its mean can be NaN on Azure Batch: the "
        "evaluation fails then",
        "scale on $PendingTasks, which is there without nodes",
    ),
}


def elements(facts: Facts, report: Report) -> None:
    """F413, F414: val() of several samples, whose order nobody documents, or behind their end."""
    for node in facts.nodes():
        if not (isinstance(node, Call) and node.function == "val" and len(node.arguments) == 2):
            continue
        call = _sample_call(facts, node.arguments[0])
        index = facts.constant(node.arguments[1])
        if call is None or call.node.method != "GetSample":
            continue
        most = inf if call.count is None else trunc(call.count) - 1
        if most < 0:
            # A count of no samples has a finding of its own.
            continue
        if index is not None and not 0 <= trunc(index) <= most:
            samples = "a window" if call.count is None else f"GetSample({call.count:g})"
            report(
                "F414",
                node.arguments[1].start,
                node.arguments[1].end,
                f"{samples} has no element {number(trunc(index))}, they count from 0: this always fails and the pool "
                "keeps its size",
                "use 0 for the first" if most == inf else f"use {number(max(0, most))} at most",
            )
        elif call.count != 1:
            report(
                "F413",
                node.start,
                node.end,
                "in which order samples come is not documented; here the newest is element 0, on Azure Batch it may be "
                "the oldest",
                "take val($X.GetSample(1), 0) for the newest, or max and avg of the window".replace("$X", call.metric),
            )


def _sample_call(facts: Facts, node: Expression) -> SampleCall | None:
    node = facts.resolve(node)
    return next((call for call in facts.sample_calls if call.node is node), None)


def extremes_of_nothing(facts: Facts, report: Report) -> None:
    """F415: `max(m.GetSample(1))` fails as long as there is no sample at all."""
    for node in facts.nodes():
        if not (isinstance(node, Call) and node.function in ("max", "min", "range") and len(node.arguments) == 1):
            continue
        call = _sample_call(facts, node.arguments[0])
        if call is None or not call.is_count or any(True for _ in facts.guards(node)):
            continue
        inside = node.arguments[0].start
        edits = (Edit(inside, inside, "0, "),) if node.function == "max" else ()
        report(
            "F415",
            node.start,
            node.end,
            f"a new pool has no samples, and {node.function} of nothing fails: the first evaluations leave the pool as "
            "it is",
            "give it a number as well: max(0, ...)"
            if edits
            else f"ask first: {call.metric}.Count() > 0 ? {node.function}(...) : 0",
            edits,
        )


def count_of_no_samples(facts: Facts, report: Report) -> None:
    """F416: GetSample(0.5)."""
    for call in facts.sample_calls:
        if call.is_count and call.count is not None and call.count < 1:
            node = call.node
            report(
                "F416",
                node.start,
                node.end,
                f"GetSample({call.count:g}) gives no samples: a single number is a count of samples",
                "write the number of samples, or multiply by TimeInterval_Minute for a time",
            )


def vectors_of_two_windows(facts: Facts, report: Report) -> None:
    """F417: element by element needs as many samples here as there."""
    for node in facts.nodes():
        if not isinstance(node, Chain) or facts.types(node) != VECTOR:
            continue
        calls = [_sample_call(facts, operand) for operand in node.operands]
        several = [call for call in calls if call is not None and call.count != 1]
        if len({(call.metric, call.far, call.near, call.count) for call in several}) > 1:
            operator = node.operators[0]
            report(
                "F417",
                node.start,
                node.end,
                "vectors are joined element by element: if one metric misses a sample the lengths differ and the "
                "evaluation fails",
                f"reduce each first: avg(...) {operator} avg(...)",
            )


def old_names(facts: Facts, report: Report) -> None:
    """F418: the names of 2015. They work, and people mix them with the new ones."""
    places: dict[str, list[int]] = {}
    for statement in facts.statements:
        if isinstance(statement, Assignment):
            places.setdefault(statement.name, []).append(statement.start)
        for node in postorder(statement.value):
            if isinstance(node, Name):
                places.setdefault(node.name, []).append(node.start)
    for name, starts in places.items():
        current = current_name(name)
        if current == name:
            continue
        # With both in use, which of the two counts where is for the author to say.
        safe = name in METRICS or current not in places
        report(
            "F418",
            min(starts),
            min(starts) + len(name),
            f"{name} is an old name of {current}; a formula that uses both reads and sets one thing under two names",
            f"write {current}",
            tuple(Edit(start, start + len(name), current) for start in starts) if safe else (),
        )

"""Rules: windows of samples that may be too empty, and guards that do not guard (F401 to F406)."""

from __future__ import annotations

from ..diagnostics import Edit
from ..samples import DEFAULT_PERIOD
from ..syntax import Expression
from .coverage import DEFAULT_PERCENT, Assured, Coverage, expected, proves
from .facts import Facts, SampleCall
from .rule import Report
from .rules_percent import percent_in_seconds

#: Samples become visible after about a minute.
_DELAY = 60.0
_DAY = 86400.0


def unguarded_windows(facts: Facts, report: Report) -> None:
    """F401, F402, F403: GetSample over a window fails below a share of the samples; does something assure it?"""
    coverage = Coverage(facts)
    for call in facts.sample_calls:
        if call.is_count or call.node.method != "GetSample":
            continue
        needed = DEFAULT_PERCENT if call.percent is None else facts.constant(call.percent)
        if needed is None or needed <= 0 or percent_in_seconds(facts, call):
            continue
        _judge(facts, coverage, call, needed, report)


def _judge(facts: Facts, coverage: Coverage, call: SampleCall, needed: float, report: Report) -> None:
    lower: Assured | None = None
    elsewhere: SampleCall | None = None
    counted: Assured | None = None
    for assured in coverage.around(call.node):
        guard = coverage.sample_call(assured)
        if guard is None:
            if _enough_counted(assured, call, needed):
                return
            counted = assured
        elif guard.metric == call.metric and coverage.same_window(guard, call):
            if assured.percent is None or assured.percent >= needed or 0 < assured.percent < 1:
                # A fraction was meant as a percentage, which is a finding of its own.
                return
            lower = assured
        elif guard.metric == call.metric and (
            assured.percent is None or proves(guard, assured.percent, call, needed)
        ):
            return
        else:
            elsewhere = guard
    start, end = call.node.start, call.node.end
    window = _window(call, facts)
    if lower is not None and lower.percent is not None:
        edits = (Edit(lower.literal.start, lower.literal.end, f"{needed:g}"),) if lower.literal else ()
        report(
            "F402",
            start,
            end,
            f"the guard lets {lower.percent:g} % of the samples pass, and this call fails under {needed:g} %: between "
            "the two the evaluation fails and the pool keeps its size",
            f"compare with {needed:g}",
            edits,
        )
    elif elsewhere is not None:
        what = "metric" if elsewhere.metric != call.metric else "window"
        report(
            "F403",
            start,
            end,
            f"the guard looks at another {what} ({elsewhere.metric}, {_window(elsewhere, facts)}), so this call can "
            f"still find under {needed:g} % of its samples, and the evaluation fails",
            f"guard it with {_guard(facts, call)}",
        )
    elif call.percent is None and coverage.is_turned_round(call):
        report(
            "F402",
            start,
            end,
            "the guard is the wrong way round: this is computed only where samples are missing, and fails under "
            f"{needed:g} %",
            "exchange the branches, or turn the comparison round",
        )
    elif call.percent is None:
        seen = "Count() tells of the whole history, not of this window" if counted else "nothing guards this window"
        report(
            "F401",
            start,
            end,
            f"{seen}: under 70 % of the samples ({window}) the evaluation fails and the pool keeps its size, as it "
            "does on every new pool",
            f"write {_guard(facts, call)} < 70 ? max(0, {call.metric}.GetSample(1)) : ...",
        )


def _enough_counted(assured: Assured, call: SampleCall, needed: float) -> bool:
    """Is the history as long as the window at least? Then it is a guard against new pools, which is what most want."""
    if assured.count is None or call.far is None:
        return False
    return assured.count + 1 >= expected(call.far) * needed / 100


def _guard(facts: Facts, call: SampleCall) -> str:
    edges = [facts.source.text[edge.start : edge.end] for edge in _edges(facts, call)]
    return f"{call.metric}.GetSamplePercent({', '.join(edges)})"


def _edges(facts: Facts, call: SampleCall) -> tuple[Expression, ...]:
    arguments = call.node.arguments
    return arguments if call.percent is None else arguments[:-1]


def _window(call: SampleCall, facts: Facts) -> str:
    if call.far is None or call.near is None:
        return "of its window"
    return f"{_time(call.far)} to {_time(call.near)} ago" if call.near else f"of the last {_time(call.far)}"


def _time(seconds: float) -> str:
    if seconds and seconds % 60 == 0:
        return "1 minute" if seconds == 60 else f"{seconds / 60:g} minutes"
    return f"{seconds:g} s"


def odd_windows(facts: Facts, report: Report) -> None:
    """F404, F405, F406: windows in which there cannot be what the formula looks for."""
    told: set[tuple[str, float, float]] = set()
    for call in facts.sample_calls:
        if call.is_count or call.far is None or call.near is None:
            continue
        key = (call.metric, call.far, call.near)
        if key in told:
            continue
        told.add(key)
        edges = _edges(facts, call)
        start, end = edges[0].start, edges[-1].end
        if call.far - call.near < DEFAULT_PERIOD:
            report(
                "F404",
                start,
                end,
                f"the window is {call.far - call.near:g} s long and there is a sample every {DEFAULT_PERIOD:g} s: "
                "it can hold none, and then there is nothing to decide from",
                "take a window of several minutes",
            )
        elif call.far <= _DELAY:
            report(
                "F405",
                start,
                end,
                "a sample is visible about a minute after it was taken, so the newest minute is mostly empty",
                "take a window that goes back several minutes",
            )
        elif call.far > _DAY:
            report(
                "F406",
                start,
                end,
                f"the window goes back {call.far / _DAY:g} days: how long samples are kept is not documented, and in "
                "a mean over it the last hour hardly shows",
                "take minutes, or hours",
            )

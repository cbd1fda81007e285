"""Hypothesis strategies for programs that mean something: every expression has the type of its place."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from formula import PoolValues, Samples, TimeSeries

NOW = 1_790_000_013.0
METRICS = ["$PendingTasks", "$CPUPercent"]
Text = st.SearchStrategy[str]


def _either(*choices: Text) -> Text:
    return st.one_of(*choices)


def _build(form: str, **parts: Text) -> Text:
    return st.builds(lambda **values: form.format(**values), **parts)


metric = st.sampled_from(METRICS)
comparison = st.sampled_from(["<", "<=", "==", ">=", ">", "!="])
operator = st.sampled_from(["+", "-", "*", "/", "<", ">=", "==", "&&", "||"])
#: Edges that are the same in every evaluation, some of them in two ways of writing.
window = st.sampled_from(
    [
        "2 * TimeInterval_Minute",
        "TimeInterval_Second * 120",
        "TimeInterval_Minute, 3 * TimeInterval_Minute",
        "3 * TimeInterval_Minute, TimeInterval_Minute",
        "TimeInterval_Zero",
        "-TimeInterval_Minute, TimeInterval_Minute",
    ]
)
literal = st.sampled_from(["0", "1", "2", "3", "70", "0.5", "1.5", "100", "1e3", "1e308"])


def _sampled(number: Text) -> list[Text]:
    """What formulas do with samples: the newest one, and the same window asked for again and again."""
    function = st.sampled_from(["avg", "sum", "max", "min", "len"])
    return [
        _build("{f}({a}, {m}.GetSample(1))", f=function, a=number, m=metric),
        _build("{f}({m}.GetSample(1), {a}, {n}.GetSample(1.5))", f=function, a=number, m=metric, n=metric),
        _build("{f}({m}.GetSample(1))", f=function, m=metric),
        _build("val({m}.GetSample(1), {n})", m=metric, n=literal),
        _build("{m}.GetSamplePercent({w})", m=metric, w=window),
        _build("{f}({m}.GetSample({w}))", f=function, m=metric, w=window),
        _build("{f}(({m}.GetSample({w}, {n})))", f=function, m=metric, w=window, n=literal),
        _build("({m}.GetSamplePercent({w}) {o} {n} ? {a} : {f}({m}.GetSample({w})))", **_guarded(number, function)),
        _build("({n} {o} {m}.GetSamplePercent({w}) ? {f}({m}.GetSample({w})) : {a})", **_guarded(number, function)),
        _build(
            "({a} ? {f}({m}.GetSample({w})) : {g}({m}.GetSample({w})))", g=function, **_guarded(number, function)
        ),
        _build("({m}.GetSamplePercent({w}) {o} {n} && {f}({m}.GetSample({w})) > {a})", **_guarded(number, function)),
    ]


def _guarded(number: Text, function: Text) -> dict[str, Text]:
    return {"a": number, "f": function, "m": metric, "n": literal, "o": comparison, "w": window}


@cache
def expressions(variables: tuple[tuple[str, str], ...], depth: int) -> dict[str, Text]:
    """Strategies for the text of a number, vector, timestamp and interval; `variables` are (name, kind)."""
    known: dict[str, list[Text]] = {kind: [] for kind in ("number", "vector", "time", "interval", "mixed")}
    for name, kind in variables:
        known[kind].append(st.just(name))
    number: Text = _either(
        literal, st.just("$CurrentDedicatedNodes"), st.just("$TargetDedicatedNodes"), *known["number"]
    )
    vector: Text = _either(
        st.just("vec()"),
        _build("{m}.GetSample({n})", m=metric, n=literal),
        _build("{m}.GetSample({n} * TimeInterval_Minute)", m=metric, n=literal),
        _build("{m}.GetSample({w}, {n})", m=metric, w=window, n=literal),
        *known["vector"],
    )
    time: Text = _either(
        st.sampled_from(["time()", 'time("2026-09-21T12:00:00.5Z")', 'time("")', "$PendingTasks.HistoryBeginTime()"]),
        *known["time"],
    )
    interval: Text = _either(
        st.sampled_from(["TimeInterval_Minute", "TimeInterval_Zero", "TimeInterval_Hour"]),
        st.just("$CPUPercent.GetSamplePeriod()"),
        *known["interval"],
    )
    for _ in range(depth):
        edge = _either(interval, time)
        number, vector, time, interval = (
            _either(
                number,
                _build("({a} {o} {b})", a=number, b=number, o=st.sampled_from("+-*/")),
                _build("({a} {o} {b} {p} {c})", a=number, b=number, c=number, o=operator, p=operator),
                _build("({a} {o} {b})", a=number, b=number, o=comparison),
                _build("({a} {o} {b})", a=time, b=time, o=comparison),
                _build("({a} {o} {b})", a=interval, b=interval, o=comparison),
                _build("({a} ? {b} : {c})", a=number, b=number, c=number),
                _build("{f}({a}, {b})", f=st.sampled_from(["max", "min", "avg", "sum"]), a=number, b=number),
                _build("{f}({a})", f=st.sampled_from(["max", "min", "avg", "sum", "len"]), a=vector),
                _build("{f}({a}, {b})", f=st.sampled_from(["std", "norm", "range"]), a=vector, b=number),
                _build("{f}({a})", f=st.sampled_from(["round", "floor", "ceil", "lg", "ln", "log"]), a=number),
                _build("percentile({v}, {n})", v=vector, n=_either(literal, number)),
                _build("{f}({a}, {b})", f=st.sampled_from(["max", "min", "avg"]), a=number, b=vector),
                _build(
                    "{f}({c} ? {a} : {b})", f=st.sampled_from(["max", "ceil"]), a=number, b=number, c=number
                ),
                _build("max({c} ? {a} : {b})", a=number, b=vector, c=number),
                *_sampled(number),
                _build("val({v}, {n})", v=vector, n=number),
                _build("-{a}", a=number),
                _build("!{a}", a=number),
                _build(
                    "({a}).{m}", a=time, m=st.sampled_from(["hour", "weekday", "minute", "second", "day"])
                ),
                _build("{m}.Count()", m=metric),
                _build("{m}.GetSamplePercent({a})", m=metric, a=edge),
                _build("{m}.GetSamplePercent({a}, {b})", m=metric, a=edge, b=edge),
            ),
            _either(
                vector,
                _build("({a} {o} {b})", a=vector, b=vector, o=st.sampled_from("+-*/")),
                _build("({a} {o} {b})", a=vector, b=number, o=st.sampled_from("+-*/")),
                _build("({a} {o} {b})", a=number, b=vector, o=st.sampled_from("+-*/")),
                _build("vec({a}, {b})", a=number, b=vector),
                _build("{f}({a})", f=st.sampled_from(["ceil", "floor", "round", "lg", "ln", "log"]), a=vector),
                _build("{m}.GetSample({a})", m=metric, a=edge),
                _build("{m}.GetSample({a}, {n})", m=metric, a=edge, n=number),
                _build("{m}.GetSample({a}, {b}, {n})", m=metric, a=edge, b=edge, n=number),
            ),
            _either(
                time, _build("({a} + {b})", a=time, b=interval), _build("({a} - {b})", a=time, b=interval)
            ),
            _either(
                interval,
                _build("({a} - {b})", a=time, b=time),
                _build("({a} * {b})", a=interval, b=number),
                _build("({a} + {b})", a=interval, b=interval),
                _build("(-{a})", a=interval),
            ),
        )
    mixed = _either(
        _build("({c} ? {a} : {b})", a=number, b=vector, c=number),
        _build("({c} ? {a} : {b})", a=time, b=interval, c=number),
        _build("({c} ? {a} : {b}) + {i}", a=time, b=interval, c=number, i=interval),
        _build("({c} ? {a} : {b}) * {n}", a=number, b=vector, c=number, n=number),
    )
    return {"number": number, "vector": vector, "time": time, "interval": interval, "mixed": mixed}


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Variables get new values now and then, which may be of another kind."""
    variables: dict[str, str] = {}
    statements = []
    for index in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["number", "number", "vector", "time", "interval", "mixed"]))
        name = draw(st.sampled_from([f"v{index}", f"v{index}", *variables]))
        known = expressions(tuple(variables.items()), 2)
        value = known[kind]
        if kind == "number":
            value = _either(value, *_sampled(value))
        elif kind != "mixed":
            value = _either(value, _build("{c} ? {a} : {b}", a=value, b=value, c=known["number"]))
        statements.append(f"{name} = {draw(value)}")
        variables[name] = kind
    return ";\n".join(statements)


@st.composite
def histories(draw: st.DrawFn, huge: bool = False) -> Samples:
    """Samples every 30 seconds up to a few seconds before NOW, some missing, whole numbers or fractions.

    `huge`: also such that their sum is out of range.
    """
    kinds = [0.0, 0.0, 1.0, 4.0, 0.1, 33.3, None, *((1.5e308, -1e308) if huge else ())]
    series = {}
    for name in METRICS:
        values = draw(st.lists(st.sampled_from(kinds), max_size=25))
        first = NOW - 13 - 30 * len(values)
        series[name] = TimeSeries(
            (first + 30 * index, value) for index, value in enumerate(values) if value is not None
        )
    period = draw(st.sampled_from([30.0, 30.0, 60.0, 7.0]))
    return Samples(period, series, PoolValues(target_dedicated=3, current_dedicated=2))

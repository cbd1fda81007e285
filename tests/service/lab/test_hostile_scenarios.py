"""Whatever stands in a scenario or a trace: it can be used, or its fault is told; nothing else happens."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import inspect

from service.lab import scenario_checks
from service.lab.arrivals import ascending
from service.lab.csv_trace import csv_tasks
from service.lab.distributions import sampler
from service.lab.scenario import Scenario
from service.lab.scenario_file import LoadedScenario, load_scenario
from service.lab.streams import stream
from service.lab.swf import read_swf, swf_tasks
from service.lab.trace_file import TraceError
from service.lab.workloads import arranged
from service.problems import InputError

#: Single values of every kind, right and wrong.
SCALARS = st.one_of(
    st.sampled_from([
        None, True, "", "x", "\0", "-", ".", "..", "/", "PT", "PT5M", "P1D", "PT0S", "P9999999D", "P99999999999D",
        "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "* * * * *", "0 0 31 2 *",
        "Europe/Berlin", "../etc/passwd", "swf", "processor", "1e999", "-1e999", "nan", "inf", "1e308", "٣", "0x10",
        "1_000", "$TargetDedicatedNodes = 1;", "a = ;", 0, 1, -1, 2, 256, 257, 10**9, 10**30, 0.5, 1e-300, 1e300,
    ]),
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5),
)  # fmt: skip
JUNK = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


def values_of(kind: inspect.Type) -> st.SearchStrategy:
    """Values that are mostly of the right shape, with anything in them."""
    match kind:
        case inspect.UnionType():
            return st.one_of([values_of(each) for each in kind.types if not isinstance(each, inspect.NoneType)])
        case inspect.Metadata():
            return values_of(kind.type)
        case inspect.StructType():
            fields = {field.encode_name: values_of(field.type) for field in kind.fields}
            some = st.fixed_dictionaries({}, optional=fields)
            return st.one_of(some, some, some, JUNK)
        case inspect.VarTupleType():
            return st.lists(values_of(kind.item_type), max_size=3)
    right = {
        inspect.TimeDeltaType: st.sampled_from(["PT5M", "P1D", "PT0.5S"]),
        inspect.IntType: st.integers(0, 300),
        inspect.FloatType: st.floats(0, 1000) | st.integers(0, 3),
    }.get(type(kind))
    return SCALARS if right is None else right | SCALARS


@given(values_of(inspect.type_info(Scenario)))
@example({"workload": {"generate": {"rate": 1, "duration": {"constant": {"constant": 1}}, "for": "P1D"}}})
@example({"workload": {"trace": {"file": "\0"}}, "world": {"boot": {"empirical": {"a": []}}}})
@example({"formulas": ["\0", "\ud800", "x" * 5000, "y/" * 100, ""]})
@example({"start": "9999-12-31T23:59:59-12:00", "workload": {"trace": {"file": "a.csv", "from": "P9999999D"}}})
def test_a_scenario_is_taken_or_refused(document):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        with suppress(InputError):
            assert isinstance(load_scenario(path), LoadedScenario)


KINDS = {
    "uniform": {"low": 1, "high": 2}, "exponential": {"mean": 3}, "lognormal": {"mean": 3, "sigma": 1},
    "pareto": {"minimum": 1, "alpha": 2}, "weibull": {"scale": 3, "shape": 1}, "empirical": [1, 2, 3], "constant": 4,
}  # fmt: skip
WORLD = {
    "taskSlotsPerNode": 4, "pricePerHour": {"dedicated": 1, "lowPriority": 0.1}, "minimumBilling": "PT1M",
    "preemptionsPerHour": 0.1, "quota": {"dedicated": 9, "lowPriority": 9}, "sampleDelay": "PT1M", "sampleLoss": 0.1,
    "evaluationInterval": "PT5M", "initialTargets": {"dedicated": 1, "lowPriority": 2},
}  # fmt: skip
MADE = {"duration": 5, "slots": 1, "for": "PT2H"}
WORKLOADS = (
    {"trace": {"file": "t.csv", "format": "csv", "unit": "task", "from": "PT1S", "for": "PT1M", "speed": 2}},
    {"trace": {"file": "t.swf", "unit": "processor", "mostPerJob": 3}},
    {"recurring": {"every": "PT10M", "tasks": 2, **MADE}},
    {"recurring": {"cron": "* * * * *", "timeZone": "UTC", "tasks": 2, **MADE}},
    {"generate": {"rate": 9, "waves": {"daily": 0.5, "peakHour": 3, "weekly": 0.5}, **MADE}},
    {"generate": {"bursts": {"perDay": 40, "tasks": 2}, **MADE}},
)


def leaves(value, path=()):
    """The ways to the single values of a document."""
    if not isinstance(value, dict | list):
        yield path
        return
    for key in value if isinstance(value, dict) else range(len(value)):
        yield from leaves(value[key], (*path, key))


@st.composite
def nearly_right(draw):
    """A scenario that is right, and then has two things in the places of others."""
    kind, workload = draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(WORKLOADS))
    boot = {kind: KINDS[kind], "atLeast": 1, "atMost": 9}
    whole = {"seed": 1, "start": "2026-01-01T00:00:00Z", "workload": workload, "world": {"boot": boot, **WORLD}}
    document = json.loads(json.dumps(whole))
    for path in draw(st.lists(st.sampled_from(sorted(leaves(whole), key=str)), max_size=2)):
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = draw(SCALARS)
    return document


@given(nearly_right())
def test_what_is_taken_can_be_arranged(document):
    with TemporaryDirectory() as folder, suppress(InputError), patch.object(scenario_checks, "MOST_TASKS", 2000):
        path = Path(folder) / "s.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        (path.parent / "t.csv").write_text("time,duration\n1,2\n3,4\n")
        (path.parent / "t.swf").write_text("1 0 0 5 2\n2 7 0 5 8\n")
        loaded = load_scenario(path)
        found = arranged(loaded, stream(loaded.spec.seed, "arrivals"))
        slots = loaded.spec.world.task_slots_per_node
        assert ascending(found.arrivals.times)
        assert found.arrivals.times[0] >= 0 <= found.start
        assert found.arrivals.times[-1] <= found.arrivals.horizon
        assert all(0 < duration <= 1e9 for duration in found.arrivals.durations)
        assert all(1 <= each <= slots for each in found.arrivals.slots)
        boot = sampler(loaded.spec.world.boot, stream(1, "boots"))
        assert all(0 <= boot() <= 1e9 for _ in range(5))


FIELDS = st.one_of(
    st.integers(-2, 10**12).map(str), st.floats().map(str), st.sampled_from(["-1", "0", "x", ";", "1e400", "\xa0", "٣"])
)
LINES = st.lists(FIELDS, max_size=20).map(" ".join)


@given(st.one_of(st.binary(), st.lists(LINES, max_size=8).map(lambda lines: "\n".join(lines).encode())), st.booleans())
def test_a_log_is_taken_or_refused(data, each_processor):
    with suppress(TraceError):
        log = read_swf(data)
        assert log.began is None or log.began > 0
        tasks = swf_tasks(log, each_processor, 3)
        assert len(tasks.times) == len(tasks.durations) == len(tasks.slots)
        assert all(time >= 0 for time in tasks.times)
        assert all(duration > 0 for duration in tasks.durations)


CELLS = FIELDS | st.sampled_from(["PT5M", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", '"', "", "nan"])
ROWS = st.lists(CELLS, max_size=4).map(",".join)
TABLES = st.lists(ROWS, max_size=8).map(lambda rows: "\n".join(["time,duration", *rows]).encode())


@given(st.binary() | TABLES)
def test_a_table_is_taken_or_refused(data):
    with suppress(TraceError):
        tasks = csv_tasks(data, 4)
        assert len(tasks.times) == len(tasks.durations) == len(tasks.slots)
        assert all(time >= 0 for time in tasks.times)
        assert all(duration > 0 for duration in tasks.durations)

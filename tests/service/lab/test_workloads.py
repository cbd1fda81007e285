"""From a scenario to its tasks: the part of a trace that is asked for, when it starts, and what cannot be arranged."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.arrivals import arrivals_of
from service.lab.scenario import NO_DATE
from service.lab.scenario_file import load_scenario
from service.lab.streams import stream
from service.lab.workloads import arranged
from service.problems import InputError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "scenarios"
LOG = b"; UnixStartTime: 1700000000\n1 0 0 60 2\n2 100 0 -1 2\n3 300 0 50 3\n4 200 0 40 1\n5 900 0 30 1\n"
BEGAN = 1_700_000_000.0


def arrange(folder: Path, workload: str, more: str = "", seed: int = 1):
    path = folder / "s.yaml"
    written = workload if workload.startswith("\n") else f"{{{workload}}}"
    path.write_text(f"workload: {written}\n{more}", encoding="utf-8")
    return arranged(load_scenario(path), stream(seed, "arrivals"))


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log.swf").write_bytes(LOG)
    return tmp_path


def trace(more: str = "") -> str:
    return f"trace: {{file: log.swf{more}}}"


@pytest.mark.parametrize(
    ("more", "times", "horizon", "start"),
    [
        ("", [0, 200, 300, 900], 900, BEGAN),
        (", from: PT3M20S", [0, 100, 700], 700, BEGAN + 200),
        (", from: PT201S", [99, 699], 699, BEGAN + 201),
        (", for: PT5M", [0, 200], 300, BEGAN),
        (", for: PT5M1S", [0, 200, 300], 301, BEGAN),
        (", for: P1D", [0, 200, 300, 900], 86400, BEGAN),
        (", from: PT100S, for: PT200S", [100], 200, BEGAN + 100),
        (", speed: 2", [0, 100, 150, 450], 450, BEGAN),
        (", from: PT100S, for: PT400S, speed: 4", [25, 50], 100, BEGAN + 100),
        (", speed: 0.5", [0, 400, 600, 1800], 1800, BEGAN),
    ],
)
def test_the_part_of_a_trace_that_is_asked_for(log, more, times, horizon, start):
    found = arrange(log, trace(more))
    assert (list(found.arrivals.times), found.arrivals.horizon, found.start) == (times, horizon, start)


def test_speed_changes_how_often_tasks_come_and_not_how_long_they_take(log):
    assert list(arrange(log, trace(", speed: 4")).arrivals.durations) == [60, 40, 50, 30]


def test_what_became_of_a_trace_is_noted(log):
    found = arrange(log, trace(", unit: processor, mostPerJob: 2"))
    assert list(found.arrivals.durations) == [60, 60, 40, 50, 50, 30]
    assert found.notes == (
        "1 job left out: no run time is known, as of jobs that were cancelled before they ran",
        "1 job of more than 2 processors became 2 tasks each",
        "the lines were not in the order of time, and have been sorted",
    )


@pytest.mark.parametrize(
    ("head", "offset", "start"),
    [
        ("", 0, NO_DATE),
        ("; UnixStartTime: 0\n", 0, NO_DATE),
        ("; UnixStartTime: 1700000000\n", 0, BEGAN),
        # times that are themselves of the epoch: the first task is the beginning
        ("", 1_600_000_000, 1_600_000_000.0),
        ("; UnixStartTime: 1700000000\n", 1_600_000_000, 1_600_000_000.0),
    ],
)
def test_when_a_trace_begins(tmp_path, head, offset, start):
    (tmp_path / "log.swf").write_text(f"{head}1 {offset} 0 60 1\n2 {offset + 7} 0 60 1\n")
    found = arrange(tmp_path, trace())
    assert (list(found.arrivals.times), found.start) == ([0, 7], start)


def test_a_scenario_may_start_at_another_time_than_its_trace(log):
    found = arrange(log, trace(", from: PT200S"), "start: 2026-01-01T00:00:00Z\n")
    assert (found.start, list(found.arrivals.times)) == (1767225600.0, [0, 100, 700])


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "T.CSV.GZ", "log"])
def test_the_format_is_as_the_name_ends(tmp_path, name):
    data = b"time,duration,slots\n2026-01-01T00:00:00Z,PT1M,2\n2026-01-01T00:01:00Z,30,1\n"
    (tmp_path / name).write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
    more = ", format: csv" if name == "log" else ""
    found = arrange(tmp_path, f"trace: {{file: {name}{more}}}", "world: {taskSlotsPerNode: 2}\n")
    assert found.start == 1767225600.0
    assert list(zip(found.arrivals.times, found.arrivals.durations, found.arrivals.slots, strict=True)) == [
        (0.0, 60.0, 2), (60.0, 30.0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "more", "told"),
    [
        ("log.swf", LOG, ", from: P1D", "no task arrives in the part that was asked for; the last one comes PT15M"),
        ("log.swf", b"; x\n", "", "log.swf: holds no task that can be simulated"),
        ("log.swf", b"1 0 0 -1 1\n", "", "simulated; 1 job left out: no run time is known"),
        ("log.swf", b"1 0 0 1 1\n2 oh 0 1 1\n", "", "log.swf:2:1: field 2, the submit time, is 'oh'"),
        ("log.swf", b"1 0 0 1 1\n2 1600000000 0 1 1\n", "", "log.swf: some times are seconds since the beginning"),
        ("log.txt", LOG, "", "log.txt: its name does not end in .swf or .csv; say in the trace's format what it is"),
        ("log.csv", b"time,duration\n1,1\n", ", unit: processor", "log.csv: unit: processor is for SWF"),
        ("log.csv", b"time,duration,slots\n1,1,2\n", "", "log.csv:2:1: 2 slots, and a node has 1"),
        (None, b"", "", "cannot be read: No such file or directory; name it relative to the scenario's folder"),
    ],
)
def test_a_trace_that_cannot_be_arranged(tmp_path, name, data, more, told):
    if name is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as refused:
        arrange(tmp_path, f"trace: {{file: {name or 'gone.swf'}{more}}}")
    assert told in str(refused.value), refused.value


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (os.mkfifo, "is not a regular file; write what comes from there into one"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (lambda path: path.mkdir(), "is a folder; name the file in it"),
    ],
    ids=["none", "pipe", "device", "folder"],
)
def test_what_is_no_file_is_told_where_it_is_named(tmp_path, make, told):
    """At once: nobody waits for a pipe that nobody writes to."""
    file = tmp_path / "log.swf"
    make(file)
    with pytest.raises(InputError) as refused:
        arrange(tmp_path, "\n  trace:\n    file: log.swf\n")
    assert str(refused.value).startswith(f"{tmp_path / 's.yaml'}:3:11: workload.trace.file: {file}: {told}")


def test_a_workload_without_any_task(tmp_path):
    with pytest.raises(InputError, match="no task arrives; raise how often they do"):
        arrange(tmp_path, "generate: {rate: 0.000001, duration: 1, for: PT1S}")
    with pytest.raises(InputError, match="no task arrives"):
        arrange(tmp_path, "recurring: {cron: 0 0 29 2 *, tasks: 1, duration: 1, for: P1D}")


def test_a_line_of_cron_that_comes_too_often(tmp_path):
    with pytest.raises(InputError, match="would be more than 10000000 tasks; let it recur less often"):
        arrange(tmp_path, "recurring: {cron: '* * * * *', tasks: 9000000, duration: 1, for: PT2M}")


@pytest.mark.parametrize("kind", ["generate: {rate: 60", "recurring: {every: PT1M, tasks: 1"])
def test_the_seed_decides_what_chance_makes(tmp_path, kind):
    workload = f"{kind}, duration: {{exponential: {{mean: 5}}}}, for: P1D}}"
    one, same, other = (arrange(tmp_path, workload, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.arrivals.durations != other.arrivals.durations
    assert one.start == NO_DATE


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 3)), max_size=20))
def test_tasks_are_put_in_the_order_of_their_times(tasks):
    found = arrivals_of([time for time, _ in tasks], range(len(tasks)), [slots for _, slots in tasks])
    expected = sorted(((time, number, slots) for number, (time, slots) in enumerate(tasks)))
    assert list(zip(found.times, map(int, found.durations), found.slots, strict=True)) == expected
    assert found.horizon == max((time for time, _ in tasks), default=0.0)


@pytest.mark.parametrize(
    ("name", "tasks", "days"), [("office-hours", (12_000, 15_000), 14), ("nightly", (6000, 6000), 28),
                                ("cluster", (1500, 2500), 3.94)]
)  # fmt: skip
def test_the_examples_can_be_simulated(name, tasks, days):
    loaded = load_scenario(EXAMPLES / f"{name}.yaml")
    assert (len(loaded.formulas), loaded.warnings) == (2, ())
    found = arranged(loaded, stream(loaded.spec.seed, "arrivals"))
    assert tasks[0] <= len(found.arrivals) <= tasks[1]
    assert found.arrivals.horizon == pytest.approx(days * 86400, rel=0.01)


def test_every_example_is_tried_here():
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {"office-hours", "nightly", "cluster"}

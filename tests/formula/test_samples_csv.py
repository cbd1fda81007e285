"""Samples from CSV, as people and their tools write it."""

from __future__ import annotations

import json

import pytest

from formula import PoolValues, Samples, TimeSeries, format_time, read_samples
from formula.replay import read_recording
from formula.samples_csv import read_table

EIGHT = 1_769_846_400.0  # 2026-01-31T08:00:00Z
PENDING = TimeSeries([(EIGHT, 4.0), (EIGHT + 60, 6.5)])
WRITTEN = [
    "time,$PendingTasks\n2026-01-31T08:00:00Z,4\n2026-01-31T08:00:30Z,\n2026-01-31T08:01:00Z,6.5\n",
    "Timestamp;PendingTasks\r\n1769846400;4\r\n1769846430;\r\n1769846460;6.5\r\n",
    "\ufeffmoment\tPendingTasks\n1769846400.0\t4\n\n1769846430\tNaN\n1769846460\t6.5",
    'PendingTasks,time\n"4","Sat, 31 Jan 2026 08:00:00 GMT"\nnull,2026-01-31 08:00:30\n 6.5 ,2026-01-31T09:01+01:00\n',
]


@pytest.mark.parametrize("text", WRITTEN)
def test_the_same_recording(text: str) -> None:
    samples, now = read_samples("s.csv", text.encode())
    assert (samples, now) == (Samples(30.0, {"$PendingTasks": PENDING}), EIGHT + 60)


def test_only_what_was_there_at_the_time() -> None:
    text = "time,CurrentDedicated,TargetDedicatedNodes\n0,1,2\n30,3,4\n60,5,\n"
    samples, now = read_samples("s.csv", text, 30.0)
    assert now == 30.0
    assert samples.pool == PoolValues(current_dedicated=3.0, target_dedicated=4.0)
    assert samples.series["$CurrentDedicatedNodes"] == TimeSeries([(0.0, 1.0), (30.0, 3.0)])


@pytest.mark.parametrize(
    ("times", "period"), [([], 30), ([5], 30), ([0, 60, 120, 600], 60), ([0, 29.7, 60.2, 90], 30), ([0, 0.1, 0.2], 0.1)]
)
def test_the_period_is_the_usual_distance(times: list[float], period: float) -> None:
    table = read_table("time,PendingTasks\n" + "".join(f"{time},1\n" for time in times))
    assert table.period == period


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("time\n1\n", "line 1: only one column"),
        ("time,Pending\n", "line 1: there is no variable Pending"),
        ("time,PendngTasks\n", "line 1: there is no variable PendngTasks; did you mean $PendingTasks?"),
        ("time,PendingTasks,$PendingTasks\n", "line 1: $PendingTasks has two columns"),
        ("time,PendingTasks,\n", "line 1: column 3 has no name"),
        ("\ntime,PendingTasks\n1,2\n3\n", "line 4: 1 cells, but the first line names 2 columns"),
        ("time,PendingTasks\n1,2\n\n2,x\n", "line 4: $PendingTasks must be a number, not 'x'"),
        ("time,PendingTasks\n1,1e999\n", "line 2: $PendingTasks must be finite, not '1e999'"),
        ("time,PendingTasks\n1,2\nnever,2\n", "line 3: 'never' is not a time"),
        ("time,PendingTasks\nnan,2\n", "line 2: 'nan' is not a time: it must be finite"),
        ("time,PendingTasks\n2,2\n2,2\n", "line 3: its time is not after that of the row before"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    for read in (read_samples, read_recording):
        with pytest.raises(ValueError, match=r"^s\.csv: ") as refused:
            read("s.csv", text)
        assert told in str(refused.value)


@pytest.mark.parametrize("zone", ["Z", "", "+00:00"])
@pytest.mark.parametrize("wrong", [None, 20_000, 39_999])
def test_long_files(zone: str, wrong: int | None) -> None:
    """They are read by parts, and times that are all written alike at once."""
    count = 40_000
    lines = [f"{format_time(EIGHT + 30 * number)[:19]}{zone},{number % 7}" for number in range(count)]
    if wrong is not None:
        lines[wrong] = lines[wrong - 1]
    text = "time,PendingTasks\n" + "\n".join(lines)
    if wrong is None:
        table = read_table(text)
        assert table.times == [EIGHT + 30 * number for number in range(count)]
        assert table.columns == {"$PendingTasks": [float(number % 7) for number in range(count)]}
    else:
        with pytest.raises(ValueError, match=f"line {wrong + 2}: its time is not after"):
            read_table(text)


def test_a_time_that_is_written_otherwise_is_found_in_a_long_file() -> None:
    times = [format_time(EIGHT + 30 * number)[:19] + "Z" for number in range(20_000)]
    times[17] = "2026-01-31T09:08:30+1Z"  # as long as the others
    with pytest.raises(ValueError, match=r"line 19: '2026-01-31T09:08:30\+1Z' is not a time"):
        read_table("time,PendingTasks\n" + "".join(f"{time},1\n" for time in times))


@pytest.mark.parametrize("name", ["s.json", "s"])
def test_json_is_told_from_csv(name: str) -> None:
    data = {"now": "2026-01-31T08:00:30Z", "series": {"$PendingTasks": {"values": [4, None, 6]}}}
    samples, now = read_samples(name, "\ufeff" + json.dumps(data))
    assert now == EIGHT + 30
    assert samples.series == {"$PendingTasks": TimeSeries([(EIGHT - 30, 4.0), (EIGHT + 30, 6.0)])}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("s.json", b"{", "s.json: is not JSON: Expecting"),
        ("s.json", b"time,PendingTasks\n", "s.json: is not JSON: Expecting"),
        ("s.json", b'{"now": 1700000000000, "series": {}}', "s.json: now: 1700000000000 is not a time: "),
        ("s.json", b'{"period": 1%s, "series": {}}' % (b"0" * 400), "s.json: period: is larger than any number"),
        ("s.csv", b"time,A\n1,2\n", "s.csv: line 1: there is no variable A; remove its column"),
        ("s.csv", b"time,PendingTasks,\n1,2,\n", "s.csv: line 1: column 3 has no name"),
        ("s.csv", b"time,PendingTasks\n1,2\n1700000000000,2\n", "s.csv: line 3: '1700000000000' is not a time: "),
        ("s.csv", b'time,PendingTasks\n1,2\n2,"3\n4"\n', "s.csv: line 3: a line ends inside of quotes; each quote"),
        ("s.csv", b'time,PendingTasks\n1,2\n2,"3"4\n', "s.csv: line 3: ',' expected after '\"'; each quote"),
        ("s.csv", b'time,PendingTasks\n1,"' + b"2" * 200_000 + b'"\n', "s.csv: line 2: field larger than"),
        ("s.csv", b"{}", "s.csv: line 1: only one column"),
        ("s.csv", b"time,Pending\xff", "s.csv: is not UTF-8"),
        ("s.json", b"[" * 100_000, "s.json: is nested too deeply"),
    ],
)
def test_what_is_no_file_of_samples(name: str, content: bytes, told: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_samples(name, content)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.csv", "time,PendingTasks\n1,4\n2,5\n3,6\n"),
        ("s.json", '{"period": 1, "series": {"$PendingTasks": {"end": 3, "values": [4, 5, 6]}}}'),
    ],
)
def test_what_comes_later_is_not_seen(name: str, content: str) -> None:
    samples, now = read_samples(name, content, 2.0)
    assert now == 2.0
    assert samples.series == {"$PendingTasks": TimeSeries([(1.0, 4.0), (2.0, 5.0)])}

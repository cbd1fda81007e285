"""Traces as CSV: a row is a task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.csv_trace import csv_tasks
from service.lab.trace_file import TraceError


def rows(text, most_slots=8):
    found = csv_tasks(text.encode() if isinstance(text, str) else text, most_slots)
    return list(zip(found.times, found.durations, found.slots, strict=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("time,duration\n0,60\n1.5,0.25\n", [(0, 60, 1), (1.5, 0.25, 1)]),
        ("time,duration,slots\n0,60,2\n", [(0, 60, 2)]),
        ("\ufeffDuration;Slots;Time\r\n60;1;5\r\n\r\n61;8;6\r\n", [(5, 60, 1), (6, 61, 8)]),
        ("time\tduration\n3\tPT5M\n", [(3, 300, 1)]),
        (' time , duration\n 3 , "PT0.5S"\n', [(3, 0.5, 1)]),
        ("\n\ntime,duration\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:01+01:00,2\n",
         [(1767225600, 1, 1), (1767225601, 2, 1)]),
        ("time,duration\n1767225600.5,1\n", [(1767225600.5, 1, 1)]),
        ("time,duration\n", []),
        ("time,duration\n9,1\n3,1\n", [(9, 1, 1), (3, 1, 1)]),
    ],
)  # fmt: skip
def test_tables(text, found):
    assert rows(text) == found


def test_other_columns_count_for_nothing_and_are_named():
    found = csv_tasks(b"id,time,user,duration\na,1,eve,2\n", 1)
    assert (list(found.times), found.notes) == ([1.0], ("columns that count for nothing: id, user",))


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "", "is empty; its first line is to name the columns: time,duration,slots"),
        ("\n \n", "", "is empty"),
        ("0,60\n", "1:1", "no column is called 'time'; there are '0', '60'"),
        ("times,duration\n", "1:1", "no column is called 'time'; rename 'times'"),
        ("time,runtime\n", "1:1", "no column is called 'duration'; there are 'time', 'runtime'"),
        ("time,duration,time\n", "1:1", "two columns are called time; rename one"),
        ("time,duration\n1\n", "2:1", "1 cells, and the first line names 2 columns"),
        ("time,duration\n1,2\n-1,2\n", "3:1", "the time '-1' is none"),
        ("time,duration\nnan,2\n", "2:1", "the time 'nan' is none"),
        ("time,duration\nsoon,2\n", "2:1", "the time is no date and time: 'soon'; write for instance"),
        ("time,duration\n2026-01-01T00:00:00,2\n", "2:1", "says no time zone"),
        ("time,duration\n1,2\n2026-01-01T00:00:00Z,2\n", "3:1", "some times are seconds, others dates"),
        ("time,duration\n1,0\n", "2:1", "the duration '0' must be above 0"),
        ("time,duration\n1,-3\n", "2:1", "the duration '-3' must be above 0"),
        ("time,duration\n1,inf\n", "2:1", "the duration 'inf' must be above 0 and at most"),
        ("time,duration\n1,PT\n", "2:1", "the duration is no ISO 8601 duration: 'PT'; write for instance"),
        ("time,duration,slots\n1,1,0\n", "2:1", "the slots '0' must be a whole number, at least 1"),
        ("time,duration,slots\n1,1,1.5\n", "2:1", "the slots '1.5' must be a whole number"),
        ("time,duration,slots\n1,1,9\n", "2:1", "9 slots, and a node has 8; raise the world's taskSlotsPerNode"),
        ('time,duration\n1,"2\n', "2:1", "is no CSV"),
        (b"time,duration\n\xff,2\n", "2:1", "is not UTF-8"),
    ],
)
def test_what_is_no_trace(text, place, told):
    with pytest.raises(TraceError) as refused:
        rows(text)
    assert (str(refused.value.place), told in str(refused.value)) == (place, True), refused.value


ROW = st.tuples(st.floats(0, 1e8), st.floats(0.001, 1e9), st.integers(1, 8))


@given(st.lists(ROW, max_size=20), st.sampled_from([",", ";", "\t"]), st.permutations([0, 1, 2]))
def test_what_is_written_is_read(written, delimiter, order):
    names = ("time", "duration", "slots")
    lines = [[names[at] for at in order], *([repr(row[at]) for at in order] for row in written)]
    assert rows("\n".join(delimiter.join(line) for line in lines)) == written

"""Logs in the Standard Workload Format, as public archives and tools write them."""

import gzip
import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.swf import DID_NOT_RUN, NO_RUN_TIME, NOT_SUBMITTED, PART, read_swf, swf_tasks
from service.lab.trace_file import TraceError, read_bytes

#: As large logs are: head with names in an old encoding, jobs that were cancelled, requested but not allocated.
ARCHIVE = b"""; Version: 2.2
; Computer: Linux cluster
; Acknowledge: \xc5ke N.N.
; UnixStartTime: 1027839845
; TimeZoneString: Europe/Stockholm
; StartTime: Sun Jul 28 09:04:05 CEST 2002
; MaxNodes: 240
; MaxProcs: 240
; Note: one
; Note: two
; Queue:  1 [fque:1] \n;
    1        0 308434  31405   30  31405    -1   30  37980    -1  1   1   1  -1 -1  1 -1 -1
   12   342343      5    553   40 552.21    -1   40  43200    -1  0   4   1  -1 -1  1 -1 -1
   16   347726      5     -1    8 240379    -1    8 345600    -1 -1   5   1  -1 -1  1 -1 -1
   17   347844      9      0    8   2201    -1    8 432000    -1  5   5   1  -1 -1  1 -1 -1
   18   347850      9     60   -1   2201    -1    8 432000    -1  5   5   1  -1 -1  1 -1 -1
   19       -1     -1     60   -1   2201    -1    8 432000    -1  1   5   1  -1 -1  1 -1 -1
"""


def jobs(log):
    return list(zip(log.submits, log.runs, log.processors, strict=True))


def test_a_log_of_an_archive():
    log = read_swf(ARCHIVE)
    assert jobs(log) == [(0.0, 31405.0, 30), (342343.0, 553.0, 40), (347850.0, 60.0, 8)]
    assert log.left_out == {NO_RUN_TIME: 1, DID_NOT_RUN: 1, NOT_SUBMITTED: 1}
    assert log.began == 1027839845.0
    assert (log.head["MaxProcs"], log.head["Note"]) == ("240", "one")
    assert log.head["StartTime"] == "Sun Jul 28 09:04:05 CEST 2002"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        # a model: no waits, nothing requested, no date
        (b"; MaxNodes: 256\n1    5094 -1   12072  16 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n", [(5094, 12072, 16)]),
        # fractions of seconds, from a simulator
        (b"0 0.5 0.0 88.51 1 -1 -1 1 149.0 -1 1 -1 -1 -1 -1 -1 -1 -1\n", [(0.5, 88.51, 1)]),
        # columns beyond the 18, with whatever is in them
        (b"1 3 71 11 12 1 1024 12 1209600 91268055040 1 101 1 1 -1 1 1 1 {1129,1129} q_2w 1:ppn=12\n", [(3, 11, 12)]),
        # only what nobody can do without
        (b"1 3 0 7\n2 4 0 8 3\n3 5 0 9 -1 -1 -1\n", [(3, 7, 1), (4, 8, 3), (5, 9, 1)]),
        # no processors at all
        (b"1 3 0 7 0 -1 -1 0 1\n", [(3, 7, 1)]),
        # ends of lines, tabs, empty lines, comments between jobs
        (b"1\t3\t0\t7\t2\r\n\r\n  ; Note: x\r\n;\r\n2 4 0 8 1\r\n", [(3, 7, 2), (4, 8, 1)]),
        # a byte order mark, as editors on Windows put one there
        (b"\xef\xbb\xbf1 3 0 7 2\n", [(3, 7, 2)]),
        (b"\xef\xbb\xbf; MaxNodes: 2\n1 3 0 7 2\n", [(3, 7, 2)]),
        # no order
        (b"1 9 0 7 2\n2 4 0 8 1", [(9, 7, 2), (4, 8, 1)]),
        (b"", []),
        (b"; UnixStartTime: 5\n", []),
    ],
)
def test_what_tools_write(data, found):
    assert jobs(read_swf(data)) == found


def test_parts_of_a_job_count_once():
    whole = b"7 100 10 60 4 -1 -1 4 -1 -1 1\n"
    parts = b"7 -1 10 25 4 -1 -1 4 -1 -1 2\n7 -1 99 35 4 -1 -1 4 -1 -1 3\n8 -1 99 35 4 -1 -1 4 -1 -1 4\n"
    log = read_swf(whole + parts)
    assert jobs(log) == [(100.0, 60.0, 4)]
    assert log.left_out == {PART: 3}


@pytest.mark.parametrize(
    ("said", "began"),
    [("1027839845", 1027839845.0), ("1027839845 (or so)", 1027839845.0), ("0", None), ("-1", None), ("UNKNOWN", None),
     ("", None), ("nan", None), ("1e99", None)],
)  # fmt: skip
def test_when_a_log_began(said, began):
    assert read_swf(f"; UnixStartTime: {said}\n".encode()).began == began


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"1 2 3", "has 3 fields; a job of SWF has 18, and its run time is the fourth"),
        (b"1 x 0 7 1", "field 2, the submit time, is 'x'; it must be a number that can be, or -1"),
        (b"1 2 0 7s 1", "field 4, the run time, is '7s'"),
        (b"1 2 0 7 many", "field 5, the allocated processors, is 'many'"),
        (b"1 2 0 7 -1 -1 -1 few", "field 8, the requested processors, is 'few'"),
        (b"1 nan 0 7 1", "field 2, the submit time, is 'nan'"),
        (b"1 2 0 inf 1", "field 4, the run time, is 'inf'"),
        (b"1 2 0 1000000001 1", "field 4, the run time, is '1000000001'"),
        (b"1 2 0 7 nan", "field 5, the allocated processors, is 'nan'"),
        (b"1 2 0 7 1e99", "field 5, the allocated processors, is '1e99'"),
        (b"1 2 0 " + b"0" * 50 + b"9" * 20, "field 4, the run time, is '0000"),
        (b"1 \xd9\xa1 0 7 1", "field 2, the submit time"),
        (b"<html> <body> not found </body>", "field 2, the submit time, is '<body>'"),
    ],
)
def test_a_line_that_is_no_job_is_named(line, told):
    with pytest.raises(TraceError) as refused:
        read_swf(b"; x\n1 2 0 7 1\n" + line + b"\n")
    assert told in str(refused.value)
    assert str(refused.value.place) == "3:1"


def test_a_job_is_one_task_or_one_for_each_processor():
    log = read_swf(ARCHIVE)
    one = swf_tasks(log)
    assert (list(one.durations), list(one.slots)) == ([31405.0, 553.0, 60.0], [1, 1, 1])
    assert one.began == 1027839845.0
    each = swf_tasks(log, each_processor=True)
    assert [each.durations.count(run) for run in (31405.0, 553.0, 60.0)] == [30, 40, 8]
    assert set(each.slots) == {1}
    few = swf_tasks(log, each_processor=True, most=30)
    assert [few.durations.count(run) for run in (31405.0, 553.0, 60.0)] == [30, 30, 8]
    assert few.notes == (
        f"1 job left out: {NO_RUN_TIME}",
        f"1 job left out: {DID_NOT_RUN}",
        f"1 job left out: {NOT_SUBMITTED}",
        "1 job of more than 30 processors became 30 tasks each",
    )


def test_more_tasks_than_can_be_simulated():
    log = read_swf(b"1 0 0 5 2000000000\n2 0 0 5 2000000000\n")
    with pytest.raises(TraceError, match=r"would be 4000000000 tasks.*give mostPerJob, or unit: task"):
        swf_tasks(log, each_processor=True)
    assert len(swf_tasks(log, each_processor=True, most=100).times) == 200


NUMBER = st.one_of(st.integers(0, 10**8), st.floats(0, 1e8).map(lambda value: round(value, 3)))
JOB = st.tuples(NUMBER, NUMBER.filter(bool), st.integers(1, 2**31 - 1))


@given(st.lists(JOB, max_size=20), st.sampled_from([4, 18, 25]))
def test_what_is_written_is_read(written, width):
    lines = []
    for number, (submit, run, processors) in enumerate(written, 1):
        fields = [number, submit, -1, run, processors, *[-1] * 20][: max(width, 5)]
        lines.append(" ".join(map(str, fields)))
    assert jobs(read_swf("\n".join(lines).encode())) == [(float(a), float(b), c) for a, b, c in written]


def test_a_compressed_file_is_read_as_well(tmp_path):
    path = tmp_path / "log.swf.gz"
    path.write_bytes(gzip.compress(ARCHIVE))
    assert read_bytes(path) == ARCHIVE
    path.write_bytes(gzip.compress(ARCHIVE)[:-20])
    with pytest.raises(TraceError, match="is not wholly there, or no file of gzip"):
        read_bytes(path)
    path.write_bytes(b"\x1f\x8bnonsense of a kind")
    with pytest.raises(TraceError, match="is not wholly there, or no file of gzip"):
        read_bytes(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TraceError, match="is a folder"):
        read_bytes(tmp_path)
    with pytest.raises(TraceError, match="cannot be read: No such file"):
        read_bytes(tmp_path / "none")


def test_a_hundred_thousand_jobs_are_read_within_a_second():
    line = b"%7d %9d  30843  31405   30  31405    -1   30  37980    -1  1   1   1  -1 -1  1 -1 -1\n"
    data = ARCHIVE + b"".join(line % (number, number * 300) for number in range(100_000))
    begun = time.process_time()
    tasks = swf_tasks(read_swf(data))
    assert time.process_time() - begun < 1.0
    assert len(tasks.times) == 100_003
    assert isinstance(tasks.times, array)

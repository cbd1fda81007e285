"""Failures are grouped by what made them, whatever differs from task to task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.failure_causes import causes, failed_task, last_lines


def view(task_id, code="FailureExitCode", message="the task exited with code 1", exit_code=1, node="node-1"):
    execution = {"failureInfo": {"code": code, "message": message}, "exitCode": exit_code}
    return {"id": task_id, "executionInfo": execution, "nodeInfo": {"nodeId": node}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ValueError: row 3 is bad", "ValueError: row 17 is bad"),
        ("at 0x7f3a10 it ended", "at 0x55 it ended"),
        ("no file /tmp/t-1/x", "no file /tmp/t-2/x"),
        ("on node-1 nothing", "on node-2 nothing"),
        ("2026-01-31 12:00:01,250 ERROR lost", "2027-02-01 09:15:59,001 ERROR lost"),
        ("key 6f1c2a9e-0000-4000-8000-1234567890ab", "key 00000000-1111-4222-8333-abcdefabcdef"),
        ("blob d41d8cd98f00b204 is gone", "blob 9e107d9d372bb682 is gone"),
        ("took 1.5 s", "took 1,024 s"),
        ("a   b", "a b"),
    ],
)
def test_what_is_alike(one, other):
    assert len(grouped(("t-1", one, "node-1"), ("t-2", other, "node-2"))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("ValueError: bad", "KeyError: bad"), ("no such file", "permission denied"), ("deadbeat", "facade")],
)
def test_what_is_not(one, other):
    assert len(grouped(("t", one, None), ("u", other, None))) == 2


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([("task", "the task exited with code 1"), ("a", "the task exited with code 1")],
            {"the task exited with code 1": ["task", "a"]}),
        ([("task", "the task exited with code 1")], {"the task exited with code 1": ["task"]}),
        ([("a", "400 Bad Request: row 1"), ("b", "400 Bad Request: row 2")], {"400 Bad Request: row #": ["a", "b"]}),
        ([("London", "no rain in London"), ("Paris", "no rain in Paris")], {"no rain in TASK": ["London", "Paris"]}),
        ([("t-1", "no file t-1"), ("t-2", "no file t-2"), ("x", "no file x")], {"no file TASK": ["t-1", "t-2", "x"]}),
        ([("a", "row # of 3"), ("b", "row 1 of #")], {"row # of 3": ["a"], "row 1 of #": ["b"]}),
        ([("7", "row 7 of 9"), ("8", "row 8 of 9")], {"row TASK of 9": ["7", "8"]}),
    ],
)  # fmt: skip
def test_only_what_differs_is_masked(lines, told):
    found = grouped(*((task_id, line, "n") for task_id, line in lines))
    assert {each.text: [task.task_id for task in each.tasks] for each in found} == told


def grouped(*told):
    """`told`: task, last line and node of each."""
    return causes(failed_task(view(task_id, node=node), line.encode()) for task_id, line, node in told)


def test_groups():
    tasks = [
        failed_task(view("a"), b"Traceback\nValueError: row 1\n"),
        failed_task(view("b", exit_code=2), b"ValueError: row 2\n"),
        failed_task(view("c"), b"ValueError: row 3\r\n\r\n"),
        failed_task(view("d", "BlobNotFound", "storage://in/4 is not there", None), b""),
        failed_task(view("e", "BlobNotFound", "storage://in/5 is not there", None), None),
        failed_task(view("f", message="exited with code 1"), None),
        failed_task(view("g"), b"ValueError: row 9"),
    ]
    found = causes(tasks)
    assert [(each.code, each.exit_code, each.text, [task.task_id for task in each.tasks]) for each in found] == [
        ("FailureExitCode", 1, "ValueError: row #", ["a", "c", "g"]),
        ("BlobNotFound", None, "storage://in/# is not there", ["d", "e"]),
        ("FailureExitCode", 2, "ValueError: row 2", ["b"]),
        ("FailureExitCode", 1, "exited with code 1", ["f"]),
    ]


def test_what_a_program_prints_moves_no_cursor():
    lines = last_lines(b"one\n\x1b[31mred\x1b[0m\x07\n50%\r100%\n\xff\n" + b"x" * 1000 + b"\n\n  \n")
    assert lines[:4] == ("red", "50%", "100%", "\N{REPLACEMENT CHARACTER}")
    assert len(lines[4]) == 300


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=30)), max_size=20))
def test_each_task_has_one_cause(drawn):
    """Law: none is lost, none stands twice, and the largest group comes first."""
    tasks = [failed_task(view(f"t{n}", exit_code=code), end) for n, (code, end) in enumerate(drawn)]
    found = causes(tasks)
    assert sorted(task.task_id for each in found for task in each.tasks) == sorted(task.task_id for task in tasks)
    assert [len(each.tasks) for each in found] == sorted((len(each.tasks) for each in found), reverse=True)

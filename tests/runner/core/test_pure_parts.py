"""The parts of the core that are plain functions, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from pools import InvalidTransition
from runner import ApplicationPackage, CommandLineError, Schedule
from runner.command_line import shell_hint, split
from runner.environment import package_environment
from runner.recurrence import first_run, next_run
from runner.scheduler import Durations, NodeSlots, Placement, Stage, choose
from runner.states import (
    JOB_NODE_TRANSITIONS,
    JOB_TRANSITIONS,
    SCHEDULE_TRANSITIONS,
    TASK_TRANSITIONS,
    JobNodeEvent,
    JobNodeState,
    JobState,
    ScheduleState,
    TaskEvent,
    TaskState,
    next_job_node_state,
    next_task_state,
)

TABLES = [
    (TASK_TRANSITIONS, TaskState),
    (JOB_TRANSITIONS, JobState),
    (SCHEDULE_TRANSITIONS, ScheduleState),
]


@pytest.mark.parametrize(("table", "states"), TABLES, ids=lambda x: getattr(x, "__name__", ""))
def test_every_state_is_reached_and_only_the_last_is_final(table, states):
    assert {target for (source, _), target in table.items() if source is not target} | {states.ACTIVE} == set(
        states
    )
    assert {source for source, _ in table} == set(states) - {getattr(states, "DELETING", None)}


def test_a_completed_task_stays_completed_unless_it_is_asked_back():
    assert next_task_state("t", TaskState.COMPLETED, TaskEvent.REACTIVATE, "is done") is TaskState.ACTIVE
    for event in set(TaskEvent) - {TaskEvent.REACTIVATE}:
        with pytest.raises(InvalidTransition):
            next_task_state("t", TaskState.COMPLETED, event, "is done")


def test_a_node_is_prepared_before_it_is_released():
    assert {target for (source, _), target in JOB_NODE_TRANSITIONS.items()} == set(JobNodeState)
    assert {source for source, _ in JOB_NODE_TRANSITIONS} == set(JobNodeState) - {JobNodeState.RELEASED}
    into = {source for (source, _), target in JOB_NODE_TRANSITIONS.items() if target is JobNodeState.RELEASING}
    assert into == {JobNodeState.PREPARED, JobNodeState.FAILED}
    with pytest.raises(InvalidTransition):
        next_job_node_state("j on n", JobNodeState.RELEASING, JobNodeEvent.AGAIN, "is releasing")


# -- command lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("true", ["true"]),
        ("  a   b ", ["a", "b"]),
        ("""/bin/sh -c "echo 'a b' $X" """, ["/bin/sh", "-c", "echo 'a b' $X"]),
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("a '' b", ["a", "", "b"]),
        (
            "python3 -c 'print(1); print(2)' # no comment",
            ["python3", "-c", "print(1); print(2)", "#", "no", "comment"],
        ),
    ],
)
def test_splitting(line, words):
    assert list(split(line)) == words


@pytest.mark.parametrize("line", ["", "  ", "''", "a 'b", 'a "b', "a\\", "a\0b"])
def test_what_cannot_be_split(line):
    with pytest.raises(CommandLineError):
        split(line)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("echo $HOME", "$HOME"),
        ("echo ${HOME}", "${HOME}"),
        ("a && b", "&&"),
        ("a > b", ">"),
        ("a | b", "|"),
        ("cat *.txt out", "*.txt"),
        ("cat a/*/b", "a/*/b"),
        ("ls ~", "~"),
        ("ls ~/data", "~/data"),
        ("cd /tmp", "cd"),
        (" export A=b", "export"),
        (". ./settings", "."),
        ("A=b make", "A=b"),
        ("bash -c echo $HOME", "echo"),
        ("/bin/sh -ec ./run.sh x", "./run.sh"),
        ("a>b", ">"),
        ("a '&&' b", "&&"),
        ("""python3 -c 'a;b("x")'""", None),
        ('grep -E "a|b" \\<x', None),
        ("awk 'a > b' x", None),
        ("find . -name '*.txt'", None),
        ('find . -name "*.txt" -o -name \\*.py', None),
        ("python3 -c 'print(2 * 3)' x", None),
        ("scp a~ host:~b", None),
        ("make A=b", None),
        ("cdparanoia x", None),
        ("./cd x", None),
        ("/bin/sh -c ./run.sh", None),
        ("sh run.sh -c x y", None),
        ("bash -c 'cd x && ls *' a b", None),
        ("env A=b make", None),
        ('/bin/sh -c "echo $HOME"', None),
        ("/bin/bash -c 'a && b'", None),
        ("echo plain", None),
        ("a 'b", None),
    ],
)
def test_a_missing_shell_is_noticed(line, found):
    hint = shell_hint(line)
    assert hint is None if found is None else hint is not None and repr(found) in hint


# -- environment


def test_names_of_application_packages():
    package = ApplicationPackage(
        application_id="My-App", version="1.0.0-b#2", sha256="ab" * 32, size=1, created=0.0
    )
    env = package_environment([package], {"My-App": "1.0.0-b#2"}, "/mnt")
    path = "/mnt/applications/My-App/1.0.0-b#2/" + "ab" * 6
    assert set(env.values()) == {path}
    assert {name.removeprefix("AZ_BATCH_APP_PACKAGE_") for name in env} >= {
        "my_app_1_0_0_b_2",
        "my_app",
        "My-App_1.0.0-b#2",
        "My-App#1.0.0-b#2",
        "My-App",
    }


def test_the_name_without_a_version_is_the_default_version():
    old, new = (
        ApplicationPackage(application_id="a", version=version, sha256=version * 64, size=1, created=0.0)
        for version in ("1", "2")
    )
    env = package_environment([old, new], {"a": "2"}, "/r")
    assert env["AZ_BATCH_APP_PACKAGE_a"] == env["AZ_BATCH_APP_PACKAGE_a_2"]
    assert env["AZ_BATCH_APP_PACKAGE_a_1"] != env["AZ_BATCH_APP_PACKAGE_a_2"]


# -- recurrence


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        (Schedule(), 100.0, 100.0),
        (Schedule(do_not_run_until=at(500)), 100.0, 500.0),
        (Schedule(do_not_run_until=at(50)), 100.0, 100.0),
        (Schedule(do_not_run_until=datetime(1970, 1, 1, 0, 10)), 100.0, 600.0),
        (Schedule(do_not_run_after=at(99)), 100.0, None),
    ],
)
def test_first_run(schedule, now, due):
    assert first_run(schedule, now) == due


@pytest.mark.parametrize(
    ("schedule", "due", "now", "following"),
    [
        (Schedule(), 100.0, 100.0, None),
        (Schedule(recurrence_interval=MINUTE), 100.0, 100.0, 160.0),
        (Schedule(recurrence_interval=MINUTE), 100.0, 159.0, 160.0),
        (
            Schedule(recurrence_interval=MINUTE),
            100.0,
            250.0,
            280.0,
        ),  # the missed ones are made up for by one job
        (Schedule(recurrence_interval=MINUTE, do_not_run_after=at(150)), 100.0, 100.0, None),
    ],
)
def test_next_run(schedule, due, now, following):
    assert next_run(schedule, due, now) == following


# -- scheduler


def slots(name, total, used=0, queued=0):
    node = NodeSlots(name, "p", total)
    for number in range(used):
        node.place(f"u{number}", Placement(("j", str(number)), 1, 0.0, Stage.HOLDS))
    for number in range(queued):
        node.place(f"q{number}", Placement(("j", str(number)), 1, 0.0, Stage.QUEUED))
    return node


NODES = [slots("full", 4, 4), slots("one", 4, 3), slots("three", 4, 1), slots("queue", 4, 0, 4)]


@pytest.mark.parametrize(
    ("needed", "whole", "pack", "chosen"),
    [
        (1, False, False, "three"),
        (1, False, True, "one"),
        (2, False, True, "three"),
        (4, False, False, None),
        (1, True, False, None),
    ],
)
def test_choosing_a_node(needed, whole, pack, chosen):
    node = choose(NODES, needed, whole, pack)
    assert (node.node_id if node else None) == chosen


def test_a_whole_node_is_an_empty_one():
    node = choose([slots("used", 2, 1), slots("empty", 2)], 1, True, False)
    assert node is not None and node.node_id == "empty"


def test_slots_are_given_back():
    node = slots("n", 2, 1, 1)
    assert node.free == 0
    node.move("u0", Stage.ENDED, 5.0)
    assert node.free == 1
    node.move("q0", Stage.HOLDS, 5.0)
    assert node.free == 1
    assert (node.flowing(4.0), node.flowing(5.0)) == (2, 1)
    node.unplace("u0")
    node.unplace("q0")
    node.unplace("q0")
    assert (node.free, node.used, node.queued, node.placements) == (2, 0, 0, {})


@pytest.mark.parametrize(
    ("seconds", "ahead"),
    [([0.01] * 3, 0), ([0.01] * 4, 25), ([0.001] * 9, 64), ([0.01] * 9 + [10.0], 0), ([0.2] * 9, 0)],
)
def test_only_short_tasks_are_sent_ahead(seconds, ahead):
    durations = Durations()
    for duration in seconds:
        durations.add("j", duration)
    assert durations.ahead("j") == ahead
    assert durations.shortest("j") == min(seconds)
    durations.forget("j")
    assert durations.ahead("j") == durations.shortest("j") == 0

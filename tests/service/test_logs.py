"""`ebbtide logs` of a state on which no controller works: attempts, subtasks, and what is said of what is not there."""

import json
import shlex
from contextlib import nullcontext
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from pools import Attempt, ExecutionResult, FailureInfo, Node, StartTaskInfo
from runner import Instance, JobNode, JobPreparationTask, NodeExecution, Output, OutputStore, open_journal
from runner.states import JobNodeState, TaskState
from service.cli import main
from service.log_reader import LogReader
from service.log_source import LogSource
from service.nearest import named
from service.state import StateDirectory
from tests.runner.store.records import NOW, job, put, task

STAMPS: Any = {"created": NOW, "modified": NOW, "state_time": NOW}


def attempts(*numbers):
    return tuple(
        Attempt(number=n, node_id=f"n{n}", start_time=NOW, end_time=NOW + n, exit_code=n, reason=f"reason {n}")
        for n in numbers
    )


def printed(owner, id, **streams):
    """`out_2="text"`: standard output of attempt 2."""
    for name, text in streams.items():
        stream, _, number = name.partition("_")
        data = text.encode()
        yield Output(
            owner=owner, parent_id="job", id=id, attempt=int(number), stream=f"std{stream}", size=len(data), data=data
        )


def done(task_id, sequence, **fields):
    ended: Any = {"result": ExecutionResult.SUCCESS, "exit_code": 0, "last_node_id": "n3", "end_time": NOW} | fields
    return task(task_id, sequence=sequence, state=TaskState.COMPLETED, **ended)


JOB = job()
COORDINATION = FailureInfo("usererror", "CoordinationCommandFailed", "the coordination command failed")
RECORDS = [
    replace(JOB, spec=replace(JOB.spec, job_preparation_task=JobPreparationTask(id="prepare", command_line="x"))),
    done("retried", 1, attempt=5, earlier=attempts(1, 3), retry_count=2),
    *printed("task", "retried", out_1="one\n", out_3="three\n", err_3="oops\n", out_5="five\n"),
    done("silent", 2, attempt=2, earlier=attempts(1), failure=FailureInfo("usererror", "X", "no such user")),
    *printed("task", "silent", out_1="first\n"),
    task("waits", sequence=3, attempt=1, earlier=attempts(1), requeue_count=1, last_requeue_reason="disabled"),
    *printed("task", "waits", out_1="saved\n"),
    task("new", sequence=4),
    done(
        "gang", 5, attempt=1, size=2, exit_code=5, failure=COORDINATION, result=ExecutionResult.FAILURE,
        instances=(
            Instance(node_id="n0", state="completed", state_time=NOW),
            Instance(node_id="n1", state="completed", state_time=NOW, exit_code=5, failure=COORDINATION),
        ),
    ),
    *printed("task", "gang", out_1="cc\n"),
    *printed("task", "gang/1", out_1="cc of 1\n"),
    done("full", 7, attempt=1),
    *(replace(each, full=True) for each in printed("task", "full", out_1="some\n")),
    done("-dash", 6, attempt=1),
    *printed("task", "-dash", out_1="dashed\n"),
    JobNode(
        **STAMPS, job_id="job", node_id="n1", pool_id="pool", uid="x", state=JobNodeState.PREPARED,
        preparation=NodeExecution(state="completed", attempt=2, start_time=NOW, earlier=attempts(1)),
    ),
    *printed("jobpreparation", "n1", out_1="failed\n", out_2="prepared\n"),
    Node(
        **STAMPS, id="n1", pool_id="job", vm_name="v", low_priority=False, start_task_attempt=2,
        start_task=StartTaskInfo("completed", NOW, NOW, 0, earlier=attempts(1)),
    ),
    *printed("starttask", "n1", out_1="once\n", out_2="twice\n"),
]  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    directory = StateDirectory(tmp_path_factory.mktemp("logs") / "state")
    directory.create(lambda: "0123456789ab")
    journal = open_journal(directory.database_url)
    journal.commit([put(record) for record in RECORDS])
    journal.close()
    return directory


def logs(state, words):
    """Exit code, standard output, standard error."""
    options, dashes, rest = words.partition("-- ")
    behind = [dashes.strip(), *rest.split()] if dashes else []
    line = ["logs", *shlex.split(options), "--state", str(state.path), *behind]
    run = CliRunner().invoke(main, line)
    return run.exit_code, run.stdout, run.stderr


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ("job retried", "five\n"),
        ("job retried --attempt 1", "one\n"),
        ("job retried --attempt 3 --stderr", "oops\n"),
        ("job retried --attempt 3 --tail 0", ""),
        ("job retried --attempt all", "one\nthree\nfive\n"),
        ("job silent", "first\n"),
        ("job waits", "saved\n"),
        ("job waits --attempt 1", "saved\n"),
        ("job waits --attempt all", "saved\n"),
        ("job gang", "cc\n"),
        ("job gang/1", "cc of 1\n"),
        ("-- job -dash", "dashed\n"),
        ("job n1 --preparation", "prepared\n"),
        ("job n1 --preparation --attempt 1", "failed\n"),
        ("job n1 --start-task", "twice\n"),
        ("job n1 --start-task --attempt 1", "once\n"),
        ("job", "five\nfirst\nsaved\ncc\ndashed\nsome\n"),
    ],
)
def test_what_is_printed(state, words, out):
    assert logs(state, words)[:2] == (0, out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("job retried", "attempt 5; of earlier ones too (1, 3) is kept what they printed: --attempt N, --list"),
        ("job full", "the disk of its node was full: some of what it printed may be missing"),
        ("job silent", "no such user; this is what attempt 1 printed"),
        ("job waits", "is active, requeued 1 time; this is what an earlier execution of it printed"),
        ("job retried --attempt all", "attempt 3 on n3; reason 3"),
    ],
)
def test_what_is_said_beside_it(state, words, said):
    code, _, err = logs(state, words)
    assert code == 0 and said in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("job retried --attempt 2", 1, "attempt 2 of task 'retried' of job 'job' is kept; attempts: 1, 3, 5"),
        ("job retried --attempt 0", 2, "--attempt"),
        ("job retried --attempt some", 2, "'some' is neither the number of an attempt nor `all`"),
        ("job retried --attempt all --follow", 2, "--attempt all"),
        ("job retried --json", 2, "--json goes with --list"),
        ("job --attempt 1", 2, "name a TASK"),
        ("job new", 1, "is active and has not run yet"),
        ("job gang/2", 1, "has no task 'gang/2'"),
        ("job gang/0", 1, "has no task 'gang/0'"),
        ("job retrid", 1, "has no task 'retrid'"),
        ("job n9 --release", 1, "did not run; nodes: n1"),
        ("jbo retried", 1, "there is no job 'jbo'; jobs: job"),
        ("job -dash", 2, "An id that begins with `-` stands behind `--`"),
    ],
)
def test_what_is_refused(state, words, code, said):
    found, _, err = logs(state, words)
    assert (found, said in err) == (code, True), err


def test_the_attempts_are_listed(state):
    listed = json.loads(logs(state, "job retried --list --json")[1])
    assert [(each["attempt"], each["exitCode"], each["stdoutBytes"], each["stderrBytes"]) for each in listed] == [
        (1, 1, 4, None), (3, 3, 6, 5), (5, 0, 5, None),
    ]  # fmt: skip
    assert [each["reason"] for each in listed] == ["reason 1", "reason 3", "success"]
    table = logs(state, "job retried --list")[1].splitlines()
    assert len(table) == 4 and table[2].split()[:2] == ["3", "n3"] and table[2].endswith("reason 3")
    (waiting,) = json.loads(logs(state, "job waits --list --json")[1])
    assert waiting["attempt"] == 1 and waiting["nodeId"] == "n1"
    (subtask,) = json.loads(logs(state, "job gang/1 --list --json")[1])
    assert (subtask["nodeId"], subtask["exitCode"]) == ("n1", 5)
    assert logs(state, "job new --list")[1] == "task 'new' of job 'job' has not run yet\n"


@pytest.mark.parametrize(
    ("count", "meant", "text"),
    [
        (0, "a", "there are no tasks"),
        (2, "zzz", "tasks: task-0, task-1"),
        (30, "TASK-17", "of 30 tasks these are near: task-17, "),
        (30, "taks-5", "of 30 tasks these are near: task-5, "),
        (30, "qqq", "30 tasks: task-0, task-1, ..., task-29"),
        (100_000, "task-99998x", "of 100000 tasks these are near: task-99998, "),
    ],
)
def test_ids_that_are_near_what_was_meant(count, meant, text):
    assert named("tasks", [f"task-{n}" for n in range(count)], meant).startswith(text)


def test_who_follows_misses_no_attempt(state, capfdbinary):
    """Two bytes of the first attempt were printed before it ended; the third came and went between two looks."""
    journal = open_journal(state.database_url, upgrade=False)
    said: list[str] = []
    source = LogSource(journal, OutputStore(state.outputs), "task", "job", "retried", "stdout")
    reader = LogReader(source, lambda: nullcontext(None), said.append)
    reader._execution, reader._printed = "uid-1", 2
    reader.print(follow=True, tail=None)
    journal.close()
    assert capfdbinary.readouterr().out == b"e\nthree\nfive\n"
    assert [text for text in said if "started again" in text and "attempt 3" in text]

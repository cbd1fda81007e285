"""What commands show of the records: tables for people, objects of the Batch REST API for programs, ids for shells."""

import pytest
import yaml
from click.shell_completion import ShellComplete

from runner import AddJob, JobSpec, TaskDependencies, TaskSpec
from service.cli import main

from .offline import INFO, Offline


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    offline = Offline(tmp_path_factory.mktemp("made") / "state")
    assert offline("job", "disable", "k").exit_code == 0
    assert offline("task", "terminate", "j", "a").exit_code == 0
    yield offline
    offline.journal.close()


def test_tables(state):
    assert [line.split() for line in state("job", "list").stdout.splitlines()] == [
        ["job", "state", "pool", "tasks", "reason"],
        ["j", "active", "p", "1", "failed,", "1", "active", "-"],
        ["k", "disabled", "p", "-", "-"],
    ]
    heads, failed, waits = state("task", "list", "j").stdout.splitlines()
    assert heads.split() == ["task", "state", "exit", "code", "node", "retries", "requeues", "reason"]
    assert failed.split()[:6] == ["a", "failure", "-", "-", "0", "0"]
    assert "TaskEnded" in failed
    assert waits.split() == ["b", "active", "-", "-", "0", "0", "-"]
    pool = state("pool", "list").stdout.splitlines()[1]
    assert pool.split() == ["p", "steady", "0", "of", "2", "0", "of", "0", "small", "fixed", "-"]
    heads = ["node", "pool", "state", "kind", "size", "address", "tasks", "reason"]
    assert state("node", "list").stdout.split() == heads
    assert state("app", "list").stdout.splitlines()[1].split() == ["app", "1", "-", "5", "0" * 12]


def test_few_of_many_tasks(state):
    done = state("task", "list", "j", "--limit", "1")
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "the first 1 of 2 (--limit N shows more)\n")
    failed = state("task", "list", "j", "--task-state", "failed", "--limit", "1")
    assert (len(failed.stdout.splitlines()), failed.stderr) == (2, "")


def test_lists_are_lists_of_what_is_shown(state):
    jobs = state.json("job", "list")
    assert [job["id"] for job in jobs] == ["j", "k"]
    shown = state.json("job", "show", "j")
    counts = {"active": 1, "running": 0, "completed": 1, "succeeded": 0, "failed": 1}
    assert shown == {**jobs[0], "taskCounts": counts, "taskSlotCounts": counts}
    tasks = state.json("task", "list", "j")
    assert [task["state"] for task in tasks] == ["completed", "active"]
    assert state.json("task", "show", "j", "a") == tasks[0]
    assert tasks[0]["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
    assert state.json("pool", "list") == [state.json("pool", "show", "p")]
    assert state.json("node", "list", "p") == []
    assert state.json("schedule", "show", "s")["jobSpecification"]["poolInfo"] == {"poolId": "p"}
    assert [(app["id"], app["versions"]) for app in state.json("app", "list")] == [("app", ["1", "2"])]


def test_ids_are_found_in_any_case(state):
    for words in (("job", "show", "j"), ("task", "show", "j", "a"), ("pool", "show", "p"), ("schedule", "show", "s")):
        upper = [*words[:2], *(word.upper() for word in words[2:])]
        assert state.json(*upper) == state.json(*words), words
    assert state.json("task", "list", "J") == state.json("task", "list", "j")
    assert state.json("node", "list", "P") == []


def test_people_are_shown_the_same_as_programs(state):
    for words in (("job", "show", "j"), ("task", "show", "j", "a"), ("pool", "show", "p"), ("schedule", "show", "s")):
        assert yaml.safe_load(state(*words).stdout) == state.json(*words), words


def test_a_task_that_cannot_start_says_why(tmp_path):
    """The Batch REST API has no place for it."""
    offline = Offline(tmp_path / "state")
    waits = TaskSpec(id="w", command_line="work", depends_on=TaskDependencies(task_ids=("a",)))
    job = JobSpec(id="waiting", pool_info=INFO, uses_task_dependencies=True)
    offline.handle(AddJob(job, (TaskSpec(id="a", command_line="work"), waits)))
    assert "schedulingError" not in offline.json("task", "show", "waiting", "w")
    assert offline("task", "terminate", "waiting", "a").exit_code == 0
    error = offline.json("task", "show", "waiting", "w")["schedulingError"]
    assert error["code"] in offline("task", "list", "waiting").stdout
    offline.journal.close()


def completed(state, *words, incomplete=""):
    shell = ShellComplete(main, {}, "ebbtide", "_EBBTIDE_COMPLETE")
    group = 2 if words[0] in ("job", "task", "pool", "node", "schedule") else 1
    where = [*words[:group], "--state", str(state.directory.path), *words[group:]]
    return [item.value for item in shell.get_completions(where, incomplete)]


@pytest.mark.parametrize(
    ("words", "incomplete", "found"),
    [
        (("job", "show"), "", ["j", "k"]),
        (("job", "delete", "j"), "", ["k"]),
        (("job", "delete"), "k", ["k"]),
        (("task", "list"), "", ["j", "k"]),
        (("task", "terminate", "j"), "", ["a", "b"]),
        (("task", "terminate", "j", "a"), "", ["b"]),
        (("task", "terminate", "none"), "", []),
        (("pool", "resize"), "", ["p"]),
        (("node", "list"), "", ["p"]),
        (("node", "show"), "", []),
        (("schedule", "run"), "", ["s"]),
        (("logs",), "", ["j", "k"]),
        (("logs", "j"), "", ["a", "b"]),
        (("files", "j"), "a", ["a"]),
        (("status", "--job"), "", ["j", "k"]),
    ],
)
def test_ids_are_completed(state, words, incomplete, found):
    assert completed(state, *words, incomplete=incomplete) == found


def test_a_state_that_cannot_be_read_completes_nothing(tmp_path, state):
    broken = Offline.__new__(Offline)
    broken.directory = type(state.directory)(tmp_path)
    assert completed(broken, "job", "show") == []
    (tmp_path / "deployment").write_text("0" * 12)
    (tmp_path / "ebbtide.db").write_text("no database")
    assert completed(broken, "job", "show") == []

"""`set` and `reset`, while no controller works: what changes, and what stays as it is."""

import json
import shutil
from pathlib import Path

import pytest

from runner import open_journal
from service.rest_objects import Objects
from service.state import StateDirectory

from .offline import Offline

START = {"commandLine": "a", "maxTaskRetryCount": 3, "environmentSettings": [{"name": "A", "value": "1"}]}
BARE = {"maxTaskRetryCount": 0, "waitForSuccess": True}
LIMITS = {"maxTaskRetryCount": 2, "maxWallClockTime": "PT1H"}
MADE = (
    ("pool", "x", {"vmSize": "local.small", "startTask": START, "metadata": [{"name": "a", "value": "b"}]}),
    ("job", "x", {"poolInfo": {"poolId": "p"}, "priority": 5, "constraints": LIMITS}),
    (
        "schedule", "x",
        {
            "schedule": {"recurrenceInterval": "P1D", "startWindow": "PT1H", "doNotRunUntil": "2090-01-01T00:00:00Z"},
            "jobSpecification": {
                "poolInfo": {"poolId": "p"}, "priority": 7, "jobManagerTask": {"id": "m", "commandLine": "old"}
            },
        },
    ),
)  # fmt: skip


class Copy(Offline):
    """Of a state that was made before."""

    def __init__(self, path):
        self.directory = StateDirectory(path)
        self.journal = open_journal(self.directory.database_url)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    offline = Offline(tmp_path_factory.mktemp("made") / "state")
    for kind, name, body in MADE:
        done = offline(kind, "create", name, "--json-file", "-", stdin=json.dumps(body))
        assert done.exit_code == 0, done.output
    task = ("task", "create", "x", "t", "--command", "true", "--max-retries", "4", "--max-time", "PT2H")
    assert offline(*task).exit_code == 0
    offline.journal.close()
    return offline.directory.path


@pytest.fixture
def state(made, tmp_path):
    offline = Copy(Path(shutil.copytree(made, tmp_path / "state")))
    yield offline
    offline.journal.close()


def at(view, path):
    for name in path.split("."):
        view = view.get(name) if view is not None else None
    return view


PAIR = [{"name": "n", "value": "v=w"}]


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (
            "pool set x --start-task b",
            {"startTask.commandLine": "b", "startTask.maxTaskRetryCount": 3, "metadata": [{"name": "a", "value": "b"}]},
        ),
        ("pool set x --metadata n=v=w", {"metadata": PAIR, "startTask.commandLine": "a"}),
        (
            "pool set x --app app#1",
            {"applicationPackageReferences": [{"applicationId": "app", "version": "1"}], "startTask.commandLine": "a"},
        ),
        ("pool reset x --metadata n=v=w", {"metadata": PAIR, "startTask": None}),
        ("pool reset x --start-task b", {"metadata": None, "startTask": {**BARE, "commandLine": "b"}}),
        ("job set x --priority 9", {"priority": 9, "constraints": LIMITS}),
        ("job set x --max-retries 8", {"priority": 5, "constraints": {**LIMITS, "maxTaskRetryCount": 8}}),
        ("job set x --max-parallel-tasks 3", {"maxParallelTasks": 3, "priority": 5}),
        ("job set x --on-all-tasks-complete terminatejob", {"onAllTasksComplete": "terminatejob"}),
        (
            "job reset x --pool p --metadata n=v=w",
            {"metadata": PAIR, "priority": 0, "constraints.maxTaskRetryCount": 0},
        ),
        (
            "schedule set x --every P2D",
            {
                "schedule.recurrenceInterval": "P2D",
                "schedule.startWindow": "PT1H",
                "schedule.doNotRunUntil": "2090-01-01T00:00:00.000Z",
                "jobSpecification.priority": 7,
            },
        ),
        (
            "schedule set x --command new --pool x",
            {
                "jobSpecification.jobManagerTask.commandLine": "new",
                "jobSpecification.jobManagerTask.id": "m",
                "jobSpecification.poolInfo.poolId": "x",
                "jobSpecification.priority": 7,
                "schedule.recurrenceInterval": "P1D",
            },
        ),
    ],
)
def test_what_is_given_changes(state, words, after):
    kind, _, name = words.split()[:3]
    done = state(*words.split())
    assert (done.exit_code, "x: changed\n" in done.stdout) == (0, True), done.output
    view = state.json(kind, "show", name)
    assert {path: at(view, path) for path in after} == after


def test_constraints_of_a_task(state):
    assert state("task", "set", "x", "t", "--max-retries", "1").exit_code == 0
    found = state.json("task", "show", "x", "t")["constraints"]
    assert (found["maxTaskRetryCount"], found["maxWallClockTime"]) == (1, "PT2H")
    whole = state("task", "set", "x", "t", "--json-file", "-", stdin='{"constraints": {"maxTaskRetryCount": 6}}')
    assert whole.exit_code == 0, whole.output
    assert state.json("task", "show", "x", "t")["constraints"]["maxWallClockTime"] != "PT2H"


def test_a_group_of_the_file_counts_whole_and_options_before_it(state):
    body = json.dumps({"constraints": {"maxWallClockTime": "PT5H"}, "priority": 1})
    assert state("job", "set", "x", "--json-file", "-", "--priority", "2", stdin=body).exit_code == 0
    view = state.json("job", "show", "x")
    assert (view["priority"], view["constraints"]) == (2, {"maxWallClockTime": "PT5H", "maxTaskRetryCount": 0})


@pytest.mark.parametrize("times", [1, 4, 9])
@pytest.mark.parametrize(("words", "path"), [("job set x", "jobs/x"), ("task set x t", "jobs/x/tasks/t")])
def test_what_somebody_else_changes_meanwhile_is_not_lost(state, monkeypatch, words, path, times):
    read, left = Objects.one, times

    def overtaken(self, *segments, query=None):
        nonlocal left
        found = read(self, *segments, query=query)
        if left:
            left -= 1
            theirs = {"maxTaskRetryCount": 3, "maxWallClockTime": f"PT{left + 5}H"}
            self.ask("PATCH" if path == "jobs/x" else "PUT", *segments, body={"constraints": theirs})
        return found

    monkeypatch.setattr(Objects, "one", overtaken)
    done = state(*words.split(), "--max-retries", "8")
    monkeypatch.undo()
    found = state.json(*words.replace("set", "show").split())["constraints"]
    kept = (found["maxTaskRetryCount"], found["maxWallClockTime"])
    if times == 9:  # it never ends
        assert (done.exit_code, "ConditionNotMet" in done.stderr) == (1, True), done.output
        assert kept == (3, "PT9H")
    else:
        assert done.exit_code == 0, done.output
        assert kept == (8, "PT5H")


def test_a_password_is_not_lost_by_a_change_beside_it(state):
    registry = {"username": "u", "password": "top-secret-word", "registryServer": "r.example"}
    start = {"commandLine": "a", "containerSettings": {"imageName": "r.example/i", "registry": registry}}
    body = json.dumps({"vmSize": "local.small", "startTask": start})
    assert state("pool", "create", "y", "--json-file", "-", stdin=body).exit_code == 0
    code, told = state.told("pool set y --start-task b")
    assert (code, "give startTask by --json-file" in told) == (2, True), told
    assert state("pool", "set", "y", "--metadata", "a=b").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("pool set x", 2, "give what is to change"),
        ("task set x t", 2, "give what is to change"),
        ("pool set none --metadata a=b", 1, "PoolNotFound"),
        ("job set none --max-retries 1", 1, "JobNotFound"),
        ("task set x none --max-retries 1", 1, "TaskNotFound"),
        ("schedule set none --every P1D", 1, "JobScheduleNotFound"),
        ("job set x --pool q", 1, "disable it first"),
        ("job reset x --priority 1", 1, "MissingRequiredProperty: poolInfo"),
        ("schedule reset x --every P1D", 1, "MissingRequiredProperty: jobSpecification"),
        ("pool set x --metadata nonsense", 2, "is not NAME=VALUE"),
        ("job set x --max-time nonsense", 1, "InvalidPropertyValue"),
    ],
)
def test_what_is_refused(state, words, code, told):
    found = state.told(words)
    assert (found[0], told in found[1]) == (code, True), found


def test_what_only_nodes_can_do_is_refused_without_a_controller(state):
    done = state("pool", "supported-images")
    assert (done.exit_code, "canonical:" in done.stdout) == (0, True), done.output
    key = ("--ssh-public-key", "-")
    done = state("node", "user", "create", "none", "u", *key, stdin="ssh-ed25519 AAAA")
    assert (done.exit_code, "NodeNotFound" in done.stderr) == (1, True), done.output

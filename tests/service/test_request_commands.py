"""What can be asked of jobs, tasks, pools and schedules from the command line, while no controller works."""

from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from pools import Change, Node, NodeState, PoolState, Prefix
from runner import JobState, TaskState, forgotten
from service import controller_socket
from service.cli import asking
from service.state import StateDirectory

from .offline import Offline


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Offline(tmp_path_factory.mktemp("made") / "state")


@pytest.fixture
def state(tmp_path):
    offline = Offline(tmp_path / "state")
    yield offline
    offline.journal.close()


def test_jobs(state):
    jobs = lambda: {job.id: str(job.state) for job in state.journal.jobs()}  # noqa: E731
    done = state("job", "disable", "j", "k", "--tasks", "wait")
    assert (done.exit_code, done.stdout) == (0, "job j: disabled\njob k: disabled\n")
    assert "no controller works on the state" in done.stderr
    assert jobs() == {"j": "disabled", "k": "disabled"}
    assert state("job", "enable", "k").exit_code == 0
    assert state("job", "terminate", "j", "--reason", "enough").exit_code == 0
    assert jobs() == {"j": "completed", "k": "active"}
    assert state.journal.job("j").terminate_reason == "enough"
    assert state("job", "delete", "j", "k").exit_code == 0
    assert jobs() == {}
    assert state.journal.all_tasks() == []


def test_a_job_that_was_forgotten_may_come_again(state):
    gone = Change("tasks", Prefix(("j",)), None), Change("jobs", "j", None)
    state.journal.commit((*forgotten(replace(state.journal.job("j"), declared=True), 1.0), *gone))
    assert set(state.journal.load(0.0).gone) == {("j", "")}
    assert "JobNotFound" in state.told("job terminate j")[1]
    assert state("job", "delete", "J").stdout == "job J: deleted\n"
    assert state.journal.load(0.0).gone == {}
    assert "JobNotFound" in state.told("job delete j")[1]


def test_some_of_several_are_refused(state):
    done = state("job", "terminate", "none", "j", "j")
    assert (done.exit_code, done.stdout) == (1, "job j: terminated\n")
    told = [line for line in done.stderr.splitlines() if line.startswith("ebbtide: error: ")]
    assert [line.split(": ")[2] for line in told] == ["JobNotFound", "JobCompleted"]
    assert state.json("job", "delete", "j", "none") == [
        {"id": "j"},
        {"id": "none", "error": {"code": "JobNotFound", "message": "there is no job 'none'"}},
    ]
    assert state("job", "enable", "none", "--json").exit_code == 1


def test_tasks(state):
    tasks = lambda: {task.id: str(task.result or task.state) for task in state.journal.tasks("j")}  # noqa: E731
    done = state("task", "terminate", "j", "a", "b")
    assert done.stdout == "task a of job j: terminated\ntask b of job j: terminated\n"
    assert tasks() == {"a": "failure", "b": "failure"}
    assert state("task", "reactivate", "j", "b").exit_code == 0
    assert tasks() == {"a": "failure", "b": "active"}
    assert state("task", "delete", "j", "a").exit_code == 0
    assert tasks() == {"b": "active"}
    assert state.told("task terminate j a")[0] == 1


def test_pools(state, tmp_path):
    pool = lambda: state.journal.pools()[0]  # noqa: E731
    assert state("pool", "resize", "p", "--low-priority", "3").exit_code == 0
    assert (pool().target_dedicated, pool().target_low_priority) == (2, 3)
    assert state("pool", "stop-resize", "p").exit_code == 0
    assert (pool().target_dedicated, pool().target_low_priority) == (0, 0)
    code, said = state.told("pool autoscale enable p")
    assert code == 1 and "pool p has no formula; name one: `ebbtide pool autoscale enable p --formula FILE" in said
    formula = "$TargetDedicatedNodes = 7;"
    enable = ("pool", "autoscale", "enable", "p", "--formula", "-", "--interval", "PT20M")
    assert state(*enable, stdin=formula).exit_code == 0
    assert (pool().spec.enable_auto_scale, pool().spec.auto_scale_formula) == (True, formula)
    assert pool().spec.auto_scale_evaluation_interval.total_seconds() == 1200
    assert "PoolHasAutoScaleEnabled" in state.told("pool resize p --dedicated 1")[1]
    assert state("pool", "autoscale", "disable", "p").exit_code == 0
    assert pool().spec.enable_auto_scale is False
    assert state("pool", "resume", "p").stdout == "pool p was not stopped\n"
    assert state("pool", "delete", "p").exit_code == 0
    assert state.journal.pools() == []


def test_a_pool_that_still_has_nodes_is_not_used_again(state, tmp_path):
    times: dict[str, Any] = {"created": 1.0, "modified": 1.0, "state_time": 1.0, "vm_confirmed": 1.0}
    node = Node(id="n", pool_id="p", vm_name="vm", low_priority=False, state=NodeState.IDLE, **times)
    state.journal.commit([Change("nodes", "n", node)])
    done = state("pool", "delete", "p")
    assert (done.exit_code, f"`ebbtide down --state {tmp_path}" in done.stderr) == (0, True)
    assert [(pool.id, str(pool.state)) for pool in state.journal.pools()] == [("p", "deleting")]
    assert state.journal.nodes() == [node]
    workload = tmp_path / "w.yaml"
    workload.write_text("pools: [{id: p, vmSize: local.small, targetDedicatedNodes: 2}]\n")
    refused = state("run", str(workload))
    assert (refused.exit_code, f"`ebbtide down --pool p --state {tmp_path}" in refused.stderr) == (2, True)


def test_the_settings_bound_what_is_asked_of_a_pool(state, tmp_path):
    enable = ("pool", "autoscale", "enable", "p", "--formula", "-", "--interval", "PT1M")
    refused = state(*enable, stdin="$TargetDedicatedNodes = 7;")
    assert (refused.exit_code, "autoScaleEvaluationInterval" in refused.stderr) == (1, True)
    config = tmp_path / "s.yaml"
    config.write_text("minimumAutoScaleEvaluationInterval: PT1S\nproviders: {moon: {driver: nonsense}}\n")
    done = state(*enable, "--config", str(config), stdin="$TargetDedicatedNodes = 7;")
    assert done.exit_code == 0, done.stderr  # and the provider, which cannot be opened, is nobody's business


def test_schedules(state):
    schedule = lambda: state.journal.job_schedules()[0]  # noqa: E731
    assert state("schedule", "disable", "s").exit_code == 0
    assert state("schedule", "run", "s").exit_code == 0
    assert (str(schedule().state), schedule().run_requested) == ("disabled", True)
    assert "as soon as a controller works" in state("schedule", "list").stdout
    assert state("schedule", "enable", "s").stdout == "job schedule s: enabled\n"
    assert state("schedule", "terminate", "s").exit_code == 0
    assert str(schedule().state) == "completed"
    assert "JobScheduleCompleted" in state.told("schedule run s")[1]
    assert state("schedule", "delete", "s").exit_code == 0
    assert state.journal.job_schedules() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("job show none", 1),
        ("task list none", 1),
        ("task show j none", 1),
        ("task show none a", 1),
        ("pool show none", 1),
        ("node show none", 1),
        ("node list none", 1),
        ("schedule show none", 1),
        ("job disable j --tasks nonsense", 2),
        ("job terminate", 2),
        ("task delete j", 2),
        ("pool resize p", 2),
        ("pool autoscale enable p --interval nonsense", 2),
    ],
)
def test_exit_codes(made, words, code):
    found, text = made.told(words)
    assert (found, text.count("\n"), text.startswith("ebbtide: error: ")) == (code, 1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("job show none", "JobNotFound"),
        ("task show j none", "TaskNotFound"),
        ("pool show none", "PoolNotFound"),
        ("node show none", "NodeNotFound"),
        ("schedule show none", "JobScheduleNotFound"),
    ],
)
def test_programs_are_told_the_code(made, words, code):
    assert made.json(*words.split())["error"]["code"] == code


def test_a_state_that_is_none(tmp_path):
    offline = Offline.__new__(Offline)
    offline.directory = StateDirectory(tmp_path / "nothing")
    for words in ("job terminate j", "job list", "task list j", "schedule enable s"):
        code, text = offline.told(words)
        assert (code, "holds no ebbtide state" in text) == (2, True)


def test_a_state_that_somebody_else_holds(state, monkeypatch):
    monkeypatch.setattr("service.offline_requests.PATIENCE", 0.2)
    with state.directory.lock():
        code, text = state.told("job terminate j")
    assert (code, "another ebbtide" in text) == (2, True)
    assert state.journal.job("j").state is JobState.ACTIVE


@pytest.mark.parametrize(
    ("yes", "answer", "deleted"), [((), "n", False), ((), "y", True), (("--yes",), None, True)]
)
@pytest.mark.parametrize("words", [("job", "delete", "j"), ("task", "delete", "j", "a"), ("pool", "delete", "p")])
def test_on_a_terminal_a_deletion_has_to_be_meant(state, monkeypatch, words, yes, answer, deleted):
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    done = state(*words, *yes, stdin=answer)
    assert (done.exit_code, "deleted" in done.stdout) == ((0, True) if deleted else (1, False)), done.output
    assert ("Delete " in done.stderr) is not bool(yes)
    kept = {
        "job": any(job.id == "j" for job in state.journal.jobs()),
        "task": any(task.id == "a" for task in state.journal.tasks("j")),
        "pool": any(pool.state is PoolState.ACTIVE for pool in state.journal.pools()),
    }
    assert kept[words[0]] is not deleted


def test_without_one_a_script_means_it(state):
    assert state("task", "delete", "j", "a", stdin="n").exit_code == 0
    assert [task.id for task in state.journal.tasks("j") if task.state is TaskState.ACTIVE] == ["b"]


# -- the way to the state ------------------------------------------------------------------------------------------


def test_a_socket_that_a_killed_controller_has_left_is_nobody(state):
    controller_socket.listen(state.directory.path).close()
    assert state("job", "terminate", "j").exit_code == 0
    assert state.journal.job("j").state is JobState.COMPLETED


def test_a_controller_that_begins_is_waited_for(state, monkeypatch):
    lock = state.directory.lock()
    lock.__enter__()
    monkeypatch.setattr("service.offline_requests.time.sleep", lambda seconds: lock.__exit__(None, None, None))
    assert state("job", "terminate", "j").exit_code == 0


def test_a_controller_that_ends_before_it_has_answered(state, monkeypatch):
    def silent(request):
        raise httpx.ReadError("gone", request=request)

    @contextmanager
    def client(path, timeout):
        with httpx.Client(transport=httpx.MockTransport(silent), base_url="http://controller") as opened:
            yield opened

    monkeypatch.setattr("service.controller_socket.client", client)
    code, text = state.told("job terminate j")
    assert (code, "ended before it answered" in text) == (1, True)

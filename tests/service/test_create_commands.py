"""What is made from a file and from options, while no controller works, and by way of one that does."""

import json

import pytest

from service.cli.new_body import complete, image, packages, pairs

from .api.served import served
from .offline import Offline


@pytest.fixture
def state(tmp_path):
    offline = Offline(tmp_path / "state")
    yield offline
    offline.journal.close()


def test_options_count_before_the_file(state, tmp_path):
    file = tmp_path / "pool.json"
    body = {"id": "x", "vmSize": "local.large", "targetDedicatedNodes": 3, "startTask": {"commandLine": "a"}}
    file.write_text(json.dumps(body))
    words = ("--json-file", str(file), "--vm-size", "local.small", "--start-task", "b", "--metadata", "n=v=w")
    assert state("pool", "create", *words).stdout == "pool x: created\n"
    made = state.json("pool", "show", "x")
    assert (made["vmSize"], made["targetDedicatedNodes"], made["startTask"]["commandLine"]) == ("local.small", 3, "b")
    assert made["metadata"] == [{"name": "n", "value": "v=w"}]
    # another id, and another way to size it
    formula = "$TargetDedicatedNodes = 2;"
    assert state("pool", "create", "y", *words, "--formula", "-", stdin=formula).stdout == "pool y: created\n"
    other = state.json("pool", "show", "y")
    assert (other["enableAutoScale"], other["autoScaleFormula"]) == (True, formula)


def test_what_is_recorded_is_there_for_the_next_controller(state):
    done = state("job", "create", "new", "--pool", "p", "--env", "A=1", "--on-all-tasks-complete", "noaction")
    assert (done.exit_code, done.stdout) == (0, "job new: created\n")
    assert "recorded: no controller works on the state" in done.stderr
    assert state("task", "create", "new", "t", "--command", "true", "--app", "app#1").exit_code == 0
    assert [task.id for task in state.journal.tasks("new")] == ["t"]
    assert state("schedule", "create", "n", "--pool", "p", "--every", "P1D", "--command", "go").exit_code == 0
    assert {each.id for each in state.journal.job_schedules()} == {"n", "s"}
    assert state.journal.nodes() == []


def test_passwords_are_sealed_as_by_a_controller(state):
    account = {"name": "one", "password": "top-secret-word", "elevationLevel": "nonadmin"}
    body = json.dumps({"id": "x", "vmSize": "local.small", "userAccounts": [account]})
    assert state("pool", "create", "--json-file", "-", stdin=body).exit_code == 0
    (pool,) = [each for each in state.journal.pools() if each.id == "x"]
    assert "top-secret-word" not in repr(pool)
    assert not [path for path in state.directory.path.rglob("*") if path.is_file() and b"top-sec" in path.read_bytes()]
    assert "password" not in json.dumps(state.json("pool", "show", "x"))


def test_what_has_no_effect_is_told_once(state, capfd):
    tagged = '{"id": "x", "resourceTags": {"a": "b"}}'
    done = state("pool", "create", "--vm-size", "local.small", "--json-file", "-", stdin=tagged)
    assert (done.exit_code, done.stderr.count("resourceTags")) == (0, 1)
    assert capfd.readouterr().err == ""


def test_a_pool_made_for_a_job_finds_its_provider(state):
    own = {"poolLifetimeOption": "job", "pool": {"vmSize": "local.small", "targetDedicatedNodes": 1}}
    body = json.dumps({"poolInfo": {"autoPoolSpecification": own}, "onAllTasksComplete": "noaction"})
    assert state("job", "create", "own", "--json-file", "-", stdin=body).exit_code == 0
    made = state.journal.job("own").pool_id
    assert {pool.id: pool.provider for pool in state.journal.pools()}[made] == "local"


def test_each_task_of_a_list_is_told_by_itself(state):
    body = json.dumps({"value": [{"id": "n", "commandLine": "true"}, {"id": "a", "commandLine": "true"}]})
    done = state("task", "create", "j", "--json-file", "-", "--json", stdin=body)
    assert done.exit_code == 1
    assert [each.get("error", {}).get("code") for each in json.loads(done.stdout)] == [None, "TaskExists"]
    assert [task.id for task in state.journal.tasks("j")] == ["a", "b", "n"]


def test_a_list_with_a_fault_says_which_tasks_are_not_there(state):
    tasks = [{"id": f"t{number:03}", "commandLine": "true"} for number in range(150)]
    tasks[120]["requiredSlots"] = "many"
    done = state("task", "create", "j", "--json-file", "-", stdin=json.dumps(tasks))
    assert done.exit_code == 1
    assert "value[20].requiredSlots" in done.stderr and "none of the tasks 101 to 150" in done.stderr
    assert len(list(state.journal.tasks("j"))) == 102


@pytest.mark.parametrize(
    ("words", "stdin", "code", "told"),
    [
        (("pool", "create", "--vm-size", "local.small"), None, 2, "the id, which the JSON file does not hold either"),
        (("pool", "create", "x"), None, 1, "vmSize"),
        (("pool", "create", "x", "--vm-size", "nonsense"), None, 1, "local.small"),
        (("pool", "create", "x", "--vm-size", "s", "--metadata", "a"), None, 2, "'a' is not NAME=VALUE"),
        (("pool", "create", "x", "--vm-size", "s", "--image", "a:b"), None, 2, "PUBLISHER:OFFER:SKU"),
        (("pool", "create", "P", "--vm-size", "local.small"), None, 1, "PoolExists"),
        (("job", "create", "--json-file", "-"), '{"id": "x", }', 2, "-:1:13: "),
        (("job", "create", "--json-file", "-"), "[]", 2, "JSON objects, not a list"),
        (("job", "create", "--json-file", "-"), '{"id": 7, "poolInfo": {"poolId": "p"}}', 2, "JOB"),
        (("job", "create", "x", "--json-file", "/nowhere/x.json"), None, 2, "No such file"),
        (("job", "create", "x", "--json-file", "-"), '{"poolinfo": 1}', 1, "poolInfo"),
        (("job", "create", "x", "--json-file", "-", "--max-retries", "1"), '{"constraints": 1}', 2, "constraints"),
        (("job", "create", "x", "--pool", "none"), None, 1, "PoolNotFound"),
        (("task", "create", "j", "a", "--command", "true"), None, 1, "TaskExists"),
        (("task", "create", "j", "x"), None, 1, "commandLine"),
        (("task", "create", "j", "x", "--json-file", "-"), "[]", 2, "holds a list of tasks"),
        (("task", "create", "j", "--json-file", "-"), "[1]", 2, "JSON objects"),
        (("schedule", "create", "x", "--pool", "p", "--every", "P1M"), None, 1, "recurrenceInterval"),
        (("schedule", "create", "s", "--pool", "p", "--command", "true"), None, 1, "JobScheduleExists"),
    ],
)
def test_what_is_refused(state, words, stdin, code, told):
    before = state.journal.load(0.0)
    done = state(*words, stdin=stdin)
    assert (done.exit_code, done.stdout, told in done.stderr) == (code, "", True), done.stderr
    assert state.journal.load(0.0) == before


def test_the_controller_that_works_is_asked(tmp_path):
    with served(tmp_path / "state") as controller:
        path = str(tmp_path / "state")
        offline = Offline.__new__(Offline)
        offline.directory = controller.controller.state
        done = offline("pool", "create", "x", "--vm-size", "local.small")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "pool x: created\n", ""), path
        assert controller.get("/pools/x")["vmSize"] == "local.small"
        assert offline("job", "create", "j", "--pool", "x").stderr == ""
        assert "JobExists" in offline("job", "create", "j", "--pool", "x").stderr


def test_parts_of_bodies():
    assert complete({"a": {"b": 1}}, {"a.c": 2, "a.d": None, "e": []}) == {"a": {"b": 1, "c": 2}}
    assert pairs(["A=", "B=c=d"], "--x") == [{"name": "A", "value": ""}, {"name": "B", "value": "c=d"}]
    assert packages(["a", "b#1"]) == [{"applicationId": "a"}, {"applicationId": "b", "version": "1"}]
    assert image("mine") == {"virtualMachineImageId": "mine"}
    assert image("a:b:c") == {"publisher": "a", "offer": "b", "sku": "c", "version": "latest"}
    assert image("a:b:c:9") == {"publisher": "a", "offer": "b", "sku": "c", "version": "9"}


def test_files_that_a_task_fetches(state):
    given = ("--resource-file", "in/x=https://e.example/y?a=b", "--resource-file", "z=storage://box/z")
    assert state("task", "create", "j", "rf", "--command", "true", *given).exit_code == 0
    assert state.json("task", "show", "j", "rf")["resourceFiles"] == [
        {"httpUrl": "https://e.example/y?a=b", "filePath": "in/x"},
        {"httpUrl": "storage://box/z", "filePath": "z"},
    ]
    code, told = state.told("task create j other --command true --resource-file nonsense")
    assert (code, "'nonsense' is not PATH=URL" in told) == (2, True), told

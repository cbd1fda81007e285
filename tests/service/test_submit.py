"""A command as a job: made once, however often, and however it was interrupted."""

import json
import shlex

import pytest
from click.testing import CliRunner

from service.cli import main
from service.clock import now
from service.offline_requests import writing_way
from service.rest_objects import Objects, RequestRefused, Unanswered
from service.settings import Settings
from service.submission import Submission, differences
from service.submitting import SubmissionConflict, submit
from service.sweep import Sweep

from .offline import Offline

ROWS = tuple((str(number), f"v {number}") for number in range(250))
SWEEP = Sweep(("n", "text"), ("n", "text"), ROWS)
OF_ROWS = Submission("p", ("run", "{n}"), SWEEP, ("*.csv",), (("MODE", "fast"),), 1, {"maxTaskRetryCount": 1})


@pytest.fixture
def state(tmp_path):
    offline = Offline(tmp_path / "state")
    yield offline
    offline.journal.close()


@pytest.fixture
def objects(state):
    with writing_way(state.directory, Settings(), print) as (way, _):
        yield Objects(way)


def tasks_of(state, job_id):
    return [(task.id, task.spec.command_line) for task in state.journal.tasks(job_id)]


# -- what is made ----------------------------------------------------------------------------------------------


def test_a_task_for_each_row(objects):
    made = submit(objects, OF_ROWS, "s", end=False)
    assert made == ("s", 250, 0)
    tasks = {task["id"]: task for task in objects.each("jobs", "s", "tasks")}
    assert list(tasks)[:2] == ["row-00001", "row-00002"] and len(tasks) == 250
    one = tasks["row-00008"]
    assert one["commandLine"] == "run 7"
    assert {each["name"]: each["value"] for each in one["environmentSettings"]} == {
        "MODE": "fast", "n": "7", "text": "v 7",
    }  # fmt: skip
    (output,) = one["outputFiles"]
    assert output["destination"]["container"]["containerUrl"] == "storage://outputs/s/row-00008"
    assert (one["requiredSlots"], one["constraints"]["maxTaskRetryCount"]) == (1, 1)
    # it stays open, so that what fails can be retried
    assert objects.one("jobs", "s")["onAllTasksComplete"] == "noaction"


def test_again_finds_all(objects):
    assert submit(objects, OF_ROWS, "s", end=False).added == 250
    before = objects.one("jobs", "s")
    assert submit(objects, OF_ROWS, "S", end=False) == ("s", 0, 250)
    assert objects.one("jobs", "s") == before


def test_rows_that_came_behind_are_added(objects):
    few = SWEEP._replace(rows=ROWS[:3])
    assert submit(objects, Submission("p", ("run", "{n}"), few), "s", end=False).added == 3
    more = SWEEP._replace(rows=ROWS[:5])
    assert submit(objects, Submission("p", ("run", "{n}"), more), "s", end=False) == ("s", 2, 3)


def test_the_job_ends_when_it_is_said_and_not_before_its_tasks_are_there(objects):
    assert submit(objects, OF_ROWS, "s", end=True).added == 250
    assert objects.one("jobs", "s")["onAllTasksComplete"] == "terminatejob"
    assert submit(objects, OF_ROWS, "s", end=True).added == 0


@pytest.mark.parametrize(
    "other",
    [
        Submission("p", ("run", "x{n}"), SWEEP),
        Submission("p", ("run", "{n}"), SWEEP._replace(rows=((*ROWS[0][:1], "other"), *ROWS[1:]))),
        Submission("p", ("run", "{n}"), SWEEP, outputs=("*",)),
        Submission("p", ("run", "{n}"), SWEEP, environment=(("A", "b"),)),
        Submission("p", ("run", "{n}"), SWEEP, slots=2),
        Submission("p", ("run", "{n}"), SWEEP, constraints={"maxTaskRetryCount": 3}),
        Submission("p", ("run", "{n}"), SWEEP, constraints={"maxWallClockTime": "PT1H"}),
        Submission("q", ("run", "{n}"), SWEEP),
    ],
)
def test_what_is_another_one_is_refused_before_anything_is_added(objects, other):
    some = Submission("p", ("run", "{n}"), SWEEP._replace(rows=ROWS[:3]))
    submit(objects, some, "s", end=False)
    before = list(objects.each("jobs", "s", "tasks"))
    with pytest.raises(SubmissionConflict, match="another --job"):
        submit(objects, other, "s", end=False)
    assert list(objects.each("jobs", "s", "tasks")) == before
    assert some.job_id() != other.job_id()


def test_empty_values_are_no_difference(objects):
    blank = Submission("p", ("run",), Sweep(("a",), ("a",), (("",), (" ",))))
    submit(objects, blank, "s", end=False)
    assert submit(objects, blank, "s", end=False).added == 0
    wanted = blank.tasks("s")[0]
    assert differences(wanted, {**wanted, "commandLine": "x"}) == ["commandLine"]
    assert differences(wanted, {"id": "x"}) == ["commandLine", "environmentSettings"]


def test_a_job_that_is_over_takes_no_more(state, objects):
    submit(objects, Submission("p", ("run",)), "s", end=False)
    objects.ask("POST", "jobs", "s", "terminate")
    # that which is there already is no error
    assert submit(objects, Submission("p", ("run",)), "s", end=False) == ("s", 0, 1)
    with pytest.raises(RequestRefused) as refused:
        submit(objects, OF_ROWS, "s", end=False)
    assert refused.value.code in ("JobCompleted", "JobTerminating")


def test_of_what_cannot_be_added_nothing_is_left(objects):
    """The pool's nodes have one slot."""
    with pytest.raises(RequestRefused, match="requiredSlots"):
        submit(objects, Submission("p", ("run", "{n}"), SWEEP, slots=2), "s", end=False)
    assert [each["id"] for each in objects.each("jobs")] == ["j", "k"]


# -- whatever happens meanwhile --------------------------------------------------------------------------------


class Breaks:
    """A way on which request number `at` is lost: before it is heard, or its answer."""

    def __init__(self, way, at, heard):
        self.way, self.at, self.heard = way, at, heard

    def __call__(self, method, path, query, body, if_match=None):
        self.at -= 1
        if self.at == 0 and not self.heard:
            raise Unanswered("lost")
        try:
            return self.way(method, path, query, body)
        finally:
            if self.at == 0:
                raise Unanswered("lost")


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_interrupted_anywhere_and_again(state, at, heard):
    """GET and POST of the job, three hundreds of tasks, its end: each is lost in turn."""
    with writing_way(state.directory, Settings(), print) as (way, _):
        with pytest.raises(Unanswered):
            submit(Objects(Breaks(way, at, heard)), OF_ROWS, "s", end=True)
        done = submit(Objects(way), OF_ROWS, "s", end=True)
        assert done.added + done.there == 250
        assert submit(Objects(way), OF_ROWS, "s", end=True) == ("s", 0, 250)
        assert Objects(way).one("jobs", "s")["onAllTasksComplete"] == "terminatejob"
    assert tasks_of(state, "s") == [(f"row-{n + 1:05}", f"run {n}") for n in range(250)]


class Overtaken:
    """A way on which somebody else does the same, just before."""

    def __init__(self, way):
        self.way, self.others = way, True

    def __call__(self, method, path, query, body, if_match=None):
        if method == "POST" and self.others:
            self.others = path.endswith("addtaskcollection")
            self.way(method, path, query, body)
        return self.way(method, path, query, body)


def test_two_at_once(objects, state):
    assert submit(Objects(Overtaken(objects._way)), OF_ROWS, "s", end=False) == ("s", 250, 0)
    way = Overtaken(objects._way)
    way.others = True
    few = Submission("p", ("run", "{n}"), SWEEP._replace(rows=ROWS[:3]))
    way_of_tasks = lambda *asked: way(*asked) if asked[1].endswith("addtaskcollection") else way.way(*asked)  # noqa: E731
    assert submit(Objects(way_of_tasks), few, "t", end=False) == ("t", 0, 3)
    assert len(tasks_of(state, "t")) == 3


def test_bodies_that_are_too_large_are_sent_in_halves(objects):
    sizes = []

    def narrow(method, path, query, body, if_match=None):
        if path.endswith("addtaskcollection"):
            sizes.append(len(body["value"]))
            if sizes[-1] > 30:
                raise RequestRefused("RequestBodyTooLarge", "too large")
        return objects._way(method, path, query, body)

    assert submit(Objects(narrow), OF_ROWS, "s", end=False).added == 250
    assert sizes[:4] == [100, 50, 25, 25]


# -- the command -----------------------------------------------------------------------------------------------


def test_the_id_is_made_of_the_content(state, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("\N{BYTE ORDER MARK}n,text\n1,a\n2,b c\n")
    words = ("submit", "p", "--sweep", str(rows), "--max-time", "PT60M", "--", "run", "{text}")
    first, again = call(state, *words), call(state, *words)
    assert first.exit_code == 0, first.stderr
    name = first.stdout.strip()
    assert again.stdout.strip() == name
    assert "2 tasks added" in first.stderr and "all 2 tasks were there before" in again.stderr
    assert "recorded: no controller works on the state" in first.stderr
    assert f"ebbtide job wait {name} --state {state.directory.path}" in first.stderr
    assert tasks_of(state, name) == [("row-00001", "run a"), ("row-00002", "run 'b c'")]
    rows.write_text("n,text\n1,a\n2,b\n")
    assert call(state, *words).stdout.strip() != name


def call(state, *words, stdin=None):
    """--state stands before the command that is run."""
    at = words.index("--") if "--" in words else len(words)
    options = ("--state", str(state.directory.path))
    return CliRunner().invoke(main, [*words[:at], *options, *words[at:]], input=stdin)


def test_a_single_task(state):
    done = call(state, "submit", "p", "--job", "one", "--env", "A=b c", "--json", "--", "sh -c 'echo $A'")
    assert json.loads(done.stdout) == {"id": "one", "added": 1, "there": 0}
    (task,) = state.journal.tasks("one")
    assert task.id == "task"
    assert shlex.split(task.spec.command_line) == ["sh", "-c", "echo $A"]


def test_a_sweep_from_standard_input(state):
    done = call(state, "submit", "p", "--job", "one", "--sweep", "-", "--", "run", "{a}", stdin="a\nx\n")
    assert (done.exit_code, tasks_of(state, "one")) == (0, [("row-00001", "run x")])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("submit p", 2, "COMMAND"),
        ("submit p -- ''", 2, "the command line is empty"),
        ("submit p run --n 1", 2, "that stands behind `--`"),
        ("submit p -- 'sh -c \"'", 2, "No closing quotation"),
        ("submit none -- true", 1, "PoolNotFound"),
        ("submit p --job 'no id' -- true", 1, "InvalidPropertyValue"),
        ("submit p --job j -- true --sweep x", 0, ""),
        ("submit p --job k --on-all-tasks-complete nothing -- true", 2, "noaction"),
        ("submit p --sweep /nowhere.csv -- true", 2, "/nowhere.csv: No such file"),
        ("submit p --sweep - -- true {x}", 2, "{x} names no column; columns: a"),
        ("submit p --sweep - --env a=b -- true", 2, "--env a: a column of the sweep is called so"),
        ("submit p --output ../x -- true", 2, "leads out of the working directory"),
        ("submit p --output /x -- true", 2, "leads out of the working directory"),
        ("submit p --max-time 1h -- true", 2, "--max-time is no ISO 8601 duration"),
        ("submit p --slots 0 -- true", 2, "--slots"),
        ("submit p --env A -- true", 2, "'A' is not NAME=VALUE"),
    ],
)
def test_what_is_refused(state, words, code, told):
    before = state.journal.load(now())
    done = call(state, *shlex.split(words), stdin="a\n1\n")
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr
    if code:
        assert done.stdout == ""
        assert state.journal.load(now()) == before


def test_a_command_that_needs_a_shell_is_told(state):
    done = call(state, "submit", "p", "--job", "one", "--", "echo", "$HOME")
    assert (done.exit_code, "warning: '$HOME' is passed on as it stands" in done.stderr) == (0, True), done.stderr

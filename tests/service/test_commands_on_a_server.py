"""The commands on a server are those on a state: the same words, the same answers."""

import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from pools import RandomIds
from service.cli import main
from service.state import StateDirectory

from ..providers.waiting import wait_until
from .served import Served, ebbtide

#: What makes the same objects in both; nothing of it runs.
MADE = (
    ("pool", "create", "p", "--vm-size", "local.small", "--slots", "2", "--metadata", "a=b=c", "--metadata", "d="),
    ("pool", "create", "q", "--vm-size", "local.small", "--formula", "-", "--interval", "PT10M"),
    ("job", "create", "j", "--pool", "p", "--priority", "7", "--env", "A=1 2", "--max-retries", "3"),
    ("job", "create", "k", "--pool", "p", "--uses-task-dependencies", "--max-time", "PT8H"),
    ("task", "create", "j", "a", "--command", "true", "--slots", "2", "--max-retries", "-1"),
    ("task", "create", "k", "b", "--command", "true", "--env", "A=b"),
    ("task", "create", "k", "c", "--command", "true", "--depends-on", "b", "--max-time", "PT1M"),
    ("task", "create", "j", "--json-file", "many.json", "--max-retries", "1"),
    ("schedule", "create", "s", "--pool", "p", "--every", "P1D", "--from", "2090-01-01T00:00:00Z", "--command", "true"),
    ("job", "disable", "k", "--tasks", "wait"),
    ("task", "terminate", "j", "a"),
    ("pool", "resize", "p", "--low-priority", "0"),
    ("pool", "set", "p", "--start-task", "true", "--metadata", "a=b=c", "--metadata", "d="),
    ("pool", "reset", "q", "--metadata", "e=f"),
    ("job", "set", "j", "--max-time", "PT9H"),
    ("task", "set", "k", "c", "--max-retries", "2"),
    ("schedule", "set", "s", "--every", "P2D"),
)
FORMULA = "$TargetDedicatedNodes = 0;"
MANY = [{"id": f"m{number:03}", "commandLine": "true"} for number in range(250)]
#: What differs between two of the same kind, and what a controller alone adds.
OWN = {"url", "eTag", "nodeUrl", "autoScaleRun", "schedulingError"}


class Place:
    """Where the commands are about: options and variables that say so."""

    def __init__(self, folder, options, variables):
        self.folder, self.options, self.variables = folder, options, variables

    def __call__(self, *words, stdin=None):
        (self.folder / "many.json").write_text(json.dumps(MANY))
        given = [str(self.folder / word) if word.endswith(".json") else word for word in words]
        environment = dict.fromkeys(("AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY"))
        return CliRunner().invoke(main, [*given, *self.options], input=stdin, env=environment | self.variables)

    def json(self, *words):
        done = self(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="ebbtide-") as made:
        os.chmod(made, 0o755)  # others work on the nodes below it
        yield Path(made)


@pytest.fixture(scope="module")
def served(folder):
    (folder / "settings.yaml").write_text("bootPollInterval: PT0.5S\n")
    server = Served(folder, "--config", str(folder / "settings.yaml"))
    try:
        yield server.ready()
    finally:
        server.close()
        ebbtide("down", state=server.state)


@pytest.fixture(scope="module")
def server(folder, served):
    return Place(folder, (), {name: value for name, value in served.lines.items() if name.startswith("AZURE")})


@pytest.fixture(scope="module")
def state(folder):
    directory = StateDirectory(folder / "alone")
    directory.create(RandomIds().new)
    directory.key.make(nodes=0)
    return Place(folder, ("--state", str(directory.path)), {})


@pytest.fixture(scope="module")
def both(server, state):
    """Everything is made in both; what was said of it."""
    said = {}
    for place in (server, state):
        done = [place(*words, stdin=FORMULA) for words in MADE]
        assert [each.exit_code for each in done] == [0] * len(MADE), [each.output for each in done]
        said[place] = [each.stdout for each in done]
    assert said[server] == said[state]
    return server, state


def alike(value):
    """Without times and places."""
    if isinstance(value, dict):
        return {name: alike(each) for name, each in value.items() if name not in OWN and not name.endswith("Time")}
    if isinstance(value, list):
        return [alike(each) for each in value]
    return value if value != "2090-01-01T00:00:00Z" and not re.match(r"\d{4}-\d\d-\d\dT", str(value)) else "then"


@pytest.mark.parametrize(
    "words",
    [
        ("pool", "list"),
        ("pool", "list", "--filter", "enableAutoScale eq true"),
        ("pool", "show", "P"),
        ("job", "list"),
        ("job", "list", "--filter", "priority gt 0", "--select", "id,priority"),
        ("job", "show", "j"),
        ("task", "list", "j"),
        ("task", "list", "J", "--limit", "3"),
        ("task", "list", "j", "--task-state", "failed"),
        ("task", "list", "j", "--task-state", "failed", "--task-state", "active", "--filter", "startswith(id,'m24')"),
        ("task", "show", "k", "c"),
        ("schedule", "list"),
        ("schedule", "show", "s"),
        ("pool", "node-counts"),
        ("pool", "node-counts", "--filter", "poolId eq 'p'"),
        ("pool", "supported-images"),
        ("job", "list", "--schedule", "s"),
        ("job", "list", "--schedule", "none"),
        ("job", "task-counts", "j"),
        ("job", "prep-release-status", "j"),
        ("job", "prep-release-status", "none"),
        ("task", "subtasks", "k", "c"),
        ("task", "file", "list", "k", "c"),
        ("task", "file", "list", "k", "none"),
        ("task", "file", "show", "k", "c", "none"),
        ("task", "file", "delete", "k", "c", "../../x"),
        ("node", "file", "list", "none"),
        ("node", "user", "delete", "none", "u"),
        ("node", "remote-login-settings", "none"),
        ("pool", "set", "none", "--metadata", "a=b"),
        ("job", "set", "j", "--pool", "q"),
        ("job", "reset", "j"),
        ("node", "list"),
        ("node", "list", "p"),
        ("job", "show", "none"),
        ("task", "show", "j", "none"),
        ("task", "list", "none"),
        ("pool", "show", "none"),
        ("node", "show", "none"),
        ("node", "list", "none"),
        ("schedule", "show", "none"),
        ("job", "list", "--filter", "nonsense eq 1"),
        ("job", "list", "--select", "nonsense"),
        ("job", "terminate", "none", "/../.."),
        ("job", "show", ".."),
        ("job", "show", ""),
        ("task", "reactivate", "j", "m001", "none"),
        ("pool", "create", "p", "--vm-size", "local.small"),
        ("pool", "create", "r", "--vm-size", "nonsense"),
        ("job", "create", "no id", "--pool", "p"),
        ("task", "create", "none", "--json-file", "many.json"),
        ("task", "create", "j", "--json-file", "many.json"),
        ("pool", "autoscale", "evaluate", "q"),
        ("pool", "autoscale", "disable", "p"),
    ],
)
def test_both_answer_the_same(both, words):
    on_server, in_state = (place(*words, "--json") for place in both)
    assert on_server.exit_code == in_state.exit_code, (on_server.stderr, in_state.stderr)
    told = [json.loads(done.stdout) if done.stdout else None for done in (on_server, in_state)]
    assert alike(told[0]) == alike(told[1])
    errors = [[line for line in done.stderr.splitlines() if "error" in line] for done in (on_server, in_state)]
    assert errors[0] == [line.replace(f" {' '.join(both[1].options)}", "") for line in errors[1]]


def test_tables_are_the_same(both):
    for words in (("pool", "list"), ("task", "list", "j"), ("node", "list"), ("schedule", "list")):
        on_server, in_state = (place(*words) for place in both)
        assert on_server.stdout == in_state.stdout, words
        assert on_server.stderr == in_state.stderr, words


def test_what_is_shown_are_the_columns_that_are_asked_for(both):
    for place in both:
        done = place("task", "list", "j", "--task-state", "failed", "--select", "id, executionInfo/failureInfo/code")
        assert [line.split() for line in done.stdout.splitlines()] == [
            ["id", "executionInfo/failureInfo/code"],
            ["a", "TaskEnded"],
        ]


def test_the_file_of_tasks_was_added_whole(both):
    for place in both:
        counts = place.json("job", "show", "j")["taskCounts"]
        assert (counts["active"], counts["failed"]) == (250, 1)
        assert place.json("task", "show", "j", "m249")["constraints"]["maxTaskRetryCount"] == 1
        few = place("task", "list", "j")
        assert (len(few.stdout.splitlines()), few.stderr) == (101, "the first 100 of 251 (--limit N shows more)\n")


def test_what_is_shown_can_be_made_again(both):
    for place in both:
        for kind, name in (("pool", "p"), ("pool", "q"), ("job", "j"), ("schedule", "s")):
            shown = place(kind, "show", name, "--json").stdout
            done = place(kind, "create", f"{name}-again", "--json-file", "-", stdin=shown)
            assert done.exit_code == 0, done.output
            again = place.json(kind, "show", f"{name}-again")
            assert place(kind, "delete", f"{name}-again").exit_code == 0
            differs = OWN | {"id", "taskCounts", "taskSlotCounts", "state", "previousState"}
            spec = lambda view: {name: each for name, each in alike(view).items() if name not in differs}  # noqa: E731,B023
            assert spec(again) == spec(json.loads(shown)), (kind, name)


def test_a_task_runs_on_a_node(server):
    """From the first pool to the last look, with nothing but commands."""
    pool = ("pool", "create", "live", "--vm-size", "local.small", "--dedicated", "1", "--start-task", "true")
    assert server(*pool).exit_code == 0
    assert server("job", "create", "live", "--pool", "live", "--on-all-tasks-complete", "noaction").exit_code == 0
    assert server("task", "create", "live", "t", "--command", "/bin/sh -c 'exit 3'").exit_code == 0
    wait_until(lambda: server.json("task", "show", "live", "t")["state"] == "completed")
    assert "FailureExitCode" in server("task", "list", "live").stdout
    (node,) = server.json("node", "list", "LIVE")
    assert server.json("node", "show", node["id"].upper())["poolId"] == "live"
    assert node["id"] in server("node", "list").stdout
    assert server("schedule", "run", "nothing").exit_code == 1
    assert server("pool", "resume", "live").stdout == "pool live: may create nodes again\n"
    for line in ("task reactivate live t", "job delete live", "pool delete live"):
        assert server(*line.split()).exit_code == 0, line


def test_ids_are_completed(both, monkeypatch):
    for name, value in both[0].variables.items():
        monkeypatch.setenv(name, value)
    shell = ShellComplete(main, {}, "ebbtide", "_EBBTIDE_COMPLETE")
    completed = lambda *words: [item.value for item in shell.get_completions([*words], "")]  # noqa: E731
    assert {"p", "q"} <= set(completed("pool", "show"))
    assert completed("task", "show", "k") == ["b", "c"]
    assert completed("schedule", "run") == ["s"]
    assert completed("task", "create", "k", "--depends-on") == ["b", "c"], "the value of an option, too"
    assert completed("task", "file", "download", "k") == ["b", "c"]
    assert {"p", "q"} <= set(completed("down", "--pool"))
    monkeypatch.setenv("AZURE_BATCH_ENDPOINT", "http://127.0.0.1:1")
    assert completed("pool", "show") == []


def test_the_command_line_counts_before_variables(both):
    server, state = both
    aside = Place(server.folder, state.options, server.variables)
    assert "url" not in aside.json("pool", "show", "p")
    named = Place(server.folder, ("--endpoint", server.variables["AZURE_BATCH_ENDPOINT"]), server.variables)
    assert "url" in named.json("pool", "show", "p")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--endpoint", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("--endpoint", "{https}"), 1, "it speaks no TLS, it seems: give http://"),
        (("--endpoint", "ftp://x"), 2, "is no endpoint"),
        (("--endpoint", "http://[::1"), 2, "'http://[::1' is no endpoint: give http://HOST:PORT"),
        (("--endpoint", "http://x:y"), 2, "is no endpoint"),
        (("--endpoint", "http://x:99999"), 2, "is no endpoint"),
        (("--endpoint", f"http://{'x' * 64}"), 2, "is no endpoint"),
        (("--endpoint", "http://x/pools"), 2, "is no endpoint"),
        (("--endpoint", "http://x", "--state", "y"), 2, "give one of them"),
        (("--account", "", "--endpoint", "http://x"), 2, "AZURE_BATCH_ACCOUNT"),
        (("--key", "", "--endpoint", "http://x"), 2, "AZURE_BATCH_ACCESS_KEY"),
        (("--key", "not/base64!"), 2, "not base64"),
        (("--account", "nobody"), 2, "--account is for a server"),
        (("--key", "a2V5", "--endpoint", "{http}"), 1, "AuthenticationFailed"),
        (("--account", "nobody", "--endpoint", "{http}"), 1, "AuthenticationFailed"),
    ],
)
def test_a_server_that_cannot_be_asked(server, options, code, told):
    endpoint = server.variables["AZURE_BATCH_ENDPOINT"]
    given = [each.format(http=endpoint, https=endpoint.replace("http:", "https:")) for each in options]
    variables = server.variables
    if told == "--account is for a server":
        variables = {**variables, "AZURE_BATCH_ENDPOINT": None}
    if "not base64" in told:
        given += ["--endpoint", endpoint]
    for words in (("pool", "list"), ("job", "terminate", "j"), ("pool", "create", "x", "--vm-size", "y")):
        done = Place(server.folder, given, variables)(*words)
        assert (done.exit_code, told in done.stderr, done.stdout) == (code, True, ""), done.output
        assert done.stderr.count("ebbtide: error: ") == 1
        assert variables["AZURE_BATCH_ACCESS_KEY"] not in done.stderr
        assert "not/base64!" not in done.stderr

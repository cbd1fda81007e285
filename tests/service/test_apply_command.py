"""`ebbtide apply` and `ebbtide delete -f`: on a server, through the socket of its state, and on a state alone."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pools import RandomIds
from runner import open_journal
from service.apply import Removal
from service.cli import main
from service.rest_objects import Objects
from service.state import StateDirectory

from ..providers.waiting import wait_until
from .served import PATIENCE, Served, ebbtide

Command = Callable[..., Result]

WORKLOAD = """
parameters:
  priority: {default: 1}
  id: {}
applications:
- {id: "tool${param:id}", source: tool/}
pools:
- id: p${param:id}
  vmSize: local.small
  applicationPackageReferences: [{applicationId: "tool${param:id}"}]
  userAccounts: [{name: ann, password: top-secret-word}]
jobSchedules:
- id: s${param:id}
  schedule: {doNotRunUntil: "2090-01-01T00:00:00Z"}
  jobSpecification: {poolInfo: {poolId: "p${param:id}"}, jobManagerTask: {id: m, commandLine: "true"}}
jobs:
- id: j${param:id}
  poolInfo: {poolId: "p${param:id}"}
  priority: ${param:priority}
  onAllTasksComplete: terminatejob
  tasks: [{id: a, commandLine: "true"}, {id: b, commandLine: "true"}]
"""
NEW = ["+ application tool{}, version 1.0 (", "+ pool p{}", "+ job schedule s{}", "+ job j{}, 2 tasks"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("applied")
    server = Served(directory).ready()
    yield server
    server.close()
    ebbtide("down", state=server.state)


def variables(served: Served) -> dict[str, str]:
    return {name: value for name, value in served.lines.items() if name.startswith("AZURE")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "run.sh").write_text("echo hi")
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    return tmp_path / "w.yaml"


@pytest.fixture(params=["server", "socket", "alone"])
def command(request: pytest.FixtureRequest, served: Served, tmp_path: Path) -> Command:
    """Where the objects are. Ids of each are its own."""
    options: tuple[str, ...] = ()
    if request.param == "socket":
        options = ("--state", str(served.state))
    elif request.param == "alone":
        directory = StateDirectory(tmp_path / "state")
        directory.create(RandomIds().new)
        directory.key.make(nodes=0)
        open_journal(directory.database_url).close()
        options = ("--state", str(directory.path))
    environment = variables(served) if request.param == "server" else dict.fromkeys(variables(served), "")

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, *options], env=environment)

    call.way = request.param  # type: ignore[attr-defined]
    return call


def told(result: Result) -> list[str]:
    return [line.split("(")[0] + ("(" if "(" in line else "") for line in result.stdout.splitlines()]


def test_from_nothing_to_nothing(command: Command, file: Path) -> None:
    own = command.way  # type: ignore[attr-defined]
    new = [line.format(own) for line in NEW]
    words = (str(file), "--param", f"id={own}")
    planned = command("apply", *words, "--dry-run", "--exit-code")
    assert (planned.exit_code, told(planned)) == (3, new)
    assert f"p{own}" not in command("pool", "list").stdout
    made = command("apply", *words)
    assert (made.exit_code, told(made)) == (0, [*new, "4 created, 2 tasks added"]), made.output
    again = command("apply", *words)
    assert (again.exit_code, told(again)) == (0, ["4 unchanged, and 2 tasks"])
    assert command("apply", *words, "--dry-run", "--exit-code").exit_code == 0
    assert json.loads(command("job", "show", f"j{own}", "--json").stdout)["onAllTasksComplete"] == "terminatejob"
    assert "top-secret-word" not in command("pool", "show", f"p{own}", "--json").stdout

    changed = command("apply", *words, "--param", "priority=7", "--json")
    found = json.loads(changed.stdout)
    properties = [{"path": "priority", "old": 1, "new": 7}]
    change = {"kind": "job", "id": f"j{own}", "change": "changed", "properties": properties, "tasks": []}
    assert found == {"changes": [change], "unchanged": 3, "unchangedTasks": 2, "leftAlone": [], "dryRun": False}
    assert json.loads(command("job", "show", f"j{own}", "--json").stdout)["priority"] == 7

    gone = command("delete", "-f", *words, "--json")
    answers = json.loads(gone.stdout)
    assert [(each["kind"], each["deleted"]) for each in answers][:3] == [
        ("job schedule", True),
        ("job", True),
        ("pool", True),
    ]
    assert answers[3].get("error", {}).get("code") in (None, "ApplicationInUse")
    if own != "alone":
        assert command("delete", "-f", *words, "--wait").exit_code == 0
    last = wait_until(lambda: done if (done := command("delete", "-f", *words)).exit_code == 0 else None)
    assert told(last) == [
        f"{kind}{own}{more}: is not there"
        for kind, more in (("job schedule s", ""), ("job j", ""), ("pool p", ""), ("application tool", ", version 1.0"))
    ]


@pytest.mark.parametrize("command", ["server", "socket"], indirect=True)
def test_an_application_waits_for_the_pool_that_goes(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"waits{command.way}"  # type: ignore[attr-defined]
    is_gone, looks = Removal.is_gone, Counter[Removal]()

    def still_there_at_first(removal: Removal, objects: Objects) -> bool:
        """Before the deletion, and at the first look after it, however fast that was."""
        looks[removal] += 1
        return looks[removal] > 2 and is_gone(removal, objects)

    monkeypatch.setattr(Removal, "is_gone", still_there_at_first)
    words = (str(file), "--param", f"id={own}")
    file.write_text(WORKLOAD.replace("local.small", "local.small\n  targetDedicatedNodes: 1"))
    assert command("apply", *words).exit_code == 0
    assert command("pool", "create", f"q{own}", "--vm-size", "local.small", "--app", f"tool{own}").exit_code == 0
    kept = command("delete", "-f", *words)
    assert (kept.exit_code, "ApplicationInUse" in kept.stderr) == (1, True), kept.output
    assert "waiting for " in kept.stderr and f"pool p{own}" in kept.stderr.partition("waiting for")[2]
    assert f"p{own}" not in command("pool", "list").stdout
    assert command("pool", "delete", f"q{own}").exit_code == 0
    wait_until(lambda: f"q{own}" not in command("pool", "list").stdout)

    assert command("apply", *words).exit_code == 0
    gone = command("delete", "-f", *words)
    assert gone.exit_code == 0, gone.output
    assert told(gone)[-1] == f"application tool{own}, version 1.0: deleted"


def test_what_cannot_be_is_refused_and_nothing_is_done(command: Command, file: Path) -> None:
    own = f"no{command.way}"  # type: ignore[attr-defined]
    words = (str(file), "--param", f"id={own}")
    assert command("apply", *words).exit_code == 0
    other = WORKLOAD.replace('{id: a, commandLine: "true"}', "{id: a, commandLine: other}")
    file.write_text(other.replace("local.small", "local.large"))
    refused = command("apply", *words)
    assert refused.exit_code == 2
    assert (
        f"job 'j{own}': these tasks have other properties there, which are for life: 'a' (commandLine)"
        in refused.stderr
    )
    assert json.loads(command("pool", "show", f"p{own}", "--json").stdout)["vmSize"] == "local.small"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("apply", "none.yaml"), 2, "No such file"),
        (("apply", "FILE"), 2, "parameters.id: has no value: say --param id=VALUE"),
        (("apply", "FILE", "--param", "id"), 2, "'id' is not NAME=VALUE"),
        (("apply", "FILE", "--param", "id=1", "--param", "id=2"), 2, "id is given twice"),
        (("apply", "FILE", "--param", "id=1", "--exit-code"), 2, "--exit-code goes with --dry-run"),
        (("apply", "FILE", "--param", "id=a b"), 2, "may hold 1 to 64 letters"),
        (("delete",), 2, "Missing option '--file' / '-f'"),
        (("delete", "-f", "FILE"), 2, "has no value"),
    ],
)
def test_what_is_no_use(served: Served, file: Path, words: tuple[str, ...], code: int, text: str) -> None:
    given = [str(file) if word == "FILE" else word for word in words]
    done = CliRunner().invoke(main, given, env=variables(served))
    assert (done.exit_code, done.stdout) == (code, "")
    assert text in done.stderr


def test_who_may_not(served: Served, file: Path) -> None:
    """An account that may only read sees what would change."""
    from .served import exported

    reader = exported(ebbtide("account", "create", "looks", "--read-only", state=served.state).stdout)
    words = [str(file), "--param", "id=readonly"]
    assert CliRunner().invoke(main, ["apply", *words, "--dry-run"], env=reader).exit_code == 0
    refused = CliRunner().invoke(main, ["apply", *words], env=reader)
    assert refused.exit_code == 1 and "AuthorizationFailure" in refused.stderr


# -- several, and those that are killed --------------------------------------------------------------------------

MANY = 2000


def many(folder: Path, job_id: str) -> Path:
    tasks = [{"id": f"t{number}", "commandLine": "true"} for number in range(MANY)]
    job = {"id": job_id, "poolInfo": {"poolId": job_id}, "tasks": tasks, "onAllTasksComplete": "terminatejob"}
    (folder / "many.json").write_text(json.dumps({"pools": [{"id": job_id, "vmSize": "local.small"}], "jobs": [job]}))
    return folder / "many.json"


def start(served: Served, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "service", *words],
        env={**os.environ, **variables(served)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ask(served: Served, path: str) -> Any:
    lines = served.lines
    return served.ask("GET", path, lines["AZURE_BATCH_ACCOUNT"], lines["AZURE_BATCH_ACCESS_KEY"]).json()


def count(served: Served, job_id: str) -> int:
    counts = ask(served, f"/jobs/{job_id}/taskcounts").get("taskCounts", {})
    return int(counts.get("active", 0))


def test_killed_in_the_middle_it_goes_on(served: Served, tmp_path: Path) -> None:
    file = many(tmp_path, "killed")
    first = start(served, "apply", str(file))
    wait_until(lambda: count(served, "killed") >= 300 or first.poll() is not None)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    there = count(served, "killed")
    assert 0 < there < MANY, "it was over before it was killed, or had not begun"
    assert ask(served, "/jobs/killed")["onAllTasksComplete"] == "noaction", "with some of its tasks it must not end"
    second = start(served, "apply", str(file))
    out, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, err
    # what the killed one had asked for may have been recorded after it was counted
    assert "onAllTasksComplete: noaction -> terminatejob" in out and " tasks added" in out
    assert count(served, "killed") == MANY
    assert ask(served, "/jobs/killed")["onAllTasksComplete"] == "terminatejob"


def test_two_at_once_make_everything_once(served: Served, tmp_path: Path) -> None:
    file = many(tmp_path, "twice")
    both = [start(served, "apply", str(file)) for _ in range(2)]
    said = [each.communicate(timeout=PATIENCE) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert count(served, "twice") == MANY
    assert ask(served, "/jobs/twice")["onAllTasksComplete"] == "terminatejob"
    third = CliRunner().invoke(main, ["apply", str(file)], env=variables(served))
    assert third.stdout == f"2 unchanged, and {MANY:,} tasks\n"


def test_a_server_that_ends_meanwhile(tmp_path: Path) -> None:
    server = Served(tmp_path).ready()
    try:
        file = many(tmp_path, "cut")
        first = start(server, "apply", str(file))
        wait_until(lambda: count(server, "cut") >= 300 or first.poll() is not None)
        server.process.kill()
        _, err = first.communicate(timeout=PATIENCE)
        assert (
            first.returncode == 1 and "could not be asked, or ended before it answered" in err
        ) or "cannot be reached" in err
        words = ["apply", str(file), "--state", str(server.state)]
        assert CliRunner().invoke(main, words).exit_code == 0
        journal = open_journal(StateDirectory(server.state).database_url, upgrade=False)
        assert len(journal.tasks("cut")) == MANY
        journal.close()
    finally:
        server.close()


def test_run_takes_them_too(file: Path, tmp_path: Path) -> None:
    words = ["run", str(file), "--state", str(tmp_path / "s")]
    missing = CliRunner().invoke(main, words)
    assert missing.exit_code == 2 and "parameters.id: has no value: say --param id=VALUE" in missing.stderr
    wrong = CliRunner().invoke(main, [*words, "--param", "id=1", "--param", "priority=high"])
    assert wrong.exit_code == 2 and "jobs[0].priority: must be a whole number, not 'high'" in wrong.stderr

"""From the first submission to the last file: submit, wait, why it failed, once more, download; on a server with a
node, and on its state."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import tempfile
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from service.cli import main

from ..providers.waiting import wait_until
from .running import Running
from .served import PATIENCE, Served, ebbtide

#: Of each row: it prints, leaves two files, and fails as long as it is not mended.
SCRIPT = """
echo "row $n of $text: {text}"
mkdir -p out/deep; echo "$text" > out/deep/{n}.csv; echo left > left.txt
[ {n} != 2 ] || [ -e {mended} ] || { echo "Traceback" >&2; echo "ValueError: row {n} is bad" >&2; exit 3; }
"""
ROWS = "n,text\n1,a b\n2,it's\n3,$HOME\n"


class Place:
    """Commands on a server: in this process, or started in one of their own."""

    def __init__(self, folder, server):
        self.folder, self.server, self.lines = folder, server, server.lines

    @contextlib.contextmanager
    def running(self, *words, **more):
        started = Running(self.folder, words, {**os.environ, **self.lines, "COLUMNS": "100"}, more)
        try:
            yield started
        finally:
            started.process.kill()
            started.process.wait()

    def __call__(self, *words, code=0):
        with contextlib.chdir(self.folder):
            done = CliRunner().invoke(main, words, env=self.lines)
        assert done.exit_code == code, (words, done.output, done.exception)
        return done.stdout, done.stderr

    def json(self, *words, code=0):
        return json.loads(self(*words, "--json", code=code)[0])


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="ebbtide-") as made:
        os.chmod(made, 0o755)  # others work on the nodes below it, and look for what is there
        yield Path(made)


@pytest.fixture(scope="module")
def place(folder):
    (folder / "settings.yaml").write_text("bootPollInterval: PT0.5S\n")
    (folder / "rows.csv").write_text(ROWS)
    place = Place(folder, serve(folder))
    try:
        place("pool", "create", "p", "--vm-size", "local.small", "--dedicated", "1", "--slots", "4")
        yield place
    finally:
        place.server.close()
        ebbtide("down", state=place.server.state)


def serve(folder, *words):
    return Served(folder, "--config", str(folder / "settings.yaml"), *words).ready()


def held(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def sweep(folder, mended):
    script = SCRIPT.replace("{mended}", str(folder / mended))
    words = ("--output", "out/**", "--output", "*.none", "--", "sh", "-c", script)
    return ("submit", "p", "--sweep", "rows.csv", *words)


def test_a_sweep_from_its_submission_to_its_files(place):
    words = sweep(place.folder, "mended")
    name = place(*words)[0].strip()
    assert re.fullmatch(r"submit-[0-9a-f]{12}", name)
    out, err = place("job", "wait", name, code=1)
    assert (out, f"`ebbtide job failures {name}` tells why" in err) == (f"job {name}: 1 of 3 tasks failed\n", True)
    assert "all 3 tasks were there before" in place(*words)[1]
    # why
    out, err = place("job", "failures", name)
    assert out.splitlines() == [
        "1 task: FailureExitCode, exit code 3: ValueError: row 2 is bad",
        "    row-00002",
        "    standard error of row-00002:",
        "    | Traceback",
        "    | ValueError: row 2 is bad",
    ]
    assert f"`ebbtide job retry {name} --failed`" in err
    (cause,) = place.json("job", "failures", name)
    assert (cause["count"], cause["taskIds"], cause["exitCode"]) == (1, ["row-00002"], 3)
    assert cause["example"]["stderr"] == ["Traceback", "ValueError: row 2 is bad"]
    # once more, when it is mended
    (place.folder / "mended").touch()
    assert place("job", "retry", name, "--failed")[0] == f"task row-00002 of job {name}: runs again\n"
    ended = place.json("job", "wait", name)
    assert (ended["result"], ended["taskCounts"]["succeeded"]) == ("success", 3)
    assert place("job", "retry", name, "--failed")[0] == f"no task of job {name} has failed\n"
    assert place("job", "failures", name)[0] == f"no task of job {name} has failed\n"
    assert place.json("job", "retry", name, "--failed") == place.json("job", "failures", name) == []


@pytest.fixture(scope="module")
def done(place):
    """A sweep that has ended; its id."""
    (place.folder / "whole").touch()
    words = sweep(place.folder, "whole")
    place(*words[:2], "--job", "done", "--wait", *words[2:])
    return "done"


FILES = {
    **{f"row-0000{n}/stderr.txt": "" for n in (1, 2, 3)},
    "row-00001/stdout.txt": "row 1 of a b: a b\n",
    "row-00002/stdout.txt": "row 2 of it's: it's\n",
    "row-00003/stdout.txt": "row 3 of $HOME: $HOME\n",
    "row-00001/wd/out/deep/1.csv": "a b\n",
    "row-00002/wd/out/deep/2.csv": "it's\n",
    "row-00003/wd/out/deep/3.csv": "$HOME\n",
}


def test_what_it_left_is_fetched_once(place, done):
    out, _ = place("job", "download", "DONE", "got")
    fetched = held(place.folder / "got")
    assert fetched == FILES
    assert out.startswith("got: 9 files of 3 tasks, ")
    assert place("job", "download", done, "got")[0] == "got: 0 files of 3 tasks, 0 bytes; 9 were there\n"
    (place.folder / "got" / "row-00001" / "stdout.txt").unlink()
    again = place.json("job", "download", done, "got")
    assert again == {"id": "done", "tasks": 3, "files": 1, "there": 8, "bytes": 18, "errors": []}
    some = place.json("job", "download", done, "some", "--include", "*.txt", "--include", "out/*/1.*")
    assert (some["files"], sorted(held(place.folder / "some"))[:2]) == (
        4, ["row-00001/wd/left.txt", "row-00001/wd/out/deep/1.csv"],
    )  # fmt: skip
    assert "leads out" in place("job", "download", done, "some", "--include", "../../x", code=2)[1]
    assert "JobNotFound" in place("job", "download", "none", "none", code=1)[1]


def test_it_is_there_when_the_node_is_gone(place, done):
    place("job", "download", done, "before")
    place("pool", "resize", "p", "--dedicated", "0")
    wait_until(lambda: not place.json("node", "list", "p"))
    place("job", "download", done, "after")
    assert held(place.folder / "after") == held(place.folder / "before")
    names = [each["name"] for each in place.json("files", done, "row-00001", "-r", "--state", str(place.server.state))]
    assert names == ["stderr.txt", "stdout.txt", "wd/out/deep/1.csv"]
    assert place("task", "logs", done, "row-00003", "--tail", "1")[0] == "row 3 of $HOME: $HOME\n"
    # of what was on its node alone nothing is left
    assert place.json("job", "download", done, "left", "--include", "left.txt")["files"] == 0
    place("pool", "resize", "p", "--dedicated", "1")


def test_the_state_itself_says_the_same(place, done):
    state = ("--state", str(place.server.state))
    assert place("job", "wait", done, *state) == (f"job {done}: 3 tasks succeeded\n", "")
    assert place("job", "download", done, "by-state", *state)[0].startswith("by-state: 9 files")
    assert place("job", "failures", done, *state)[0] == f"no task of job {done} has failed\n"
    assert place("task", "logs", done, "row-00001", *state)[0] == "row 1 of a b: a b\n"


# -- while it runs ---------------------------------------------------------------------------------------------


def waits_for(place, name):
    """A command that prints, and goes on when there is such a file."""
    return ("sh", "-c", f"echo begun; while ! [ -e {place.folder / name} ]; do sleep 0.1; done; echo ended")


def test_who_follows_and_who_waits_outlive_a_restart_of_the_server(place):
    place("submit", "p", "--job", "long", "--", *waits_for(place, "go-on"))
    follow = ("task", "logs", "long", "task", "--follow")
    with place.running(*follow) as logs, place.running("job", "wait", "long") as wait:
        wait_until(lambda: logs.out == "begun\n" and "job long: 0 of 1 done" in wait.err)
        at = place.server.url.rpartition(":")[2]
        place.server.process.kill()
        place.server.process.wait()
        wait_until(lambda: all("asked again until it answers" in each.err for each in (logs, wait)))
        place.server = serve(place.folder, "--listen", f"127.0.0.1:{at}")
        (place.folder / "go-on").touch()
        assert (logs.ended(), logs.out) == (0, "begun\nended\n")
        assert (wait.ended(), wait.out) == (0, "job long: 1 task succeeded\n")
    assert place("task", "logs", "long", "task")[0] == "begun\nended\n"
    assert place("task", "logs", "long", "task", "--tail", "1", "--follow")[0] == "ended\n"
    assert place("task", "logs", "long", "task", "--stderr")[0] == ""


def test_a_wait_ends_at_its_time_or_by_hand_and_the_job_goes_on(place):
    place("submit", "p", "--job", "slow", "--", *waits_for(place, "never-mind"))
    out, _ = place("job", "wait", "slow", "--timeout", "PT0.5S", code=124)
    assert out == "job slow: 0 of 1 tasks are done; the job goes on\n"
    assert place.json("job", "wait", "slow", "--timeout", "PT0S", code=124)["result"] == "timeout"
    wait_until(lambda: place.json("task", "show", "slow", "task")["state"] == "running")
    master, slave = pty.openpty()
    with place.running("job", "wait", "slow", stderr=slave) as waiting:
        shown = read_until(master, b"job slow: 0 of 1 done, 1 running")
        waiting.process.send_signal(signal.SIGINT)
        assert (waiting.ended(), waiting.out) == (130, "")
    shown += read_until(master, b"waits again")
    os.close(slave)
    os.close(master)
    assert b"job slow goes on; `ebbtide job wait slow` waits again" in shown
    assert b"\n" not in shown.partition(b"goes on")[0]  # each look was written over the one before
    assert place.json("task", "show", "slow", "task")["state"] == "running"
    # what is ended by force has failed
    place("job", "terminate", "slow")
    assert place("job", "wait", "slow", code=1)[0] == "job slow: 1 of 1 tasks failed\n"
    assert "JobCompleted" in place("job", "retry", "slow", "--failed", code=1)[1]


def read_until(terminal, text):
    """What stands on a terminal up to there."""
    shown = b""
    while text not in shown:
        assert select.select([terminal], [], [], PATIENCE)[0], shown
        shown += os.read(terminal, 1000)
    return shown


def test_what_follows_a_retry_is_another_execution(place):
    place.folder.chmod(0o777)
    first, then = place.folder / "first", place.folder / "then"
    wait = "while ! [ -e {} ]; do sleep 0.1; done"
    script = f"echo attempt; [ -e {first} ] || {{ {wait.format(first)}; exit 1; }}; {wait.format(then)}"
    place("submit", "p", "--job", "retried", "--max-retries", "1", "--", "sh", "-c", script)
    with place.running("task", "logs", "retried", "task", "-f") as logs:
        wait_until(lambda: logs.out == "attempt\n")
        first.touch()
        wait_until(lambda: logs.out == "attempt\nattempt\n")
        then.touch()
        assert logs.ended() == 0
        assert (logs.out, logs.err.count("was started again")) == ("attempt\nattempt\n", 1)


def test_what_has_not_run_yet(place):
    place("job", "create", "still", "--pool", "p")
    place("job", "disable", "still")
    with place.running("job", "wait", "still") as waiting:
        wait_until(lambda: "it has no tasks yet" in waiting.err)
        assert "job still: it is disabled; `ebbtide job enable still` lets its tasks start" in waiting.err
        place("submit", "p", "--job", "still", "--", "true")
        assert "TaskFilesUnavailable: task 'task' is active" in place("task", "logs", "still", "task", code=1)[1]
        assert "TaskNotFound" in place("task", "logs", "still", "none", code=1)[1]
        assert place.json("job", "download", "still", "still")["files"] == 0
        place("job", "enable", "still")
        assert (waiting.ended(), waiting.out) == (0, "job still: 1 task succeeded\n")


def test_ids_are_completed(place, done, monkeypatch):
    for name, value in place.lines.items():
        monkeypatch.setenv(name, value)
    shell = ShellComplete(main, {}, "ebbtide", "_EBBTIDE_COMPLETE")
    completed = lambda *words: [item.value for item in shell.get_completions([*words], "")]  # noqa: E731
    assert completed("submit") == ["p"]
    for words in ("submit p --job", "job wait", "job retry", "job failures", "job download", "task logs"):
        assert done in completed(*words.split()), words
    assert completed("task", "logs", done) == ["row-00001", "row-00002", "row-00003"]

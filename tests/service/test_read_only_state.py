"""A state where nothing can be written, such as a backup: it tells all that it holds, and takes nothing new."""

import pytest
from click.testing import CliRunner

from pools import ExecutionResult
from runner import LocalStore, Output, open_journal, put_blob
from runner.states import TaskState
from service.cli import main
from service.state import StateDirectory
from tests.runner.store.records import NOW, job, pool, put, task
from tests.runner.store.shut_folder import shut_folder


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    directory = StateDirectory(tmp_path_factory.mktemp("written") / "state")
    directory.create(lambda: "0123456789ab")
    directory.outputs.mkdir(exist_ok=True)
    (directory.outputs / "uid-1.stderr").write_text("in a file\n")
    done = task(state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, exit_code=0, last_node_id="n", end_time=NOW)
    streams = [
        Output(owner="task", parent_id="job", id="task", stream="stdout", size=6, data=b"hello\n"),
        Output(owner="task", parent_id="job", id="task", stream="stderr", size=10, file="uid-1.stderr"),
    ]
    journal = open_journal(directory.database_url)
    journal.commit([put(record) for record in (pool(), job(), done, *streams)])
    journal.close()
    put_blob(LocalStore(directory.storage), "box", "a.txt", [b"blob\n"])
    with shut_folder(tmp_path_factory.mktemp("shut") / "archive", directory.path.iterdir()) as archive:
        yield archive


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ("status", "  job: "),
        ("status --json", '"id": "job"'),
        ("logs job task", "hello\n"),
        ("logs job task --stderr", "in a file\n"),
        ("logs job", "hello\n"),
        ("logs job task --list", "has not run yet"),
        ("files job task", "stdout.txt"),
        ("files job task stdout.txt", "hello\n"),
        ("job list", "job "),
        ("job show job", "id: job"),
        ("task list job", "task "),
        ("pool list", "pool "),
        ("pool show pool", "id: pool"),
        ("node list", "node"),
        ("schedule list", "schedule"),
        ("app list", "application"),
        ("storage ls storage://box", "a.txt"),
        ("storage cp storage://box/a.txt -", "blob\n"),
        ("gc --dry-run", "there is nothing to forget"),
        ("reap --dry-run", "no VM"),
    ],
)  # fmt: skip
def test_what_is_there_is_told(state, words, out):
    run = CliRunner().invoke(main, [*words.split(), "--state", str(state)])
    assert (run.exit_code, out in run.stdout) == (0, True), run.output


@pytest.mark.parametrize("words", ["job terminate job", "gc", "down"])
def test_what_would_change_it_is_refused(state, words):
    run = CliRunner().invoke(main, [*words.split(), "--state", str(state)])
    assert (run.exit_code, run.stdout) == (2, "")
    assert "cannot be used: [Errno " in run.stderr

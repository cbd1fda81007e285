"""`ebbtide files` of a state on which no controller works."""

from typing import Any

import pytest
from click.testing import CliRunner

from pools import Node
from runner import Output, open_journal
from runner.states import TaskState
from service.cli import main
from service.file_trees import NO_CONTROLLER
from service.state import StateDirectory
from tests.runner.store.records import NOW, job, put, task

NODE = Node(id="n", pool_id="pool", vm_name="vm", low_priority=False, created=NOW, modified=NOW, state_time=NOW)
KEPT = Output(owner="task", parent_id="job", id="again", attempt=1, stream="stdout", size=3, data=b"hi\n")
RUNNING: Any = {"state": TaskState.RUNNING, "node_id": "n", "start_time": NOW}
RECORDS = (
    NODE,
    job(),
    task("runs", sequence=1, attempt=1, **RUNNING),
    task("again", sequence=2, attempt=2, **RUNNING),
    KEPT,
    task("waits", sequence=3),
    task("was", sequence=4, state=TaskState.COMPLETED, last_node_id="gone", end_time=NOW),
)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    directory = StateDirectory(tmp_path_factory.mktemp("files") / "state")
    directory.create(lambda: "0123456789ab")
    journal = open_journal(directory.database_url)
    journal.commit([put(record) for record in RECORDS])
    journal.close()
    return directory.path


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        ("job runs", 1, "", f"ebbtide: error: {NO_CONTROLLER}; nothing of it is kept yet\n"),
        ("job runs --json", 1, "", f"ebbtide: error: {NO_CONTROLLER}; nothing of it is kept yet\n"),
        ("job again", 0, "stdout.txt", f"ebbtide: {NO_CONTROLLER}; this is what is kept\n"),
        ("job waits", 0, "no files\n", ""),
        ("job was", 0, "no files\n", ""),
        ("pool n --node", 1, "", f"ebbtide: error: {NO_CONTROLLER}; nothing of it is kept yet\n"),
    ],
)
def test_that_there_may_be_more_is_said(state, words, code, out, err):
    run = CliRunner().invoke(main, ["files", *words.split(), "--state", str(state)])
    assert (run.exit_code, run.stderr) == (code, err)
    assert out in run.stdout and bool(out) == bool(run.stdout)

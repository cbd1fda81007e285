"""Readers of our output that have had enough (`| head`): what only prints ends quietly, what does something goes on."""

import os
import subprocess
from contextlib import contextmanager

import pytest

from .stage import COMMAND, PATIENCE, SLOW

QUICK = """
pools: [{id: p, vmSize: local.small, targetDedicatedNodes: 1}]
jobs:
- {id: j, poolInfo: {poolId: p}, onAllTasksComplete: terminatejob, tasks: [{id: t, commandLine: echo done}]}
"""


@contextmanager
def nobody():
    """The end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def unheard(*words, both=False):
    """Exit code, and standard error if that is heard."""
    with nobody() as pipe:
        run = subprocess.run(
            [*COMMAND, *words], stdout=pipe, stderr=pipe if both else subprocess.PIPE, timeout=PATIENCE, check=False
        )
    return run.returncode, None if both else run.stderr.decode()


@pytest.mark.parametrize("words", [["completion", "bash"], ["formula", "docs", "GetSample"], ["version"]])
def test_what_only_prints_ends_as_by_sigpipe(words):
    assert unheard(*words) == (141, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_takes_a_part_only(unbuffered):
    """What a pipe takes of a write is not all of it: without a buffer Python does not notice."""
    run = subprocess.Popen(
        [*COMMAND, "formula", "docs"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert run.stdout is not None and run.stderr is not None
    assert run.stdout.read(1)
    run.stdout.close()
    with run.stderr:
        assert (run.wait(PATIENCE), run.stderr.read()) == (141, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_takes_nothing_is_told(unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [*COMMAND, "formula", "docs"], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    told = b"standard output: No space left on device; free space there, then give this command again"
    assert (run.returncode, run.stderr) == (1, b"ebbtide: error: " + told + b"\n")


def test_errors_that_nobody_hears_keep_their_code():
    assert unheard("status", "--state", "/nowhere", both=True) == (2, None)


@pytest.mark.parametrize(("options", "both"), [([], False), (["--json"], False), ([], True)])
def test_a_run_goes_on_and_keeps_its_code(stage, options, both):
    stage.workload.write_text(QUICK)
    code, err = unheard("run", str(stage.workload), "--state", str(stage.state), *options, both=both)
    assert code == 0, err
    assert both or ("tasks: 1 succeeded" in err) == bool(options)
    assert stage.status()["jobs"][0]["tasks"] == {"success": 1}
    assert stage.processes() == []
    assert unheard("logs", "j", "t", "--state", str(stage.state)) == (141, "")


@pytest.mark.slow
def test_down_ends_all_vms(stage):
    run = stage.start(workload=SLOW % "/nowhere")
    stage.until_running()
    run.kill()
    run.communicate()
    assert unheard("down", "--now", "--state", str(stage.state), both=True) == (0, None)
    assert stage.processes() == []

"""A state directory and the commands on it, each a process of its own."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time

from providers import marked_processes
from runner import JournalError, open_journal
from service.cli import main

COMMAND = [sys.executable, "-m", "service"]
#: Seconds in which anything must have happened, also on a machine that is busy with other things.
PATIENCE = 240.0
#: A job whose first task runs until a file is there.
SLOW = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  tasks:
  - {id: first, commandLine: "/bin/sh -c 'until test -e %s; do sleep 0.1; done'"}
  - {id: second, commandLine: echo second}
"""


class Stage:
    """A state directory and the commands on it."""

    def __init__(self, directory):
        self.state = directory / "state"
        self.workload = directory / "w.yaml"
        self.running = []
        #: seconds that each command took, in their order, of those that were waited for
        self.took = []

    def __call__(self, *words, workload=None, **environment):
        started = time.monotonic()
        run = self.start(*words, workload=workload, **environment)
        out, err = run.communicate(timeout=PATIENCE)
        self.took.append(time.monotonic() - started)
        return subprocess.CompletedProcess(run.args, run.returncode, out.decode(), err.decode())

    def start(self, *words, workload=None, **environment):
        if workload is not None:
            self.workload.write_text(workload)
            words = ("run", str(self.workload), *words)
        run = subprocess.Popen(
            [*COMMAND, *words, "--state", str(self.state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.running.append(run)
        return run

    def status(self):
        """In this process, which has loaded it: it is asked again and again."""
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            try:
                code = main(["status", "--json", "--state", str(self.state)])
            except SystemExit as end:
                code = end.code
        return json.loads(out.getvalue()) if not code else {"pools": [], "nodes": [], "jobs": []}

    def until_running(self):
        database, run = self.state / "ebbtide.db", self.running[-1]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and run.poll() is None:
            if database.exists() and database.stat().st_size and "running" in self.task_states():
                return
            time.sleep(0.05)
        status = self.status()
        run.kill()
        raise AssertionError(f"no task runs: {status} {run.communicate()}")

    def until(self, holds, what):
        """Wait until something holds that no output tells."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"waited {PATIENCE:g} s in vain for {what}: {self.status()}"
            time.sleep(0.1)

    def task_states(self):
        """Cheaper than a command."""
        try:
            journal = open_journal(f"sqlite:///{self.state}/ebbtide.db", upgrade=False)
        except JournalError:
            return []  # its tables are being made
        try:
            return [task.state for task in journal.tasks("j")]
        finally:
            journal.close()

    def processes(self):
        return marked_processes((self.state / "deployment").read_text().strip())

    def close(self):
        for run in self.running:
            if run.poll() is None:
                run.kill()
            if run.stdout is not None and not run.stdout.closed:
                run.communicate()
        if (self.state / "deployment").exists() and self.processes():  # a command takes about a second
            subprocess.run([*COMMAND, "down", "--now", "--state", str(self.state)], capture_output=True, check=False)

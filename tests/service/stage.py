"""A state directory and the commands on it, each a process of its own."""

import json
import os
import subprocess
import sys
import time

from providers import marked_processes
from runner import JournalError, open_journal

COMMAND = [sys.executable, "-m", "service"]
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

    def __call__(self, *words, workload=None, **environment):
        run = self.start(*words, workload=workload, **environment)
        out, err = run.communicate(timeout=60)
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
        run = self("status", "--json")
        return json.loads(run.stdout) if run.returncode == 0 else {"pools": [], "nodes": [], "jobs": []}

    def until_running(self):
        database = self.state / "ebbtide.db"
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and self.running[-1].poll() is None:
            if database.exists() and database.stat().st_size and "running" in self.task_states():
                return
            time.sleep(0.05)
        raise AssertionError(f"no task runs: {self.status()} {self.running[-1].communicate(timeout=1)}")

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
        if self.state.exists():
            subprocess.run([*COMMAND, "down", "--now", "--state", str(self.state)], capture_output=True, check=False)

"""`ebbtide` as a user types it, in processes of its own, on the fake EC2 whose instances are real SSH hosts."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
import yaml

from tests.rig import CloudRig, ssh
from tests.rig.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that a test waits for anything before it fails: many, for a machine that is busy with other things.
PATIENCE = 180.0
ALIVE = ("pending", "running", "stopping", "stopped", "shutting-down")

needs_hosts = [
    pytest.mark.slow,
    pytest.mark.skipif(CloudRig.unavailable() is not None, reason=f"no rig: {CloudRig.unavailable()}"),
]

FAST = {
    "samplePeriod": "PT0.2S",
    "sampleDelay": "PT0S",
    "vmPollInterval": "PT1S",
    "minimumAutoScaleEvaluationInterval": "PT1S",
    "minimumRecurrenceInterval": "PT1S",
    "keepAliveInterval": "PT1S",
    "connectionTimeout": "PT5S",
    "backOffBase": "PT0.2S",
}

#: Goes on until somebody makes the file /tmp/go on its host, and notes how far it is.
UNTIL_TOLD = "i=0; until [ -e /tmp/go ]; do i=$((i+1)); echo step $i; sleep 0.2; done; echo done"


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What the condition says, once that is true."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {patience:g} s for {what}"
        time.sleep(0.05)
    return found


class Desk:
    """A directory with settings that lead to a rig, the state beside them, and the commands that go there.

    `key`: by which the rig's record of calls tells two desks apart; `options`: of the provider; `settings`: ours.
    """

    def __init__(self, directory: Path, rig: CloudRig, key: str = "testing", options: Any = None, **settings: Any):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.rig, self.key = directory, rig, key
        aws = rig.settings(accessKeyId=key) | (options or {})
        self.settings = {"defaultProvider": "aws", "providers": {"aws": aws}, **FAST, **settings}
        self._file.write_text(yaml.safe_dump(self.settings))
        self._runs: list[subprocess.Popen[bytes]] = []

    @property
    def _file(self) -> Path:
        return self.directory / "settings.yaml"

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        for run in self._runs:
            run.kill()
            run.wait()
        for file in sorted(self.directory.glob("*.out")) if kind is not None else ():
            print(f"--- {file}\n{file.read_text()[-5000:]}")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The command with these settings; it is killed at the end of the test if it still runs."""
        command = [sys.executable, "-m", "service", *words]
        if words[0] in ("run", "down", "reap", "provider"):
            command += ["--config", str(self._file)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        out, err = self._printed(len(self._runs))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            run = subprocess.Popen(command, cwd=self.directory, env=environment, stdout=stdout, stderr=stderr)
        self._runs.append(run)
        return run

    def _printed(self, number: int) -> tuple[Path, Path]:
        return self.directory / f"{number:02d}-stdout.out", self.directory / f"{number:02d}-stderr.out"

    def __call__(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        run = self.start(*words)
        ended = self.end_of(run)
        assert code is None or ended.returncode == code, f"{words}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended

    def end_of(self, run: subprocess.Popen[bytes]) -> subprocess.CompletedProcess[str]:
        run.wait(PATIENCE)
        out, err = (file.read_text() for file in self._printed(self._runs.index(run)))
        return subprocess.CompletedProcess(run.args, run.returncode, out, err)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """`until`, as long as the command that was started last runs."""
        run = self._runs[-1]

        def checked() -> Any:
            ended = run.poll() is not None
            found = condition()
            assert found or not ended, f"waited for {what}, and {run.args!r} has ended with {run.returncode}"
            return found

        return until(checked, what)

    def report(self, run: subprocess.Popen[bytes], code: int = 0) -> Any:
        """What `ebbtide run --json` has printed at its end."""
        ended = self.end_of(run)
        assert ended.returncode == code, f"exit code {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return json.loads(ended.stdout)

    def workload(self, *tasks: str, pool: dict[str, Any], name: str = "w.yaml", **job: Any) -> str:
        """The path of a file with one pool and one job `j` whose tasks t0, t1, ... are these shell scripts."""
        made = [{"id": f"t{n}", "commandLine": f"/bin/sh -c {shlex.quote(text)}"} for n, text in enumerate(tasks)]
        whole = {
            "pools": [{"id": "p", "vmSize": "t3.small", **pool}],
            "jobs": [
                {"id": "j", "poolInfo": {"poolId": "p"}, "onAllTasksComplete": "terminatejob", "tasks": made, **job}
            ],
        }
        (self.directory / name).write_text(yaml.safe_dump(whole))
        return name

    # -- what there is ---------------------------------------------------------------------------------------------

    @property
    def deployment(self) -> str:
        """"" before the first command has made it."""
        file = self.directory / ".ebbtide" / "deployment"
        return file.read_text().strip() if file.exists() else ""

    def instances(self, *states: str) -> list[Instance]:
        """Those that we have made, by the rig's own list."""
        ours = self.deployment
        return [
            each
            for each in self.rig.instances(*states)
            if not each.stranger and each.tags.get("ebbtide-deployment") == ours
        ]

    def printed(self, task: str, job: str = "j") -> str:
        return self("logs", job, task).stdout

    def on_host(self, instance: Instance, command: str) -> str:
        """What a command prints that we run past everybody on an instance, with the deployment's key."""
        text = (self.directory / ".ebbtide" / "id_ed25519").read_text()
        code, printed = ssh.first_word(
            instance.private_ip, paramiko.Ed25519Key.from_private_key(io.StringIO(text)), command=command
        )
        assert code == 0, printed
        return printed

    def steps(self, instance: Instance) -> int:
        """How far the tasks on an instance are that go on until they are told."""
        command = "cat $(find /mnt/batch/tasks/ -name stdout.txt 2>/dev/null) /dev/null | grep -c step; true"
        return int(self.on_host(instance, command))

    def nodes(self, count: int) -> list[Instance]:
        """That many that run, once there are."""
        self.until(lambda: len(self.instances("running")) == count, f"{count} nodes")
        return self.instances("running")

    def at_work(self, instances: list[Instance], after: int = 1) -> None:
        """Waits until the tasks on each have gone so many steps."""
        for instance in instances:
            self.until(lambda each=instance: self.steps(each) > after, "its task to go on")  # type: ignore[misc]

    def tell_all(self, run: subprocess.Popen[bytes]) -> None:
        """Tell the tasks on every instance to end, also on those that come, until the command ends."""
        told: set[str] = set()
        end = time.monotonic() + PATIENCE
        while run.poll() is None and time.monotonic() < end:
            for instance in self.instances("running"):
                if instance.id not in told:
                    try:
                        self.on_host(instance, "touch /tmp/go")
                        told.add(instance.id)
                    except (OSError, EOFError, paramiko.SSHException):
                        pass  # it boots, or has just gone
            time.sleep(0.1)

    def nothing_left(self) -> None:
        """No instance, no key pair, no security group: by the rig's list, not by ours."""
        until(lambda: not self.instances(*ALIVE), "our instances to be gone", 10.0)
        client = self.rig.boto3()
        groups = {group["GroupName"] for group in client.describe_security_groups()["SecurityGroups"]}
        pairs = {pair["KeyName"] for pair in client.describe_key_pairs()["KeyPairs"]}
        assert f"ebbtide-{self.deployment}" not in groups | pairs


class Watch(threading.Thread):
    """Looks at the rig's own list again and again: how many instances of each deployment were alive at once."""

    def __init__(self, rig: CloudRig) -> None:
        super().__init__(daemon=True)
        self._rig, self._over = rig, threading.Event()
        self.most: Counter[str] = Counter()
        self.together: set[frozenset[str]] = set()

    def run(self) -> None:
        while not self._over.wait(0.03):
            alive = [each for each in self._rig.instances(*ALIVE) if not each.stranger]
            counts = Counter(each.tags.get("ebbtide-deployment", "") for each in alive)
            self.most |= counts
            self.together.add(frozenset(counts))

    def stop(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def watched(rig: CloudRig) -> Iterator[Watch]:
    watch = Watch(rig)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
    assert rig.mishaps == []

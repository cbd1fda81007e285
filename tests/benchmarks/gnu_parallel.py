"""GNU parallel, on this machine and over a ControlMaster of OpenSSH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .contenders import TIMEOUT, program
from .cpu import Measured, Stopwatch
from .openssh import Server
from .product import COMMAND, SLOTS


def missing() -> str:
    """Why it cannot be measured, and the cure; or ""."""
    if shutil.which("parallel") is not None:
        # moreutils has another program of this name
        said = subprocess.run(["parallel", "--version"], capture_output=True, check=False).stdout
        if said.startswith(b"GNU parallel"):
            return ""
    return "there is no GNU parallel here; install it, on Debian and Ubuntu by: apt-get install parallel"


def local(count: int, folder: Path) -> Measured:
    return _run(count, folder, [f"-j{SLOTS}", program()])


def over_ssh(server: Server, count: int, folder: Path) -> Measured:
    """Its option --controlmaster measured as slow as a connection for each command: it is given ours."""
    *client, where = server.ssh()
    return _run(count, folder, ["--sshlogin", f"{SLOTS}/{' '.join(client)} {where}", COMMAND])


def _run(count: int, folder: Path, options: list[str]) -> Measured:
    """From the first start to the last end, as its own job log tells them: what starts only once is not counted."""
    folder.mkdir()
    log = folder / "joblog"
    lines = b"".join(b"%d\n" % number for number in range(count))
    environment = {**os.environ, "PARALLEL_HOME": str(folder), "TMPDIR": str(folder)}
    command = ["parallel", "--will-cite", "-N0", "--joblog", str(log), *options]
    watch = Stopwatch()
    subprocess.run(
        command, input=lines, stdout=subprocess.DEVNULL, check=True, timeout=TIMEOUT, cwd=folder, env=environment
    )
    taken = watch.stop()
    rows = [line.split("\t") for line in log.read_text().splitlines()[1:]]
    if len(rows) != count or any(row[6] != "0" for row in rows):
        raise AssertionError(f"of {count} commands: {len(rows)} in the log, {sum(r[6] != '0' for r in rows)} failed")
    starts = [float(row[2]) for row in rows]
    ends = [float(row[2]) + float(row[3]) for row in rows]
    return Measured(max(ends) - min(starts), taken.cpu)

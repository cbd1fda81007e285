"""Nothing is left of a rig with hosts, however it ends. Root only."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.rig import CloudRig, requirements, ssh
from tests.rig.asking import run, wait_for

pytestmark = pytest.mark.skipif(CloudRig.unavailable() is not None, reason=str(CloudRig.unavailable()))


def left_overs(bridge: str, directory: Path) -> list[str]:
    """Interfaces, processes and mounts of a rig."""
    links = [name for name in os.listdir("/sys/class/net") if name == bridge or name.startswith(f"{bridge}-")]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]
    processes = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory) in (path / "mountinfo").read_text():
                processes.append(path.name)
        except OSError:
            continue
    return links + mounts + processes + [str(path) for path in [directory] if path.exists()]


def test_nothing_is_left_of_a_rig() -> None:
    with CloudRig() as rig:
        key, public = ssh.key_pair()
        rig.boto3().import_key_pair(KeyName="k", PublicKeyMaterial=public.encode())
        made = [run(rig, KeyName="k") for _ in range(3)]
        assert ssh.first_word(rig.hosts[made[0]].ip, key, command="setsid sleep 1000 >/dev/null 2>&1 &")[0] == 0
        rig.kill_host(made[1])
        rig.boto3().terminate_instances(InstanceIds=[made[2]])
        traces = rig._hosts.network.bridge, rig._hosts._directory
        assert left_overs(*traces)
        threads = threading.active_count()
    assert left_overs(*traces) == []
    assert threading.active_count() < threads


def test_nothing_is_left_of_a_rig_that_is_killed() -> None:
    code = (
        "import sys, time; from tests.rig import *\n"
        "with CloudRig() as rig:\n"
        "    rig.boto3().run_instances(ImageId=IMAGE, InstanceType=SIZE, MinCount=2, MaxCount=2)\n"
        "    while any(host.state != 'booted' for host in rig.hosts.values()): time.sleep(0.01)\n"
        "    print(rig._hosts.network.bridge, rig._hosts._directory, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=requirements.root(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        bridge, directory = process.stdout.readline().split()
        assert left_overs(bridge, Path(directory))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda: not left_overs(bridge, Path(directory)))

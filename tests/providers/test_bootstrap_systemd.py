"""The script of the first boot under a real systemd, in namespaces: as cloud-init runs it, when sshd is up already."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from providers.bootstrap import BOOTING_FILE

from . import ssh
from .machine import as_vm, free_port, unavailable
from .test_bootstrap import KEY, KEYS, PLAIN
from .waiting import wait_until

pytestmark = pytest.mark.slow

SYSTEMD = Path("/lib/systemd/systemd")
UNITS = "etc/systemd/system"
#: cloud-init's final stage, as Debian orders it.
FIRST_BOOT = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/user-data
RemainAfterExit=yes
KillMode=process
StandardOutput=append:/user-data.log
StandardError=append:/user-data.log
"""
#: An overlay over this machine, with systemd as its init; `$1` its folder, `$2` its cgroup.
BOOT = """\
set -e
echo $$ > $2/cgroup.procs
exec unshare -C sh -c '
set -e
mount --make-rprivate /
mount -t tmpfs none $1; mkdir $1/upper $1/work $1/root
mount -t overlay overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work $1/root
cd $1/root
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t cgroup2 none sys/fs/cgroup
for folder in run tmp dev; do mount -t tmpfs none $folder; done
for name in null zero random urandom; do touch dev/$name; mount --bind /dev/$name dev/$name; done
rm -rf etc/systemd/system etc/rc?.d; mkdir -p etc/systemd/system/multi-user.target.wants
cp $2/sshd_config etc/ssh; cp $2/user-data .; cp $2/first-boot.service etc/systemd/system
ln -s /lib/systemd/system/ssh.service etc/systemd/system/multi-user.target.wants
mkdir etc/systemd/system/default.target.wants
ln -s ../first-boot.service etc/systemd/system/default.target.wants
export container=lxc
exec chroot . /lib/systemd/systemd --system --unit=default.target --show-status=0 --log-level=warning
' boot $1 $3
"""


class Systemd:
    def __init__(self, folder: Path, script: str, port: int) -> None:
        self.port = port
        given = folder / "given"
        given.mkdir()
        (given / "first-boot.service").write_text(FIRST_BOOT)
        (given / "sshd_config").write_text(f"ListenAddress 127.0.0.1\nPort {port}\nUsePAM no\n")
        (given / "user-data").write_text(script)
        (given / "user-data").chmod(0o755)
        (folder / "boot").write_text(BOOT)
        (folder / "stage").mkdir()
        self._cgroup = cgroups() / f"ebbtide-test-{os.getpid()}"
        self._cgroup.mkdir()
        # without the right to power off: what it would call ends its namespace, and never this machine
        command = ["setpriv", "--bounding-set", "-sys_boot", "unshare", "-m", "-p", "-f", "-u", "-i", "--kill-child"]
        command += ["sh", str(folder / "boot"), str(folder / "stage"), str(self._cgroup), str(given)]
        self.init = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def file(self, name: str) -> Path:
        """As it is in there."""
        children = Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
        return Path(f"/proc/{children[0]}/root", name) if children else Path("/nowhere")

    def end(self) -> None:
        self.init.kill()
        self.init.wait(60)
        wait_until(self._removed)

    def _removed(self) -> bool:
        for below, _, _ in os.walk(self._cgroup, topdown=False):
            try:
                os.rmdir(below)
            except OSError:
                return False  # somebody is about to end in there
        return True


def cgroups() -> Path:
    """Where the unified hierarchy is; skips the test if nowhere."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(place)
    pytest.skip("needs cgroups of version 2")


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    reason = unavailable()
    if reason is None and not SYSTEMD.exists():
        reason = "needs systemd (installed, not running)"
    if reason is not None:
        pytest.skip(reason)
    port = free_port()
    own = f"#!/bin/sh\n[ -e {BOOTING_FILE} ] && echo last\n"
    systemd = Systemd(tmp_path, replace(PLAIN, dead_man=3.0, user_data=own).script(), port)
    yield systemd
    systemd.end()


def test_a_cloud_image_becomes_a_node_and_powers_itself_off(systemd: Systemd) -> None:
    vm = as_vm(systemd.port, PLAIN.user, KEYS.public("vm"))

    def enter() -> bool:
        try:
            ssh.connect(vm, KEY).close()
        except (OSError, AssertionError, EOFError, paramiko.SSHException):
            return False
        return True

    wait_until(enter)
    wait_until(lambda: not systemd.file(BOOTING_FILE[1:]).exists())
    assert systemd.file("user-data.log").read_text() == "last\n"
    enabled = systemd.file(f"{UNITS}/multi-user.target.wants/ebbtide-dead-man.service")
    assert enabled.is_symlink()
    assert systemd.init.wait(60) is not None, "nobody speaks to it: systemd ends everything"


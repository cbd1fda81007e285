"""What the hosts of a rig need of this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile

from . import kernel

_PROGRAMS = {"sshd": "openssh-server", "ip": "iproute2", "nft": "nftables", "nsenter": "util-linux"}
_TRY = """
import sys
from tests.rig import kernel
own = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWPID
kernel.unshare(own | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
stage = sys.argv[1]
import os
kernel.mount("rig", stage, "tmpfs")
for part in ("upper", "work", "root"):
    os.mkdir(f"{stage}/{part}")
os.setxattr(f"{stage}/upper", "trusted.overlay.opaque", b"n")
kernel.mount("rig", f"{stage}/root", "overlay", 0, f"lowerdir=/,upperdir={stage}/upper,workdir={stage}/work")
"""


@functools.cache
def missing() -> str | None:
    """The first thing that is, with the cure; None: nothing."""
    if sys.platform != "linux":
        return "the hosts of the rig are made of Linux namespaces"
    if os.geteuid() != 0:
        return "the hosts of the rig need root"
    if not kernel.known_machine():
        return f"the rig does not know the system calls of {os.uname().machine}"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for program, package in _PROGRAMS.items():
        if shutil.which(program, path=path) is None:
            return f"{program} is missing; on Debian and Ubuntu: apt-get install {package}"
    if not any(os.path.exists(f"{folder}/python3") for folder in ("/usr/local/bin", "/usr/bin")):
        return "the hosts share this machine's /usr/bin/python3, and there is none; apt-get install python3"
    return _kernel_refuses()


def _kernel_refuses() -> str | None:
    stage = tempfile.mkdtemp(prefix="ebbtide-rig-try-")
    command = [sys.executable, "-E", "-s", "-S", "-c", _TRY, stage]
    try:
        done = subprocess.run(command, cwd=root(), capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.rmdir(stage)
    if done.returncode == 0:
        return None
    return f"this kernel, or the container we are in, refuses namespaces: {done.stderr.strip().rpartition(chr(10))[2]}"


def root() -> str:
    """The folder from which `tests.rig` is imported."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

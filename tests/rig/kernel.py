"""The few calls of the kernel that Python 3.11 has no function for. Each raises OSError."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
#: What a host must not have: modules, raw devices, the clock, reboot, mounts, the kernel's log and tracing.
_DROPPED_CAPABILITIES = {
    "SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_ADMIN": 21, "SYS_BOOT": 22, "SYS_TIME": 25, "MKNOD": 27,
    "AUDIT_CONTROL": 30, "MAC_OVERRIDE": 32, "MAC_ADMIN": 33, "SYSLOG": 34, "WAKE_ALARM": 35,
    "BLOCK_SUSPEND": 36, "PERFMON": 38, "BPF": 39,
}  # fmt: skip
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _IFF_UP = 0x8914, 0x8916, 0x891C, 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    _checked(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags),
        data.encode() if data else None,
    )  # fmt: skip
    _checked(result, f"mount {source} on {target}")


def detach(target: str) -> None:
    _checked(_libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    number = _SYS_PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(ctypes.c_long(number), new.encode(), old.encode()), "pivot_root")


def known_machine() -> bool:
    return os.uname().machine in _SYS_PIVOT_ROOT


def die_with_parent(signal_number: int) -> None:
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """For good, of this process and all that it starts: also root cannot get them back."""
    for name, number in _DROPPED_CAPABILITIES.items():
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) != 0 and number <= 37:
            _checked(-1, f"drop {name}")


def set_address(device: str, address: str, mask: str) -> None:
    """Of an interface of this network namespace; "eth0:1" gives eth0 a second one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
            packed = struct.pack("16sH2s4s8x", device.encode(), socket.AF_INET, b"\0\0", socket.inet_aton(value))
            fcntl.ioctl(handle, request, packed)


def set_up(device: str, up: bool = True) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sH14x", device.encode(), _IFF_UP if up else 0))

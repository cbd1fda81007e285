"""What this node uses: CPU, memory, disks and network, as the kernel tells it in /proc.

A figure that cannot be read (a container may hide the file, an old kernel the line) is left out, and the others
stand. Counters are those of the whole machine, whatever group of processes this one belongs to.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Tuple

    from .wire import Message

    Counters = Dict[str, Tuple[int, ...]]  # by device

SHORTEST = 0.1  # seconds between two measurements, whatever is asked for
_SECTOR = 512  # bytes, in /proc/diskstats, whatever the disk says
_DISK = ("disk_reads", "disk_read_bytes", "disk_writes", "disk_write_bytes")
_NETWORK = ("network_in_bytes", "network_out_bytes")


# -- texts of /proc; ValueError if they are not as expected


def cpu_times(text: str) -> tuple[int, int]:
    """(ticks in use, ticks in all) of all CPUs since the start, from /proc/stat.

    What a hypervisor took away counts as used: a node that is kept from running more has no room left.
    """
    name, _, rest = text.partition(" ")
    if name != "cpu":
        raise ValueError("no line of all CPUs")
    # user nice system idle iowait irq softirq steal; behind them guests, who are in user and nice already
    ticks = [int(field) for field in rest.split("\n", 1)[0].split()[:8]]
    if len(ticks) < 4:
        raise ValueError("too few columns")
    total = sum(ticks)
    return total - sum(ticks[3:5]), total


def memory_used(text: str) -> int:
    """Bytes that programs could not have any more, from /proc/meminfo."""
    sizes = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            sizes[name] = int(rest[:-3]) * 1024
    try:
        free = sizes.get("MemAvailable")
        if free is None:  # before Linux 3.14
            free = sizes["MemFree"] + sizes["Buffers"] + sizes["Cached"]
        return max(0, sizes["MemTotal"] - free)
    except KeyError as error:
        raise ValueError(f"no {error}") from error


def disk_counters(text: str, physical: set[str]) -> Counters:
    """`_DISK` since the start, from /proc/diskstats.

    Of the `physical` disks: a partition, a volume or a loop would count the same bytes again.
    """
    counters: Counters = {}
    for line in text.splitlines():
        columns = line.split()
        if len(columns) >= 14 and columns[2] in physical:
            reads, read, writes, written = (int(columns[at]) for at in (3, 5, 7, 9))
            counters[columns[2]] = (reads, read * _SECTOR, writes, written * _SECTOR)
    return counters


def network_counters(text: str, physical: set[str]) -> Counters:
    """`_NETWORK` since the start, from /proc/net/dev.

    Of the `physical` interfaces, as bridges and tunnels would count the same bytes again; in a container, which has
    none of these, of all but the loopback.
    """
    counters: Counters = {}
    for line in text.splitlines():
        name, colon, rest = line.rpartition(":")
        columns = rest.split()
        if colon and len(columns) >= 16 and name.strip() != "lo":
            counters[name.strip()] = (int(columns[0]), int(columns[8]))
    return {name: counters[name] for name in counters if name in physical} or counters


# -- from one measurement to the next


def cpu_percent(before: tuple[int, int], after: tuple[int, int]) -> float | None:
    """Of all CPUs together, 0 to 100. None if no tick has passed."""
    ticks = after[1] - before[1]
    if ticks <= 0:
        return None
    # the kernel's idle times may go back by a tick or two
    return round(min(100.0, max(0.0, 100.0 * (after[0] - before[0]) / ticks)), 3)


def growth(names: tuple[str, ...], before: Counters, after: Counters) -> dict[str, int]:
    """What the counters have grown by, over all devices; nothing if there is no device.

    One that came, or began anew from zero, counts from the next time on.
    """
    grown = []
    for device, counts in after.items():
        if device in before:
            steps = [new - old for new, old in zip(counts, before[device])]
            if min(steps) >= 0:
                grown.append(steps)
    return {name: sum(column) for name, column in zip(names, zip(*grown))}


# -- the machine


def _known(measure: Callable[[], Any]) -> Any:
    """What it measures; None if that cannot be read or understood."""
    try:
        return measure()
    except (OSError, ValueError):
        return None


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def _physical(folder: str) -> set[str]:
    """The disks or interfaces that are a piece of (virtual) hardware. Empty if that cannot be told."""
    try:
        return {name for name in os.listdir(folder) if os.path.lexists(f"{folder}/{name}/device")}
    except OSError:
        return set()


def _cpu() -> tuple[int, int]:
    return cpu_times(_text("/proc/stat"))


def _disks() -> Counters:
    return disk_counters(_text("/proc/diskstats"), _physical("/sys/block"))


def _network() -> Counters:
    return network_counters(_text("/proc/net/dev"), _physical("/sys/class/net"))


def _disk_used(root: str) -> int:
    disk = os.statvfs(root)
    return max(0, disk.f_blocks - disk.f_bfree) * disk.f_frsize  # some file systems tell more free than there is


class Meter:
    """Measures every `period` seconds. It keeps the counters of the last time, and nothing else of the past."""

    def __init__(self, root: str, period: float) -> None:
        self._root = root
        self._period = max(SHORTEST, period)
        self._at = time.monotonic()
        self._due = self._at + self._period
        self._cpu = _known(_cpu)
        self._disks = _known(_disks) or {}
        self._network = _known(_network) or {}

    def patience(self) -> int:
        """Milliseconds until it is time to measure, an hour at most; 0 if it is time."""
        left = min(3600.0, self._due - time.monotonic())
        return int(left * 1000) + 1 if left > 0 else 0

    def measure(self) -> Message:
        """What was used since the last time, in `seconds`, and what is in use now: bytes, operations, percent."""
        now = time.monotonic()
        cpu, disks, network = _known(_cpu), _known(_disks) or {}, _known(_network) or {}
        figures: dict[str, float | None] = {
            "cpu_percent": cpu_percent(self._cpu, cpu) if self._cpu and cpu else None,
            "memory_bytes": _known(lambda: memory_used(_text("/proc/meminfo"))),
            "disk_bytes": _known(lambda: _disk_used(self._root)),
        }
        figures.update(growth(_DISK, self._disks, disks))
        figures.update(growth(_NETWORK, self._network, network))
        seconds = round(now - self._at, 6)
        self._at, self._cpu, self._disks, self._network = now, cpu, disks, network
        self._due = max(self._due + self._period, now + self._period / 2)  # on the beat, also after a delay
        known = {name: figure for name, figure in figures.items() if figure is not None}
        return {"op": "usage", "seconds": seconds, **known}

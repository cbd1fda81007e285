"""What a cloud costs a controller, on the rig: many hosts at once, and a look at many VMs.

- From the decision that hosts are wanted to the first task of each, beside libcloud and paramiko by hand, from the call
  that makes a host to the end of its first command. Needs root: the hosts are made of namespaces.
- One tick with many VMs (asking, telling the core, planning, committing), beside one full listing by libcloud.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.rig import CloudRig

from .cloud_rig import served
from .cloud_start import Start
from .cloud_tick import Look
from .contenders import TIMEOUT
from .cpu import Cpu, Measured
from .report import Report, table
from .rounds import Row, Spread, run_rounds

#: Seconds that an instance of the rig is pending.
PENDING = "0.2"
STEPS = {"created": "VM made", "running": "it runs", "answered": "its agent answers", "usable": "it takes tasks"}
LOOKS = {
    "libcloud": "libcloud, list_nodes",
    "tick": "ebbtide, one tick",
    "full": "ebbtide, first list_owned",
}


@dataclass(frozen=True)
class Counts:
    hosts: int = 20
    vms: int = 1000


QUICK = Counts(hosts=2, vms=20)


class _Started:
    """Starts hosts in one way, each time in a new process; one measurement is the median of its hosts."""

    def __init__(self, way: str, endpoint: str, count: int, folder: Path) -> None:
        self._arguments = (way, endpoint, str(count))
        self._folder = folder / f"cloud-{way}"
        self.starts: list[Start] = []

    def __call__(self, number: int) -> Measured:
        folder = str(self._folder / str(number))
        start = msgspec.json.decode(_child("cloud_start", *self._arguments, folder), type=Start)
        self.starts.append(start)
        return Measured(statistics.median(start.first), Cpu(start.cpu))

    def step(self, name: str) -> str:
        """The median of the rounds' medians."""
        found = [statistics.median(start.steps[name]) for start in self.starts if name in start.steps]
        return f"{statistics.median(found):.2f}" if found else "-"

    def last(self) -> str:
        return f"{statistics.median(max(start.first) for start in self.starts):.2f}"


def run(folder: Path, rounds: int, counts: Counts) -> Report:
    start, ratio, rows = _start(folder, rounds, counts.hosts)
    tick, figures = _tick(folder, rounds, counts.vms)
    calls = max(figures["tick"].calls)
    spread = Spread.of([a / b for a, b in zip(figures["tick"].cpu, figures["libcloud"].cpu, strict=True)])
    looked = [
        {"name": name, "count": counts.vms, "calls": look.calls, "secondsEach": look.seconds, "cpuEach": look.cpu}
        for name, look in ((LOOKS[way], figures[way]) for way in LOOKS)
    ]
    last = f"{ratio}; {calls} calls a tick of {counts.vms:,} VMs, {spread} the CPU of list_nodes"
    return Report("cloud", [*start, "", *tick, ""], {"rows": [*rows, *looked]}, last)


def _start(folder: Path, rounds: int, count: int) -> tuple[list[str], str, list[dict[str, object]]]:
    names = (
        "libcloud and paramiko: create_node to the first command",
        "ebbtide: decision to the first task",
    )
    if missing := CloudRig.unavailable():
        left_out = [Row(name, count, None, f"left out: {missing}") for name in names]
        lines = [f"{count} hosts at once: left out, {missing}"]
        return lines, f"{count} hosts at once left out ({missing})", [_figures(row) for row in left_out]
    with ExitStack() as stack:
        endpoint = stack.enter_context(served("--hosts", "--pending", PENDING))
        plain = _Started("plain", endpoint, count, folder)
        product = _Started("product", endpoint, count, folder)
        rows = [Row(names[0], 1, plain), Row(names[1], 1, product)]
        run_rounds(rows, rounds)
    ratio = Spread.of([ours / theirs for ours, theirs in zip(rows[1].each, rows[0].each, strict=True)])
    cells = [
        [row.name, f"{row.median:.2f}", one.last(), *(one.step(step) for step in STEPS), f"{_mid(row.cpu):.2f}"]
        for row, one in zip(rows, (plain, product), strict=True)
    ]
    lines = [
        f"{count} hosts at once on the rig (one machine for all of them); {rounds} rounds, medians, seconds",
        "",
        *table(["", "median host", "last host", *STEPS.values(), "CPU here"], cells),
        f"  ratio of the median hosts: {ratio}",
    ]
    return lines, f"{count} hosts at once in {ratio} of plain create-to-first-SSH", [_figures(row) for row in rows]


def _tick(folder: Path, rounds: int, count: int) -> tuple[list[str], dict[str, Look]]:
    with served() as endpoint:
        said = _child("cloud_tick", endpoint, str(count), str(rounds), str(folder / "cloud-tick"))
    looks = msgspec.json.decode(said, type=dict[str, Look])
    cells = [
        [text, str(max(looks[way].calls)), f"{_mid(looks[way].cpu) * 1e3:.0f}", f"{_mid(looks[way].seconds) * 1e3:.0f}"]
        for way, text in LOOKS.items()
    ]
    lines = [
        f"A look at {count:,} EC2 VMs (the rig's, without hosts); {rounds} rounds, medians",
        "",
        *table(["", "API calls", "CPU, ms", "clock, ms"], cells),
    ]
    return lines, looks


def _child(module: str, *arguments: str) -> bytes:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout


def _figures(row: Row) -> dict[str, object]:
    return {"name": row.name, "remark": row.remark, "secondsEach": row.each, "cpuEach": row.cpu}


def _mid(values: list[float]) -> float:
    return statistics.median(values)

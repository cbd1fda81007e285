"""Tasks a second through the whole product, beside other ways to run a command."""

from __future__ import annotations

import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from . import contenders
from .cpu import Cpu, Measured
from .openssh import Missing, OpenSsh, Server
from .product import COMMAND, SLOTS, Run
from .report import Report, table
from .rounds import Row, Spread, run_rounds

PRODUCT = "ebbtide: engine, SQLite, agent over SSH"
SPAWN = f"Python posix_spawn, {SLOTS} outstanding"
XARGS = f"xargs -P{SLOTS}"
FOLDERS = "no command: a task's folders and files alone"
MASTER = f"OpenSSH ControlMaster, xargs -P{SLOTS} ssh"


NOTE = (
    "ext4 makes folders slowly for minutes after thousands were deleted (the row without a command shows it);"
    "\n        other load slows OpenSSH, which switches between more processes, down more than the product"
)


@dataclass(frozen=True)
class Counts:
    """How often each way runs the command in one round; a slow way need not run as often."""

    product: int = 4000
    local: int = 4000
    control_master: int = 300
    paramiko: int = 300


QUICK = Counts(product=12, local=12, control_master=4, paramiko=4)


class _Product:
    """Runs the product, each time in a new process and a new folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self.runs: list[Run] = []

    def __call__(self, number: int) -> Measured:
        state = self._folder / f"product-{number}"
        command = [sys.executable, "-m", "tests.benchmarks.product", str(state), str(self._count)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=contenders.TIMEOUT).stdout
        done = msgspec.json.decode(said, type=Run)
        self.runs.append(done)
        return Measured(done.seconds, sum(done.cpu.values(), Cpu()))

    def cpu(self) -> dict[str, Cpu]:
        """Processor seconds a task by who took them, the mean of all rounds."""
        tasks = sum(run.tasks for run in self.runs)
        total: dict[str, Cpu] = {}
        for run in self.runs:
            for kind, taken in run.cpu.items():
                total[kind] = total.get(kind, Cpu()) + taken
        return {kind: Cpu(taken.user / tasks, taken.system / tasks) for kind, taken in sorted(total.items())}

    def adding(self) -> float:
        """Seconds a task until it is committed that it exists."""
        return sum(run.adding for run in self.runs) / sum(run.tasks for run in self.runs)


def run(folder: Path, rounds: int, counts: Counts) -> Report:
    product = _Product(folder, counts.product)
    with ExitStack() as stack:
        server: Server | str
        try:
            server = stack.enter_context(OpenSsh())
        except Missing as missing:
            server = str(missing)
        rows = [
            Row(PRODUCT, counts.product, product),
            Row(SPAWN, counts.local, lambda _: contenders.posix_spawn(counts.local, folder)),
            Row(XARGS, counts.local, lambda _: contenders.xargs(counts.local, folder)),
            Row(FOLDERS, counts.local, lambda n: contenders.folders(counts.local, folder / f"folders-{n}")),
            *_over_ssh(server, folder, counts),
        ]
        run_rounds(rows, rounds)
    return _report(rows, product, rounds)


def _over_ssh(server: Server | str, folder: Path, counts: Counts) -> list[Row]:
    names = (MASTER, f"paramiko, a channel per command, {SLOTS} threads")
    if isinstance(server, str):
        return [Row(name, 0, None, server) for name in names]
    master, channels = counts.control_master, counts.paramiko
    return [
        Row(names[0], master, lambda _: contenders.control_master(server, master, folder), server.remark),
        Row(names[1], channels, lambda _: contenders.paramiko_channels(server, channels), server.remark),
    ]


def _report(rows: list[Row], product: _Product, rounds: int) -> Report:
    by_name = {row.name: row for row in rows}
    base = next((row for row in rows if row.name == MASTER and row.each), None)
    cells = []
    for row in rows:
        if not row.each:
            cells.append([row.name, f"skipped: {row.remark}"])
            continue
        ratio = spread = "-"
        if base is not None:
            speed = Spread.of(row.ratios(base))
            ratio, spread = f"{speed.median:.2f}x", f"{speed.least:.2f}-{speed.most:.2f}"
        slowest, fastest = 1 / max(row.each), 1 / min(row.each)
        cells.append(
            [
                row.name,
                f"{row.count}",
                f"{1 / row.median:,.0f}",
                f"{slowest:,.0f}-{fastest:,.0f}",
                f"{row.median * 1e6:,.0f}",
                f"{statistics.median(row.cpu) * 1e6:,.0f}",
                ratio,
                spread,
            ]
        )
    remarks = sorted({row.remark for row in rows if row.each and row.remark})
    lines = [f"`{COMMAND}`, {SLOTS} at a time, on this machine; {rounds} rounds, medians", ""]
    head = ["", "tasks", "tasks/s", "min-max", "us/task", "cpu us", "x ControlMaster", "min-max"]
    lines += table(head, cells)
    lines += [f"  note: {remark}" for remark in [NOTE, *remarks]]
    cpu = product.cpu()
    lines += ["", "Processor time of the product, us a task", ""]
    lines += table(["", "user", "sys", "both"], [*_cpu_cells(cpu)])
    lines += [f"  (of the time, {product.adding() * 1e6:.0f} us a task were for adding it)", ""]
    ours = by_name[PRODUCT]
    last = [f"{1 / ours.median:,.0f} tasks/s"]
    if base is not None:
        last.append(f"{Spread.of(ours.ratios(base))} the speed of ControlMaster")
        cheaper = Spread.of([b / o for o, b in zip(ours.cpu, base.cpu, strict=True)])
        last.append(f"which takes {cheaper} the processor time")
    local = by_name[XARGS]
    last.append(f"{Spread.of(ours.ratios(local))} that of local xargs")
    figures = {
        "rows": [
            {"name": r.name, "count": r.count, "remark": r.remark, "secondsEach": r.each, "cpuEach": r.cpu}
            for r in rows
        ],
        "productCpuSecondsEach": {kind: asdict(taken) for kind, taken in cpu.items()},
        "addingSecondsEach": product.adding(),
        "timesControlMaster": asdict(Spread.of(ours.ratios(base))) if base is not None else None,
    }
    return Report("tasks", lines, figures, ", ".join(last))


def _cpu_cells(cpu: dict[str, Cpu]) -> list[list[str]]:
    total = sum(cpu.values(), Cpu())
    return [
        [kind, *(f"{seconds * 1e6:.0f}" for seconds in (taken.user, taken.system, taken.both))]
        for kind, taken in [*cpu.items(), ("all", total)]
    ]

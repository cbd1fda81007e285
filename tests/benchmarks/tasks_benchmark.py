"""Tasks a second through the whole product, beside other ways to run a command."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from . import agent_alone, contenders, gnu_parallel, peers
from . import product as product_module
from .cpu import Cpu, Measured
from .openssh import Missing, OpenSsh, Server
from .product import COMMAND, SLOTS, Run
from .report import Report, table
from .rounds import Row, Spread, run_rounds

PRODUCT = "ebbtide: engine, SQLite, agent over SSH"
C_SPAWN = f"C posix_spawn, {SLOTS} outstanding"
SPAWN = f"Python posix_spawn, {SLOTS} outstanding"
XARGS = f"xargs -P{SLOTS}"
FOLDERS = "no command: a task's folders and files alone"
MASTER = f"OpenSSH ControlMaster, xargs -P{SLOTS} ssh"
PARALLEL = f"GNU parallel -j{SLOTS}"
PARALLEL_MASTER = f"GNU parallel --sshlogin over a ControlMaster, -j{SLOTS}"
# The product with more and more left out, down to an agent that only starts processes.
FORGETFUL = "ebbtide, nothing committed"
ALONE = "ebbtide's agent alone, over pipes"
ISOLATED = "  the same, a user of its own for each task"
BARE_AGENT = "an agent that only spawns, one SSH channel"

NOTE = (
    "ext4 makes folders slowly for minutes after thousands were deleted (the row without a command shows it);"
    "\n        other load slows OpenSSH, which switches between more processes, down more than the product"
)


@dataclass(frozen=True)
class Counts:
    """How often each way runs the command in one round; a slow way need not run as often."""

    product: int = 4000
    local: int = 4000
    hyperqueue: int = 2000
    dask: int = 2000
    parsl: int = 1000
    parallel: int = 600
    control_master: int = 300
    parallel_master: int = 120
    paramiko: int = 300


QUICK = Counts(12, 12, 12, 12, 12, 4, 4, 4, 4)


class _Product:
    """Runs the product, each time in a new process and a new folder."""

    def __init__(self, folder: Path, count: int, *way: str) -> None:
        self._folder = folder
        self._count = count
        self._way = way
        self.runs: list[Run] = []

    def __call__(self, number: int) -> Measured:
        state = self._folder / "-".join(["product", *self._way, str(number)])
        command = [sys.executable, "-m", "tests.benchmarks.product", str(state), str(self._count), *self._way]
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

    @property
    def user(self) -> str:
        """Whom the tasks ran as."""
        return ", ".join(sorted({run.user for run in self.runs}))

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
            *_peers(folder, counts),
            *_local(folder, counts),
            *_over_ssh(server, folder, counts),
            Row(FORGETFUL, counts.product, _Product(folder, counts.product, product_module.FORGETFUL)),
            *_agents(server, folder, counts),
        ]
        run_rounds(rows, rounds)
    return _report(rows, product, rounds)


def _row(name: str, count: int, missing: str, measure: Callable[[int], Measured], remark: str = "") -> Row:
    return Row(name, count, None, missing) if missing else Row(name, count, measure, remark)


def _peers(folder: Path, counts: Counts) -> list[Row]:
    def row(key: str, count: int) -> Row:
        peer = peers.PEERS[key]
        return _row(peer.name, count, peer.missing, lambda n: peers.measured(key, count, folder / f"{key}-{n}"))

    return [row(key, getattr(counts, key)) for key in peers.PEERS]


def _local(folder: Path, counts: Counts) -> list[Row]:
    count, some = counts.local, counts.parallel
    rows = [
        Row(SPAWN, count, lambda _: contenders.posix_spawn(count, folder)),
        Row(XARGS, count, lambda _: contenders.xargs(count, folder)),
        _row(PARALLEL, some, gnu_parallel.missing(), lambda n: gnu_parallel.local(some, folder / f"parallel-{n}")),
        Row(FOLDERS, count, lambda n: contenders.folders(count, folder / f"folders-{n}")),
    ]
    try:
        spawner = contenders.CSpawner(folder)
    except Missing as missing:
        return [Row(C_SPAWN, count, None, str(missing)), *rows]
    return [Row(C_SPAWN, count, lambda _: spawner(count)), *rows]


def _over_ssh(server: Server | str, folder: Path, counts: Counts) -> list[Row]:
    paramiko = f"paramiko, a channel per command, {SLOTS} threads"
    if isinstance(server, str):
        return [Row(name, 0, None, server) for name in (MASTER, PARALLEL_MASTER, paramiko)]
    master, channels, some = counts.control_master, counts.paramiko, counts.parallel_master
    return [
        Row(MASTER, master, lambda _: contenders.control_master(server, master, folder), server.remark),
        _row(
            PARALLEL_MASTER,
            some,
            gnu_parallel.missing(),
            lambda n: gnu_parallel.over_ssh(server, some, folder / f"parallel-ssh-{n}"),
            server.remark,
        ),
        Row(paramiko, channels, lambda _: contenders.paramiko_channels(server, channels), server.remark),
    ]


def _agents(server: Server | str, folder: Path, counts: Counts) -> list[Row]:
    count = counts.product
    rows = [
        Row(ALONE, count, lambda n: agent_alone.measured(count, folder / f"alone-{n}")),
        _row(
            ISOLATED,
            count,
            agent_alone.closed_to_others(folder),
            lambda n: agent_alone.measured(count, folder / f"isolated-{n}", users=True),
        ),
    ]
    if isinstance(server, str):
        return [*rows, Row(BARE_AGENT, 0, None, server)]
    return [*rows, Row(BARE_AGENT, count, lambda _: contenders.bare_agent(server, count))]


def _report(rows: list[Row], product: _Product, rounds: int) -> Report:
    ours, *others = rows
    cells = [_cells(row, ours) for row in rows]
    remarks = sorted({row.remark for row in rows if row.each and row.remark})
    lines = [f"`{COMMAND}`, {SLOTS} at a time, on this machine; {rounds} rounds, medians", ""]
    head = ["", "tasks", "tasks/s", "min-max", "us/task", "cpu us", "ebbtide is", "min-max"]
    lines += table(head, cells)
    lines += [f"  note: {remark}" for remark in [f"tasks of ebbtide ran as {product.user}", NOTE, *remarks]]
    cpu = product.cpu()
    lines += ["", "Processor time of the product, us a task", ""]
    lines += table(["", "user", "sys", "both"], [*_cpu_cells(cpu)])
    lines += [f"  (of the time, {product.adding() * 1e6:.0f} us a task were for adding it)", ""]
    figures = {
        "rows": [
            {"name": r.name.strip(), "count": r.count, "remark": r.remark, "secondsEach": r.each, "cpuEach": r.cpu}
            for r in rows
        ],
        "productCpuSecondsEach": {kind: asdict(taken) for kind, taken in cpu.items()},
        "addingSecondsEach": product.adding(),
        "user": product.user,
        "times": {row.name.strip(): asdict(Spread.of(ours.ratios(row))) for row in others if row.each},
    }
    return Report("tasks", lines, figures, _key_ratios(ours, {row.name: row for row in others if row.each}))


def _cells(row: Row, ours: Row) -> list[str]:
    if not row.each:
        return [row.name, f"skipped: {row.remark}"]
    speed = Spread.of(ours.ratios(row))
    return [
        row.name,
        f"{row.count}",
        f"{1 / row.median:,.0f}",
        f"{1 / max(row.each):,.0f}-{1 / min(row.each):,.0f}",
        f"{row.median * 1e6:,.0f}",
        f"{statistics.median(row.cpu) * 1e6:,.0f}",
        f"{speed.median:.2f}x",
        f"{speed.least:.2f}-{speed.most:.2f}",
    ]


def _key_ratios(ours: Row, others: dict[str, Row]) -> str:
    said = [f"{1 / ours.median:,.0f} tasks/s"]
    systems = [others[peer.name] for peer in peers.PEERS.values() if peer.name in others]
    if systems:
        # the best of each round: whichever that is
        best = [min(each) for each in zip(*(row.each for row in systems), strict=True)]
        ratio = Spread.of([theirs / mine for mine, theirs in zip(ours.each, best, strict=True)])
        said.append(f"{ratio} the speed of the best of {len(systems)} other systems")
    for name, words in ((MASTER, "ControlMaster"), (PARALLEL_MASTER, "GNU parallel over it"), (XARGS, "local xargs")):
        if name in others:
            said.append(f"{Spread.of(ours.ratios(others[name]))} {words}")
    return ", ".join(said)


def _cpu_cells(cpu: dict[str, Cpu]) -> list[list[str]]:
    total = sum(cpu.values(), Cpu())
    return [
        [kind, *(f"{seconds * 1e6:.0f}" for seconds in (taken.user, taken.system, taken.both))]
        for kind, taken in [*cpu.items(), ("all", total)]
    ]

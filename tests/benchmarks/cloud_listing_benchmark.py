"""What one look at 1,000 EC2 VMs costs a controller, beside one full listing by libcloud; on the rig, without hosts.

Only the thread that looks is counted: the rig runs beside it in this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from providers import HostKeys, Provider, VmSpec, open_provider
from providers.ec2.driver import Credentials, Driver
from tests.rig import CloudRig

from .cpu import Cpu, Measured
from .report import Report, table
from .rounds import Row, Spread, run_rounds

IMAGE = "ami-0e0bb71de00000001"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINCfmJ+CztYGbhmvBLKeiYyhgAnFSS1rdRj7ghbaUQ2B"


def fill(rig: CloudRig, provider: Provider, deployment: str, count: int) -> None:
    """`count` VMs of the deployment, all running."""

    def create(number: int) -> None:
        provider.create(
            VmSpec(
                name=f"{deployment}-n{number}",
                deployment=deployment,
                pool_id="pool",
                node_id=f"n{number}",
                size="t3.small",
                image=IMAGE,
                low_priority=True,
                public_key=KEY,
            )
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(count)))


def controller(rig: CloudRig, deployment: str) -> Provider:
    return open_provider("aws", rig.settings(timeout=300), deployment, host_keys=HostKeys(bytes(32)))


def list_nodes(driver: Driver) -> list[Any]:
    """All in one answer, as EC2 gives it to libcloud, which asks for no further pages; the rig wants to be asked."""
    with driver.more({"MaxResults": "1000"}):
        nodes: list[Any] = driver.list_nodes()
    return nodes


def measure(action: Callable[[], object]) -> Measured:
    """The clock, and the processor time of this thread alone."""
    start, cpu = time.perf_counter(), time.thread_time()
    action()
    return Measured(time.perf_counter() - start, Cpu(time.thread_time() - cpu))


def run(rounds: int, count: int) -> Report:
    with CloudRig(hosts=False) as rig:
        ours = controller(rig, "bench")
        fill(rig, ours, "bench", count)
        ours.list_owned()
        driver = Driver(Credentials("testing", "testing", None), rig.region, rig.endpoint, 300.0)
        calls: dict[str, int] = {}

        def row(name: str, look: Callable[[], Any]) -> Row:
            def once(number: int) -> Measured:
                before = len(rig.calls)
                measured = measure(lambda: check(look()))
                calls[name] = len(rig.calls) - before
                return measured

            return Row(name, 1, once)

        def check(found: list[Any]) -> None:
            assert len(found) == count

        rows = [
            row("libcloud, list_nodes", lambda: list_nodes(driver)),
            row("ebbtide, one tick", ours.list_owned),
            row("ebbtide, the first look", lambda: controller(rig, "bench").list_owned()),
        ]
        run_rounds(rows, rounds)
    theirs, tick = rows[0], rows[1]
    spread = Spread.of([mine / full for mine, full in zip(tick.cpu, theirs.cpu, strict=True)])
    cells = [
        [r.name, str(calls[r.name]), f"{_median(r.cpu) * 1e3:.0f}", f"{r.median * 1e3:.0f}"] for r in rows
    ]  # fmt: skip
    lines = [
        f"A look at {count:,} EC2 VMs (the rig's, without hosts); {rounds} rounds, medians",
        "",
        *table(["", "API calls", "CPU, ms", "clock, ms"], cells),
        "",
    ]
    figures = {
        "rows": [
            {"name": r.name, "count": count, "calls": calls[r.name], "secondsEach": r.each, "cpuEach": r.cpu}
            for r in rows
        ]
    }
    return Report("cloud", lines, figures, f"{calls[tick.name]} calls a tick, {spread} the CPU of list_nodes")


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]

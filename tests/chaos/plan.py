"""What a seed stands for: the work, and what befalls nodes, connections, disks, spools and the controller."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Kinds of tasks and how many there are of each, in relation.
KINDS = {"quick": 50, "slow": 16, "large": 12, "flaky": 8, "coded": 6, "own": 4, "file": 4}
#: Kinds of blows, the same. `long`: a cut that lasts "minutes", of which some are longer than anybody waits for a node.
BLOWS = {
    "node": 2, "preempt": 2, "agent": 3, "supervisor": 3, "cut": 4, "reset": 3, "long": 1, "controller": 2, "disk": 2,
    "spool": 3,
}  # fmt: skip
#: Bytes that `large` tasks print parts of.
LARGE = 1 << 20
#: A task that finds no room for what it prints ends with this code, and is tried again.
NO_ROOM = 75
#: A task of the kind `coded` is tried so often again.
CODED_RETRIES = 2

#: What every task runs: `task.sh NOTES ID KIND NUMBER LARGE`. It notes its start and its end outside its node, in lines
#: `begin UPTIME PID SLOT EXECUTION` and `end UPTIME PID CODE`. One that finds a former start without an end looks
#: whether that still runs. Nothing of it starts another process but for what its kind needs.
SCRIPT = f"""#!/bin/sh
umask 0
note=$1/$2 id=$2 kind=$3 number=$4 large=$5 fails=0
read -r up rest </proc/uptime
if [ -e "$note" ]; then
    while read -r what at pid more; do
        if [ "$what" = begin ] && grep -qs -- "$id" "/proc/$pid/cmdline"; then echo "twice $up $$ $pid" >>"$note"; fi
        if [ "$what$more" = end3 ]; then fails=$((fails + 1)); fi
    done <"$note"
fi
echo "begin $up $$ $EBBTIDE_SLOT $EBBTIDE_EXECUTION" >>"$note"
leave() {{
    read -r up rest </proc/uptime
    echo "end $up $$ $1" >>"$note"
    exit "$1"
}}
echo "$id" || leave {NO_ROOM}
case $kind in
    slow|own) sleep "$number" ;;
    large) head -c "$number" "$large" || leave {NO_ROOM} ;;
    flaky) if [ "$fails" -lt "$number" ]; then leave 3; fi ;;
    coded) leave "$number" ;;
    file) echo "file of $id" >out.txt || leave {NO_ROOM} ;;
esac
leave 0
"""


@dataclass(frozen=True)
class Work:
    """A task: `number` is seconds, bytes, failures before it succeeds, or its exit code, as its kind has it."""

    job: str
    id: str
    kind: str
    number: float

    @property
    def code(self) -> int:
        return int(self.number) if self.kind == "coded" else 0

    def printed(self, large: bytes) -> bytes:
        return f"{self.id}\n".encode() + (large[: int(self.number)] if self.kind == "large" else b"")

    def spec(self, script: Path, notes: Path, large: Path) -> dict[str, Any]:
        words = f"/bin/sh {script} {notes} {self.id} {self.kind} {self.number} {large}"
        retries = CODED_RETRIES if self.kind == "coded" else -1
        spec: dict[str, Any] = {"id": self.id, "commandLine": words, "constraints": {"maxTaskRetryCount": retries}}
        if self.kind == "own" and not os.geteuid():  # nobody else can become another user
            spec["userIdentity"] = {"autoUser": {"scope": "task"}}
        if self.kind == "file":
            to = {"container": {"containerUrl": "storage://results", "path": self.id}}
            spec["outputFiles"] = [
                {"filePattern": "out.txt", "destination": to, "uploadOptions": {"uploadCondition": "taskSuccess"}}
            ]
        return spec


@dataclass(frozen=True)
class Blow:
    """`at`: seconds after the first node took work. `pick`, 0 to 1: whom. `seconds`: how long; 0: for ever."""

    at: float
    kind: str
    pick: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    seed: int
    work: tuple[Work, ...]
    blows: tuple[Blow, ...]
    dedicated: int
    low_priority: int
    slots: int

    def workload(self, script: Path, notes: Path, large: Path) -> dict[str, Any]:
        pool = {
            "id": "pool", "vmSize": "local.small", "targetDedicatedNodes": self.dedicated,
            "targetLowPriorityNodes": self.low_priority, "taskSlotsPerNode": self.slots,
        }  # fmt: skip
        jobs = [
            {
                "id": name, "poolInfo": {"poolId": "pool"}, "onAllTasksComplete": "terminatejob",
                "tasks": [each.spec(script, notes, large) for each in self.work if each.job == name],
            }
            for name in ("mixed", "short")
        ]  # fmt: skip
        return {"pools": [pool], "jobs": [job for job in jobs if job["tasks"]]}


def plan_of(seed: int, tasks: int = 300, nodes: int = 4, storm: float = 15.0) -> Plan:
    """`storm`: seconds until the last blow."""
    rng = random.Random(f"chaos {seed}")
    work = tuple(_work(rng, number, tasks) for number in range(tasks))
    low = max(1, round(nodes * rng.uniform(0.4, 0.7)))
    return Plan(seed, work, tuple(_blows(rng, storm)), nodes - low, low, rng.choice((2, 3, 4)))


def _work(rng: random.Random, number: int, tasks: int) -> Work:
    """A third of them are quick and in a job of their own: these are sent to nodes ahead of their time."""
    if number >= 2 * tasks // 3:
        return Work("short", f"short-{number}", "quick", 0)
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    amount = {
        "slow": lambda: round(rng.uniform(0.3, 4.0), 2),
        "own": lambda: round(rng.uniform(0.0, 1.0), 2),
        "large": lambda: rng.choice((60_000, 70_000, 300_000, LARGE)),
        "flaky": lambda: rng.choice((1, 1, 2, 4)),
        "coded": lambda: rng.choice((1, 7, 126, 255)),
    }.get(kind, lambda: 0)
    return Work("mixed", f"{kind}-{number}", kind, amount())


def _blows(rng: random.Random, storm: float) -> Iterator[Blow]:
    at = 0.0
    while (at := at + rng.uniform(0.3, 1.5)) < storm:
        kind = rng.choices(list(BLOWS), list(BLOWS.values()))[0]
        seconds = {
            "cut": lambda: rng.uniform(0.2, 3.0),
            "reset": lambda: rng.uniform(0.0, 2.0),
            "long": lambda: rng.choice((6.0, 9.0, 26.0)),
            "disk": lambda: rng.uniform(0.5, 3.0),
            "spool": lambda: rng.choice((0.0, 0.5, 2.0)),
        }.get(kind, lambda: 0.0)()
        yield Blow(at, kind, rng.random(), seconds)

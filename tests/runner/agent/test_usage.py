"""What a node uses: read from texts of /proc as kernels write them, and told once per period."""

import math
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pools import NodeUsage, SystemClock
from runner import OpenNode
from runner.agent import usage
from runner.agent.usage import Meter, cpu_percent, cpu_times, disk_counters, growth, memory_used, network_counters
from runner.events import Event, NodeMeasured
from runner.node_messages import usage_of
from runner.node_session import NodeSession
from runner.outputs import OutputStore
from runner.packages import PackageStore

from .link import NOWHERE
from .node import Node

Counters = dict[str, tuple[int, ...]]

STAT = """cpu  1659065 12 423451 1551648 23544 7 6190 1332 5 1
cpu0 775996 0 201492 848354 3996 0 1428 637 0 0
cpu1 883069 12 221959 703294 19548 7 4762 695 5 1
intr 5 0 0
"""
MEMINFO = """MemTotal:       24684096 kB
MemFree:        22562476 kB
MemAvailable:   23937924 kB
Buffers:          113004 kB
Cached:          1215928 kB
HugePages_Total:       0
"""
DISKS = """   7       0 loop0 11 0 22 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 100 5 2000 7 300 9 4000 8 0 1 2 3 4 5 6 7 8
 254       1 vda1 90 5 1900 7 290 9 3900 8 0 1 2 3 4 5 6 7 8
 259       0 nvme0n1 10 0 80 1 20 0 160 1 0 1 2
   8      17 sdb1 35 260 15 120
"""
NETWORK = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 14628863598 3246705    0    0    0     0          0         0 14628863598 3246705    0    0    0     0       0          0
  eth0:3413875859   98632    0    0    0     0          0         0  7314820   60714    0    0    0     0       0          0
eth0:1: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
docker0: 500 1 0 0 0 0 0 0 600 1 0 0 0 0 0 0
"""  # noqa: E501 - as the kernel writes it


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (STAT, (2090057, 3665249)),
        ("cpu  10 0 5 85 0 0 0 0 0 0\n", (15, 100)),
        ("cpu  10 1 5 84", (16, 100)),  # before Linux 2.5.41 there were four columns
        ("cpu  0 0 0 50 50 0 0 100 0 0\n", (100, 200)),  # all taken away by the hypervisor
    ],
)
def test_cpu_times(text: str, times: tuple[int, int]) -> None:
    assert cpu_times(text) == times


@pytest.mark.parametrize("text", ["", "\n", "cpu0 1 2 3 4\n", "cpu\n", "cpu  1 2 3\n", "cpu  a b c d\n"])
def test_cpu_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        cpu_times(text)


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ((10, 100), (35, 200), 25.0),
        ((10, 100), (10, 200), 0.0),
        ((10, 100), (111, 200), 100.0),  # the kernel's idle time went back by a tick
        ((10, 100), (9, 200), 0.0),
        ((10, 100), (10, 100), None),
        ((10, 100), (1, 50), None),
        ((0, 0), (1, 3), 33.333),
    ],
)
def test_cpu_percent(before: tuple[int, int], after: tuple[int, int], percent: float | None) -> None:
    assert cpu_percent(before, after) == percent


@pytest.mark.parametrize(
    ("text", "kilobytes"),
    [
        (MEMINFO, 24684096 - 23937924),
        (MEMINFO.replace("MemAvailable", "Other"), 24684096 - 22562476 - 113004 - 1215928),
        ("MemTotal: 5 kB\nMemAvailable: 9 kB\n", 0),
    ],
)
def test_memory_used(text: str, kilobytes: int) -> None:
    assert memory_used(text) == kilobytes * 1024


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemAvailable: 5 kB\n", "MemTotal: x kB\n", "MemTotal: 5\n"])
def test_memory_that_is_not_told(text: str) -> None:
    with pytest.raises(ValueError):
        memory_used(text)


@pytest.mark.parametrize(
    ("physical", "counters"),
    [
        (
            {"vda", "nvme0n1"},
            {"vda": (100, 2000 * 512, 300, 4000 * 512), "nvme0n1": (10, 80 * 512, 20, 160 * 512)},
        ),
        ({"vda"}, {"vda": (100, 2000 * 512, 300, 4000 * 512)}),
        ({"sdb1"}, {}),  # a line of Linux 2.6 for a partition
        (set(), {}),
    ],
)
def test_disk_counters(physical: set[str], counters: Counters) -> None:
    assert disk_counters(DISKS, physical) == counters
    assert disk_counters("", physical) == {}


@pytest.mark.parametrize(
    ("physical", "counters"),
    [
        ({"eth0", "wlan0"}, {"eth0": (3413875859, 7314820)}),
        (set(), {"eth0": (3413875859, 7314820), "eth0:1": (10, 20), "docker0": (500, 600)}),
    ],
)
def test_network_counters(physical: set[str], counters: Counters) -> None:
    assert network_counters(NETWORK, physical) == counters
    assert network_counters("lo: 1 2\n", physical) == {}


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        ({"a": (1, 10)}, {"a": (4, 30)}, {"x": 3, "y": 20}),
        ({"a": (1, 10), "b": (0, 5)}, {"a": (1, 10), "b": (7, 5)}, {"x": 7, "y": 0}),
        ({"a": (1, 10)}, {"a": (2, 11), "new": (99, 99)}, {"x": 1, "y": 1}),
        ({"a": (1, 10), "gone": (9, 9)}, {"a": (2, 11)}, {"x": 1, "y": 1}),
        ({"a": (1, 10), "b": (5, 5)}, {"a": (2, 11), "b": (6, 0)}, {"x": 1, "y": 1}),  # b began anew
        ({"a": (5, 5)}, {"a": (0, 6)}, {}),
        ({}, {"a": (1, 1)}, {}),
        ({}, {}, {}),
    ],
)
def test_growth(before: Counters, after: Counters, grown: dict[str, int]) -> None:
    assert growth(("x", "y"), before, after) == grown


GAUGES = {"cpu_percent", "memory_bytes", "disk_bytes"}
NETWORK_FIGURES = {"network_in_bytes", "network_out_bytes"}
DISK_FIGURES = {"disk_reads", "disk_read_bytes", "disk_writes", "disk_write_bytes"}


@pytest.mark.parametrize(
    ("hidden", "left_out"),
    [
        ((), set()),
        (("/proc/stat",), {"cpu_percent"}),
        (("/proc/meminfo",), {"memory_bytes"}),
        (("/proc/diskstats",), DISK_FIGURES),
        (("/proc/net/dev",), NETWORK_FIGURES),
        (("/proc/stat", "/proc/meminfo", "/proc/diskstats", "/proc/net/dev"), GAUGES | DISK_FIGURES | NETWORK_FIGURES),
    ],
)
@pytest.mark.parametrize("damage", [PermissionError(13, "hidden"), "odd"])
def test_what_cannot_be_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, hidden: tuple[str, ...], left_out: set[str], damage: OSError | str
) -> None:
    texts = {"/proc/stat": "cpu  10 0 5 85\n", "/proc/meminfo": MEMINFO, "/proc/diskstats": DISKS}

    def text(path: str) -> str:
        if path in hidden and isinstance(damage, OSError):
            raise damage
        return str(damage) if path in hidden else texts.get(path, NETWORK)

    monkeypatch.setattr(usage, "_text", text)
    monkeypatch.setattr(usage, "_physical", lambda folder: {"vda", "eth0"})
    meter = Meter("/", 30.0)
    texts["/proc/stat"] = "cpu  30 0 5 165\n"
    told = meter.measure()
    assert told["op"] == "usage" and told["seconds"] > 0
    figures = {name: figure for name, figure in told.items() if name not in ("op", "seconds")}
    assert set(figures) == ((GAUGES | DISK_FIGURES | NETWORK_FIGURES) - left_out) | {"disk_bytes"}
    assert figures.get("cpu_percent", 20.0) == 20.0
    assert {figures.get(name, 0) for name in DISK_FIGURES | NETWORK_FIGURES} == {0}
    assert usage_of(told).memory_bytes == figures.get("memory_bytes")


@pytest.mark.parametrize(
    "message",
    [
        {"op": "usage"},
        {"op": "usage", "seconds": 0},
        {"op": "usage", "seconds": "1"},
        {"op": "usage", "seconds": 1, "cpu_percent": 101},
        {"op": "usage", "seconds": 1, "memory_bytes": -1},
        {"op": "usage", "seconds": 1, "disk_bytes": "much"},
        {"op": "usage", "seconds": 1, "memory_bytes": True},
        {"op": "usage", "seconds": 1e-300, "disk_reads": 1e308},
        {"op": "usage", "seconds": math.inf, "disk_reads": math.inf},
        {"op": "usage", "seconds": math.nan},
        {"op": "usage", "seconds": 1, "cpu_percent": math.nan},
    ],
)
def test_figures_that_no_agent_tells_are_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="usage: "):
        usage_of(message)


def test_odd_figures_are_left_out_and_the_connection_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    posted: list[Event] = []
    stores = PackageStore(tmp_path), OutputStore(tmp_path)
    command = OpenNode("n", NOWHERE, 1, 1, {}, 30.0)
    session = NodeSession(command, posted.append, lambda work: None, *stores, SystemClock())
    odd = {"op": "usage", "seconds": 1, "disk_bytes": -1}
    session.messages([odd, odd, {"op": "usage", "seconds": 30, "cpu_percent": 5}])
    assert posted == [NodeMeasured("n", NodeUsage(seconds=30, cpu_percent=5))]
    assert len(caplog.records) == 1, "said once per connection, not once per period"


def test_a_file_system_with_more_free_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    free = os.statvfs_result((4096, 4096, 10, 20, 20, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda root: free)
    assert usage_of(Meter("/", 30.0).measure()).disk_bytes == 0


def test_the_agent_tells_its_figures_once_per_period(node: Node) -> None:
    node.connect(slots=None)
    node.say({"op": "configure", "slots": 1, "env": {}, "usage": 0.1})
    node.sh("t", "exit 3")
    told = [node.wait(lambda m: m["op"] == "usage", skip=number) for number in range(3)]
    assert node.outcome("t")["exit"] == 3, "what runs is not disturbed"
    for message in told:
        figures = usage_of(message)
        # a period began with a measurement, so on any machine one is at least so far from the one before
        assert figures.seconds >= 0.05
        assert figures.cpu_percent is None or 0 <= figures.cpu_percent <= 100
        assert figures.memory_bytes and figures.disk_bytes


def test_the_agent_measures_nothing_that_it_is_not_asked_for(node: Node) -> None:
    node.connect()
    node.sh("t", "sleep 0.3")
    node.outcome("t")
    node.settle()
    assert node.count("usage") == 0


def test_a_measurement_costs_next_to_nothing() -> None:
    meter = Meter("/", 30.0)
    meter.measure()
    rounds = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(20):
            meter.measure()
        rounds.append((time.process_time() - begun) / 20)
    # a quarter of a millisecond where this was written
    assert min(rounds) < 0.005

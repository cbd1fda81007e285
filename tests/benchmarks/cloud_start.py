"""COUNT hosts at once on the rig that serves at ENDPOINT, each in two ways, each in a process of its own:

`python -m tests.benchmarks.cloud_start plain|product ENDPOINT COUNT FOLDER`

- plain: libcloud's `create_node` in COUNT threads, and paramiko until the host has run a command;
- product: a controller's decision that COUNT nodes are wanted, until each has begun its first task.

Prints one line of JSON. The instances are ended; nothing is left.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import paramiko

from pools import NodeDeallocationOption, PoolSpec
from runner import AddJob, AddPool, Drain, Event, JobSpec, PoolInfo, ResizePool, TaskSpec
from service.controller import Controller
from service.settings import Settings
from service.state import StateDirectory
from tests.rig import IMAGE, SIZE
from tests.rig.ssh import key_pair

from .cloud_rig import USER, libcloud_driver, settings

PATIENCE = 300.0
#: Longer than it takes until the last node is ready, so that no node does the first task of another.
TASK = "sleep 10"


class Start(msgspec.Struct, frozen=True):
    """Seconds of each host, in no order, from the moment at which it was wanted; and of the processor, in all."""

    first: list[float]
    cpu: float
    #: seconds of each host until a step of the way was done, by the step's name
    steps: dict[str, list[float]] = {}


#: When each step was done, as the node's record has it.
STEPS = {"created": "vm_confirmed", "running": "boot_time", "answered": "answered_time", "usable": "usable_since"}


# -- plain -----------------------------------------------------------------------------------------------------------


def _first_command(address: str, key: paramiko.PKey) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        try:
            client.connect(
                address, 22, USER, pkey=key, look_for_keys=False, allow_agent=False, timeout=1, banner_timeout=5
            )
            client.exec_command("hostname")[1].read()
            return
        except (OSError, paramiko.SSHException, EOFError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        finally:
            client.close()


def plain(endpoint: str, count: int) -> Start:
    from libcloud.compute.base import NodeImage, NodeSize

    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    key, public = key_pair()
    one = libcloud_driver(endpoint)
    one.import_key_pair_from_string("plain", public)
    image, size = NodeImage(IMAGE, IMAGE, one), NodeSize(SIZE, SIZE, 0, 0, 0, 0, one)
    nodes: list[Any] = []
    created: list[float] = []

    def start(number: int) -> float:
        began = time.monotonic()
        node = libcloud_driver(endpoint).create_node(name=f"n{number}", image=image, size=size, ex_keyname="plain")
        nodes.append(node)
        created.append(time.monotonic() - began)
        _first_command(node.private_ips[0], key)
        return time.monotonic() - began

    try:
        cpu = time.process_time()
        with ThreadPoolExecutor(count) as pool:
            first = list(pool.map(start, range(count)))
        return Start(first, time.process_time() - cpu, {"created": created})
    finally:
        for node in nodes:
            one.destroy_node(node)
        one.delete_key_pair(one.get_key_pair("plain"))


# -- product ---------------------------------------------------------------------------------------------------------


class _Product:
    """A controller as `ebbtide run` makes it, with default settings."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        aws = Settings(default_provider="aws", providers={"aws": settings(endpoint)})
        self.controller = Controller(StateDirectory(folder), aws)
        self._thread = threading.Thread(target=lambda: self.controller.run(self._look), name="engine")
        self._holds: Callable[[], bool] = lambda: False
        self._held = threading.Event()

    def _look(self) -> bool:
        if self._holds():
            self._held.set()
        return False

    def start(self) -> None:
        self._thread.start()

    def ask(self, event: Event) -> None:
        self.controller.engine.request(event).result(PATIENCE)

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """`holds` is asked after every batch, on the engine's thread."""
        self._held.clear()
        self._holds = holds
        if not self._held.wait(PATIENCE):
            raise TimeoutError(f"waited in vain for {what}")

    def close(self) -> None:
        self.controller.engine.stop()
        self._thread.join(PATIENCE)
        self.controller.close()


def product(endpoint: str, count: int, folder: Path) -> Start:
    one = _Product(endpoint, folder)
    core = one.controller.core
    for thread in threading.enumerate():
        if thread.name.startswith(("bundle", "warm-up")):  # a controller that has been up for a second
            thread.join()
    one.start()
    try:
        one.ask(AddPool(PoolSpec(id="pool", vm_size=SIZE, target_low_priority_nodes=0), "aws", IMAGE))
        tasks = tuple(TaskSpec(id=f"t{number}", command_line=TASK) for number in range(count))
        one.ask(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), tasks))
        cpu = time.process_time()
        one.ask(ResizePool("pool", 0, count))
        one.wait(lambda: all(t.start_time is not None for t in core.tasks.tasks), "the first task of each node")
        cpu = time.process_time() - cpu
        nodes = {node.id: node for node in core.ctx.nodes}
        decided = min(node.created for node in nodes.values())
        begun = {task.node_id: task.start_time for task in core.tasks.tasks}
        if begun.keys() != nodes.keys():
            raise AssertionError(f"{len(begun)} of {len(nodes)} nodes have begun a task")
        steps = {name: [getattr(node, at) - decided for node in nodes.values()] for name, at in STEPS.items()}
        first = [start - decided for start in begun.values() if start is not None]
    finally:
        with contextlib.suppress(Exception):
            one.ask(Drain(NodeDeallocationOption.REQUEUE))
            one.wait(lambda: not list(core.ctx.nodes), "the nodes to leave")
        one.close()
    return Start(first, cpu, steps)


if __name__ == "__main__":
    way, endpoint, count, folder = sys.argv[1:]
    done = plain(endpoint, int(count)) if way == "plain" else product(endpoint, int(count), Path(folder))
    sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")

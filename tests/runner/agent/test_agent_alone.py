"""The agent's own troubles: no descriptors left, slow supervisors, whose child is whose."""

import fcntl
import hashlib
import os
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .node import Node, alive, children, parent, wait_until
from .test_packages import zipped


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def descriptors(pid: int) -> dict[int, str]:
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(entry.name)] = os.readlink(entry)
        except OSError:
            continue
    return found


def put_package(node: Node, key: str) -> None:
    """Asks for the installation of a package."""
    data = zipped(("a", b"1", None))
    (node.root / ".ebbtide/packages/p.zip").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    node.say({"op": "install", "id": key, "file": ".ebbtide/packages/p.zip", "dir": "applications/a", "sha256": sha256})


def test_the_agent_outlives_a_lack_of_descriptors(node: Node) -> None:
    node.connect(slots=2)
    node.settle()
    assert node.agent is not None
    pid = node.agent.pid
    free = next(fd for fd in range(4096) if fd not in descriptors(pid))
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    put_package(node, "k1")
    put_package(node, "k2")
    node.say({"op": "configure", "slots": 4, "env": {}})
    failed = [node.wait(lambda m: m["op"] == "install-failed", skip=skip) for skip in range(2)]
    assert [m["id"] for m in failed] == ["k1", "k2"] and all("installer" in m["message"] for m in failed)
    assert node.wait(lambda m: m["op"] == "configure-failed")["message"]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    put_package(node, "k3")
    assert node.wait(lambda m: m["op"] == "installed")["id"] == "k3"
    node.start("t", "true")
    assert node.outcome("t")["exit"] == 0 and node.count("hello") == 1


def test_nothing_is_said_before_hello_which_holds_all(node: Node) -> None:
    node.connect(slots=2)
    node.sh("t", "while ! test -e go; do sleep 0.02; done; echo went")
    task = node.started("t")["pid"]
    node.kill_agent()
    other = parent(task)
    slow = next(pid for pid in map(node.supervisor, ("0", "1")) if pid != other)
    said = len(node.messages)
    os.kill(slow, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as pool:
            hello = pool.submit(node.connect, slots=None)
            try:
                wait_until(lambda: node.agent is not None)
                assert node.agent is not None
                agent = node.agent.pid
                wait_until(lambda: sum(link.startswith("socket:") for link in descriptors(agent).values()) >= 2)
                time.sleep(0.3)  # the time in which the other one tells that it runs
                (node.folder("t") / "wd/go").touch()
                wait_until(lambda: not children(other))
                wait_until(lambda: state(other) == "S")  # it has told the agent, and waits for what comes next
                time.sleep(0.3)  # the time in which something might be said too early
                assert len(node.messages) == said
            finally:
                os.kill(slow, signal.SIGCONT)
            executions = hello.result(30)["executions"]
    finally:
        os.kill(slow, signal.SIGCONT)
    assert node.messages[said]["op"] == "hello"
    assert [(e["id"], e["state"], e["stdout"]["text"]) for e in executions] == [("t", "finished", "went\n")]
    node.say({"op": "configure", "slots": 2, "env": {}})
    node.start("next", "true")
    assert node.outcome("next")["exit"] == 0 and node.count("finished", "t") == 0


def test_a_dead_supervisor_is_not_mistaken_for_the_installer(node: Node) -> None:
    node.connect(slots=1)
    node.settle()
    node.kill_agent()
    node.connect(slots=1)  # the supervisors are now no children of the agent
    node.settle()
    assert node.agent is not None
    agent = node.agent.pid
    with (node.root / ".ebbtide/installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        put_package(node, "k")
        (installer,) = wait_until(lambda: children(agent))
        os.kill(agent, signal.SIGSTOP)
    try:
        wait_until(lambda: not alive(installer))
        victim = node.supervisor("0")
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not alive(victim))
    finally:
        os.kill(agent, signal.SIGCONT)
    assert node.wait(lambda m: m["op"].startswith("install"))["op"] == "installed"
    node.start("t", "true")
    assert node.outcome("t")["exit"] == 0 and node.count("hello") == 2

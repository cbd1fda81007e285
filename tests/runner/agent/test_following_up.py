"""A slot with short executions is given the next one in advance: nobody must notice, except by the speed."""

import os
import signal
from functools import partial

import pytest

from .node import Node, alive, wait_until

WAIT = "while ! test -e go; do sleep 0.02; done"


def alive_no_more(pid: int) -> bool:
    return not alive(pid)


def warm_up(node: Node) -> None:
    """Afterwards both slots are known for short executions."""
    for number in range(20):
        node.start(f"w{number}", "true")
    for number in range(20):
        node.outcome(f"w{number}")


def test_a_long_execution_keeps_nothing_waiting(node: Node) -> None:
    node.connect(slots=2)
    warm_up(node)
    node.sh("long", WAIT)
    for key in ("a", "b", "c", "d"):
        node.start(key, "true")
    for key in ("a", "b", "c", "d"):
        assert node.outcome(key)["exit"] == 0
    assert node.count("finished", "long") == 0
    (node.folder("long") / "wd/go").touch()
    assert node.outcome("long")["exit"] == 0


@pytest.mark.parametrize("late", [False, True])
def test_what_was_given_in_advance_can_be_recalled(node: Node, late: bool) -> None:
    node.connect(slots=2)
    warm_up(node)
    for key in ("l1", "l2"):
        node.sh(key, WAIT)
    for key in ("a", "b", "c"):
        node.start(key, "true")
    if late:  # after it was given back
        node.started("l1"), node.started("l2")
        node.sh("s", "sleep 0.2", kind="startup", dir="startup")
        node.outcome("s")
    node.say({"op": "recall", "ids": ["a", "l1"]}, {"op": "kill", "id": "b", "grace": 5})
    for key in ("a", "b"):
        node.wait({"op": "recalled", "id": key}.__eq__)
    for key in ("l1", "l2"):
        wait_until((node.folder(key) / "wd").exists)
        (node.folder(key) / "wd/go").touch()
    for key in ("l1", "l2", "c"):
        assert node.outcome(key)["exit"] == 0
    assert not node.folder("a").exists() and not node.folder("b").exists()
    assert [node.count("recalled", key) for key in ("a", "b", "c", "l1")] == [1, 1, 0, 0]


def test_order_is_kept(node: Node) -> None:
    node.connect(slots=1)
    keys = [f"t{number}" for number in range(100)]
    for number, key in enumerate(keys):
        node.sh(key, "sleep 0.07" if number % 25 == 10 else "true")
        node.sh(key, "true")  # said twice
        if number == 89:  # the last ones cannot end before they were said twice
            node.sh("hold", WAIT)
    node.settle()
    node.started("hold")
    (node.folder("hold") / "wd/go").touch()
    starts = [node.outcome(key)["start"] for key in keys]
    assert starts == sorted(starts)
    assert all(node.count("finished", key) == 1 for key in keys[-10:])


def test_each_execution_ends_once_though_supervisors_die(node: Node) -> None:
    node.connect(slots=2)
    keys = [f"t{number}" for number in range(200)]
    for key in keys:
        node.sh(key, "echo x >> ran")
    for round_number in range(6):
        node.outcome(keys[20 + 25 * round_number], 60)
        victim = node.supervisor(str(round_number % 2))
        os.kill(victim, signal.SIGKILL)
        wait_until(partial(alive_no_more, victim))
    ends = {key: node.outcome(key, 60)["op"] for key in keys}
    node.settle()
    for key, end in ends.items():
        ran = node.folder(key) / "wd/ran"
        times = len(ran.read_text().split()) if ran.exists() else 0
        assert times == 1 if end == "finished" else times <= 1, (key, end, times)
        assert {m["op"] for m in node.messages if m.get("id") == key} & {"finished", "lost"} == {end}
    lost = [key for key, end in ends.items() if end == "lost"]
    assert len(lost) <= 6, lost


@pytest.mark.parametrize("damaged", [False, True])
def test_what_was_given_in_advance_begins_in_a_whole_spool(node: Node, damaged: bool) -> None:
    """Whatever befell it before: only what dies with a supervisor counts as lost."""
    node.connect(slots=1)

    def end_supervisor(keys: tuple[str, ...] = (), length: int | None = None) -> None:
        """It does not get to what it is given in the meantime."""
        pid = node.supervisor("0")
        os.kill(pid, signal.SIGSTOP)
        for key in keys:
            node.start(key, "true")
        node.settle()
        if length is not None:
            os.truncate(node.root / ".ebbtide/slots/0/spool", length)
        os.kill(pid, signal.SIGKILL)
        wait_until(partial(alive_no_more, pid))

    node.start("u", "true")
    node.outcome("u")
    if damaged:
        end_supervisor(length=0)
    for key in ("v", "w"):
        node.start(key, "true")
        node.outcome(key)
    end_supervisor(("a", "b"))
    assert [node.outcome(key)["op"] for key in ("a", "b")] == ["lost", "finished"]

"""What outlives what: the connection, the agent, a supervisor, the disk, the machine."""

import os
import signal
import subprocess

import pytest

from runner.agent.spool import SIZE, _unpack

from .node import PATIENCE, Node, alive, children, parent, wait_until


def test_tasks_are_adopted_after_the_agent_was_killed(node: Node) -> None:
    node.connect(slots=2)
    node.sh("short", "echo x >> ran; echo done; exit 4")
    node.outcome("short")
    node.sh("long", "echo x >> ran; while ! test -e go; do sleep 0.02; done; echo went")
    node.sh("ends", "echo x >> ran; while ! test -e go; do sleep 0.02; done; echo ended; exit 9")
    node.sh("waits", "echo x >> ran")
    pid = node.started("long")["pid"]
    ends = node.started("ends")["pid"]
    slot = parent(ends)
    node.kill_agent()
    (node.folder("ends") / "wd/go").touch()
    wait_until(lambda: ends not in children(slot))  # its end was noticed
    hello = node.connect(slots=2)
    assert hello["slots"] == 2
    known = {e["id"]: e for e in hello["executions"]}
    # a slot may hold its next execution already, and then runs it without an agent
    assert {"short", "long", "ends"} <= set(known) <= {"short", "long", "ends", "waits"}
    assert known["long"]["state"] == "running" and known["long"]["pid"] == pid
    assert known["short"]["state"] == known["ends"]["state"] == "finished"
    assert (known["short"]["exit"], known["short"]["stdout"]) == (4, {"size": 5, "text": "done\n"})
    assert (known["ends"]["exit"], known["ends"]["stdout"]["text"]) == (9, "ended\n")
    for key in ("short", "long", "ends", "waits"):  # the controller may say it all again
        node.sh(key, "echo y >> ran")
    (node.folder("long") / "wd/go").touch()
    assert node.outcome("long")["stdout"]["text"] == "went\n"
    node.outcome("waits")
    assert [(node.folder(key) / "wd/ran").read_text() for key in ("short", "long", "ends")] == ["x\n"] * 3
    assert (node.folder("waits") / "wd/ran").read_text() in ("x\n", "y\n"), "it ran once, whoever sent it"
    node.say({"op": "ack", "ids": [*known, "waits"]})
    # a new agent is told at once how things are, also before what the older one sent last was read
    wait_until(lambda: not any(recorded(node, slot) for slot in ("0", "1")))
    node.kill_agent()
    assert node.connect()["executions"] == []


def test_nothing_runs_twice_when_agents_die_under_load(node: Node) -> None:
    """The controller's part is played honestly: what hello does not know is sent again."""
    keys = [f"t{number}" for number in range(150)]
    known = {e["id"] for e in node.connect(slots=2)["executions"]}
    for round_number in range(8):
        for key in keys:
            if key not in known:
                node.sh(key, "echo x >> ran")
        goal = keys[(round_number + 1) * 15]
        if goal not in known:  # else hello has told of it, and nothing more need come
            node.outcome(goal, 60)
        node.kill_agent()
        hello = node.connect(slots=2)
        known = {e["id"] for e in hello["executions"]}
        running = {e["id"] for e in hello["executions"] if e["state"] == "running"}
        finished = {m["id"] for m in list(node.messages) if m["op"] == "finished"}
        assert finished <= known
    for key in keys:
        if key not in known:
            node.sh(key, "echo x >> ran")
    done = known - running
    wait_until(lambda: {m["id"] for m in list(node.messages) if m["op"] == "finished"} | done == set(keys))
    assert {key: (node.folder(key) / "wd/ran").read_text() for key in keys} == dict.fromkeys(keys, "x\n")


def test_a_newer_agent_takes_over_from_a_living_one(node: Node) -> None:
    node.connect(slots=1)
    node.sh("t", "while ! test -e go; do sleep 0.02; done; echo went")
    node.started("t")
    older = node.agent
    assert older is not None and older.stdin is not None and older.stdout is not None
    known = node.connect(slots=1)["executions"]
    assert [e["id"] for e in known] == ["t"]
    assert older.wait(PATIENCE) == -signal.SIGKILL
    older.stdin.close()
    node._threads.pop(0).join()
    older.stdout.close()
    (node.folder("t") / "wd/go").touch()
    assert node.outcome("t")["stdout"]["text"] == "went\n"


@pytest.mark.parametrize("agent_lives", [True, False])
def test_a_dead_supervisor_loses_its_execution_only(node: Node, agent_lives: bool) -> None:
    node.connect(slots=2)
    node.sh("done", "echo kept")
    node.outcome("done")
    for key in ("a", "b"):
        node.sh(
            key,
            "setsid sh -c 'echo $$ > pid; exec sleep 1000' &"
            "while ! test -s pid; do sleep 0.01; done; touch up; sleep 1000",
        )
    for key in ("a", "b"):
        wait_until((node.folder(key) / "wd/up").exists)
    victim = node.supervisor("0")
    if not agent_lives:
        node.kill_agent()
    os.kill(victim, signal.SIGKILL)
    if not agent_lives:
        wait_until(lambda: not alive(victim))
        known = {e["id"]: e["state"] for e in node.connect(slots=2)["executions"]}
        assert known["done"] == "finished" and len(known) == 2
    lost = node.wait(lambda m: m["op"] == "lost")
    assert lost["id"] in ("a", "b") and "supervisor" in lost["reason"]
    other = "b" if lost["id"] == "a" else "a"
    assert not alive(int((node.folder(lost["id"]) / "wd/pid").read_text())), "a left-over lives"
    assert alive(int((node.folder(other) / "wd/pid").read_text()))
    node.sh("next", "echo fine")
    assert node.outcome("next")["stdout"]["text"] == "fine\n"
    node.say({"op": "ack", "ids": [lost["id"], "next"]}, {"op": "kill", "id": other, "grace": 0})
    assert node.outcome(other)["signal"] == signal.SIGKILL
    assert node.count("lost") == 1


def test_a_full_disk_still_records_the_exit(node: Node) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    node.root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(node.root)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode()}")
    try:
        node.connect(slots=1)
        node.sh("fills", "while ! test -e go; do sleep 0.02; done; cat /dev/zero > big; exit 6")
        node.started("fills")
        (node.folder("fills") / "wd/go").touch()
        assert node.outcome("fills")["exit"] == 6
        node.kill_agent()
        assert [e["exit"] for e in node.connect(slots=1)["executions"]] == [6]
        older = node.supervisor("0")
        os.kill(older, signal.SIGKILL)  # from the file this time
        wait_until(lambda: node.supervisor("0") != older)
        node.start("full", "true")
        error = node.outcome("full")["error"]
        assert error is None or error["code"] == "DiskFull"
        node.kill_agent()
        known = {e["id"]: e for e in node.connect(slots=1)["executions"]}
        assert known["fills"]["exit"] == 6
        (node.folder("fills") / "wd/big").unlink()
        node.start("after", "true")
        assert node.outcome("after")["exit"] == 0
    finally:
        node.end()
        # lazily: whoever looks through all processes of the machine holds their folders open for a moment
        subprocess.run(["umount", "--lazy", str(node.root)], check=True)


def test_a_damaged_record_is_as_good_as_none(node: Node) -> None:
    node.connect(slots=1)
    for number in range(3):
        node.sh(f"t{number}", f"exit {number}")
        node.outcome(f"t{number}")
    node.kill_agent()
    supervisor = node.supervisor("0")
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(supervisor))
    spool = node.root / ".ebbtide/slots/0/spool"
    data = bytearray(spool.read_bytes())
    at = data.index(b'"id":"t1"')
    data[at + 7] ^= 1
    spool.write_bytes(data)
    hello = node.connect(slots=1)
    assert {e["id"]: e["exit"] for e in hello["executions"]} == {"t0": 0, "t2": 2}
    assert len(hello["damages"]) == 1, "what is not known may have begun all the same"
    node.sh("t1", "exit 1")
    assert node.outcome("t1", skip=1)["exit"] == 1
    node.kill_agent()
    supervisor = node.supervisor("0")
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(supervisor))
    assert node.connect(slots=1)["damages"] == hello["damages"], "it goes by one name until it is acknowledged"
    node.say({"op": "ack", "ids": hello["damages"]})
    wait_until(lambda: not any(spool.read_bytes()[-SIZE:][:6]))
    node.kill_agent()
    assert node.connect(slots=1)["damages"] == []


@pytest.mark.parametrize("left", [(), ("spool",), ("spool.made",)])
def test_only_a_spool_that_was_whole_can_be_damaged(node: Node, left: tuple[str, ...]) -> None:
    """Whoever is killed over making it has begun nothing."""
    node.connect(slots=1)
    node.sh("t", "exit 0")
    node.outcome("t")
    node.kill_agent()
    supervisor = node.supervisor("0")
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(supervisor))
    place = node.root / ".ebbtide/slots/0"
    assert (place / "log").exists()
    for name in {"spool", "spool.made"} - {*left}:
        (place / name).unlink()
    if "spool" in left:
        os.truncate(place / "spool", 0)
    assert bool(node.connect(slots=1)["damages"]) == ("spool.made" in left)


@pytest.mark.parametrize("length", [0, 100])
def test_what_ran_is_ended_also_when_nothing_of_the_spool_is_left(node: Node, length: int) -> None:
    node.connect(slots=1)
    node.sh("t", "echo $$ > pid; sleep 1000")
    pid = node.folder("t") / "wd/pid"
    wait_until(lambda: pid.exists() and pid.read_text().strip())
    node.kill_agent()
    supervisor = node.supervisor("0")
    os.truncate(node.root / ".ebbtide/slots/0/spool", length)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(supervisor))
    hello = node.connect(slots=1)
    assert hello["damages"] and not hello["executions"]
    assert not alive(int(pid.read_text())), "it would run beside its next attempt"


def test_everything_ends_with_the_machine(node: Node) -> None:
    node.connect(slots=2)
    node.sh("a", "env -i setsid sleep 1000 & (setsid sleep 1000 &) & echo $$ > pid; touch up; sleep 1000")
    node.sh(
        "s",
        "setsid sh -c 'echo $$ > pid; exec env -i sleep 1000' & while ! test -s pid; do sleep 0.01; done",
        kind="startup",
        dir="startup",
    )
    node.outcome("s")
    wait_until((node.folder("a") / "wd/up").exists)
    daemon = int((node.root / "startup/wd/pid").read_text())
    assert alive(daemon)
    supervisors = [node.supervisor(name) for name in ("0", "1", "startup")]
    node.die()
    wait_until(lambda: not any(alive(pid) for pid in [daemon, *supervisors]))
    node._hang_up()
    # an agent that outlived the lifeline by a moment may have begun another supervisor, which ends at once
    wait_until(lambda: node.processes() == [])


def recorded(node: Node, slot: str) -> list[str]:
    """The ids of the outcomes that the spool of a slot holds."""
    data = (node.root / ".ebbtide/slots" / slot / "spool").read_bytes()
    records = [_unpack(data[at : at + SIZE]) for at in range(SIZE, len(data), SIZE)]
    return [record["id"] for record in records if record is not None]

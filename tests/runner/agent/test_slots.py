"""Slots: never more executions than slots, none twice, and nothing left behind when one is free again."""

from pathlib import Path

from runner.agent.lane import Entry, Lane
from runner.agent.slot_link import SlotLink

from .node import Node, alive, wait_until


def test_descendants_are_ended_before_the_slot_is_free(node: Node) -> None:
    node.connect(slots=1)
    hidden = (
        "touch pids; setsid sh -c 'sh -c \"echo \\$\\$ >> pids; exec sleep 1000\" & sleep 0.05' &"
        "env -i setsid sh -c 'echo $$ >> pids; exec sleep 1000' & "
    )
    node.sh("t1", hidden + "while [ $(wc -l < pids) -lt 2 ]; do sleep 0.01; done; exit 7")
    node.sh("t2", "for p in $(cat ../../t1/wd/pids); do test -d /proc/$p && echo $p lives; done; true")
    assert node.outcome("t1")["exit"] == 7
    assert node.outcome("t2")["stdout"]["text"] == ""
    pids = [int(line) for line in (node.folder("t1") / "wd/pids").read_text().split()]
    assert len(pids) == 2 and not any(alive(pid) for pid in pids)


def test_a_start_task_may_leave_daemons_but_not_after_it_was_killed(node: Node) -> None:
    node.connect()
    daemon = "setsid sh -c 'echo $$ > pid; exec sleep 1000' & while ! test -s pid; do sleep 0.01; done;"
    node.sh("s1", daemon + "cp pid kept; echo up", kind="startup", dir="startup")
    assert node.outcome("s1")["stdout"]["text"] == "up\n"
    kept = int((node.root / "startup/wd/kept").read_text())
    node.sh("s2", "rm pid;" + daemon + "cp pid copy; mv copy second; sleep 1000", kind="startup", dir="startup")
    wait_until((node.root / "startup/wd/second").exists)
    node.say({"op": "kill", "id": "s2", "grace": 0.2})
    assert node.outcome("s2")["killed"] is True
    assert alive(kept)
    second = int((node.root / "startup/wd/second").read_text())
    assert second not in node.processes()
    wait_until(lambda: not alive(second))  # what was killed is not a zombie yet while the kernel takes it apart


def test_many_tasks_never_more_than_slots(node: Node) -> None:
    node.connect(slots=3)
    count = 500
    for number in range(count):
        node.sh(f"t{number}", f"echo {number}; exit {number % 256}")
    done = [node.outcome(f"t{number}", 60) for number in range(count)]
    assert [m["exit"] for m in done] == [n % 256 for n in range(count)]
    assert [m["stdout"]["text"] for m in done] == [f"{n}\n" for n in range(count)]
    edges = sorted([(m["start"], 1) for m in done] + [(m["end"], -1) for m in done])
    running = 0
    for _, step in edges:
        running += step
        assert running <= 3
    node.say({"op": "ack", "ids": [f"t{n}" for n in range(count)]})
    node.settle()
    assert {node.count("finished", f"t{n}") for n in range(count)} == {1}


def test_a_full_spool_holds_new_tasks_back_until_acks_come(node: Node) -> None:
    node.connect(slots=1)
    for number in range(260):
        node.start(f"t{number}", "true")
    node.outcome("t255", 60)
    node.settle()
    assert node.count("started") == 256
    node.say({"op": "ack", "ids": [f"t{n}" for n in range(256)]})
    node.outcome("t259")


def test_a_task_of_two_slots_runs_alone_on_two(node: Node) -> None:
    node.connect(slots=2)
    node.sh("one", "sleep 0.2")
    node.sh("two", "sleep 0.2", slots=2)
    node.sh("last", "true")
    one, two, last = (node.outcome(key) for key in ("one", "two", "last"))
    assert one["end"] <= two["start"] and two["end"] <= last["start"]


def test_a_task_of_two_slots_waits_for_the_second_one_to_join(tmp_path: Path) -> None:
    lane = Lane()
    lane.width = 2
    lane.put(Entry("two", 2, b""))
    for name, sent in (("0", []), ("1", ["two"])):
        slot = SlotLink(str(tmp_path), name)
        slot.ready = True
        lane.add(slot)
        assert [key for _, key in lane.dispatch()] == sent


def test_duplicate_starts_run_once(node: Node) -> None:
    node.connect(slots=1)
    for _ in range(3):
        node.sh("t1", "echo x >> ran; sleep 0.3")
        node.sh("t2", "echo x >> ran")
    node.outcome("t2")
    node.sh("t1", "echo x >> ran")
    again = node.outcome("t1", skip=1)
    assert again == node.outcome("t1")
    assert [(node.folder(key) / "wd/ran").read_text() for key in ("t1", "t2")] == ["x\n", "x\n"]


def test_recall_takes_back_what_waits_and_leaves_what_runs(node: Node) -> None:
    node.connect(slots=1)
    node.sh("runs", "sleep 0.3")
    for key in ("a", "b", "c"):
        node.sh(key, "echo $EBBTIDE_EXECUTION")
    node.started("runs")
    node.say({"op": "recall", "ids": ["runs", "a", "unknown"]}, {"op": "kill", "id": "b", "grace": 5})
    for key in ("a", "b", "unknown"):
        node.wait({"op": "recalled", "id": key}.__eq__)
    node.sh("a", "echo again")  # it may be wanted after all
    assert node.outcome("c")["exit"] == 0 and node.outcome("runs")["exit"] == 0
    assert node.outcome("a")["stdout"]["text"] == "again\n"
    assert node.count("recalled", "runs") == 0 and not node.folder("b").exists()

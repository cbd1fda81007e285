"""Preparation and release tasks beside task slots, and commands that wait for others before they run."""

from .node import Node, alive, wait_until


def prepare(node: Node, key: str, script: str, **more: object) -> None:
    node.sh(key, script, kind="job", dir=f"workitems/j/job-1/{key}", **more)


def test_tasks_of_jobs_do_not_wait_for_task_slots(node: Node) -> None:
    node.connect(slots=1)
    node.sh("task", "while ! test -e go; do sleep 0.02; done")
    node.started("task")
    prepare(node, "p1", "echo prepared")
    assert node.outcome("p1")["stdout"]["text"] == "prepared\n"
    prepare(node, "p2", "exit 3")
    assert node.outcome("p2")["exit"] == 3
    assert sorted(path.name for path in (node.root / ".ebbtide/slots").iterdir()) == ["0", "job-0"]
    (node.folder("task") / "wd/go").touch()
    assert node.outcome("task")["exit"] == 0


def test_at_most_as_many_at_a_time_as_task_slots(node: Node) -> None:
    node.connect(slots=2)
    for number in range(6):
        prepare(node, f"p{number}", "sleep 0.1")
    done = [node.outcome(f"p{number}") for number in range(6)]
    edges = sorted([(m["start"], 1) for m in done] + [(m["end"], -1) for m in done])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    assert most == 2, "they ran one by one, or too many at once"


def test_they_outlive_the_agent_and_run_once(node: Node) -> None:
    node.connect(slots=1)
    prepare(node, "p", "echo x >> ran; while ! test -e go; do sleep 0.02; done; exit 4")
    node.started("p")
    node.kill_agent()
    hello = node.connect(slots=1)
    assert [(each["id"], each["state"]) for each in hello["executions"]] == [("p", "running")]
    assert hello["slots"] == 1
    prepare(node, "p", "echo y >> ran")
    (node.folder("p") / "wd/go").touch()
    assert node.outcome("p")["exit"] == 4
    assert (node.folder("p") / "wd/ran").read_text() == "x\n"
    node.say({"op": "recall", "ids": ["p", "unknown"]})
    node.wait({"op": "recalled", "id": "unknown"}.__eq__)
    node.say({"op": "ack", "ids": ["p"]})
    node.settle()


# -- coordination


BACKGROUND = "setsid sleep 1000 & echo $! > pid; echo coordinated"


def coordinate(node: Node, key: str, script: str, main: str, **more: object) -> None:
    node.sh(key, main, coordination=["/bin/sh", "-c", script], **more)


def test_the_command_waits_for_word_and_finds_what_coordination_left(node: Node) -> None:
    node.connect(slots=1)
    coordinate(node, "t", BACKGROUND, "kill -0 $(cat pid) && echo main")
    node.wait({"op": "coordinated", "id": "t"}.__eq__)
    node.settle()
    assert node.count("finished", "t") == 0
    node.say({"op": "proceed", "id": "t"}, {"op": "proceed", "id": "t"})
    done = node.outcome("t")
    assert done["exit"] == 0 and done["stdout"]["text"] == "coordinated\nmain\n"
    assert not alive(int((node.folder("t") / "wd/pid").read_text()))


def test_one_that_failed_is_told_with_its_exit_code(node: Node) -> None:
    node.connect(slots=1)
    coordinate(node, "t", "echo why; exit 5", "touch main")
    done = node.outcome("t")
    assert done["exit"] == 5 and done["error"]["code"] == "CoordinationCommandFailed"
    assert done["stdout"]["text"] == "why\n" and not (node.folder("t") / "wd/main").exists()
    node.start("u", "true", coordination=["no-such-program"])
    assert node.outcome("u")["error"]["code"] == "CommandProgramNotFound"


def test_one_that_waits_is_ended_at_once_if_nothing_of_it_runs(node: Node) -> None:
    node.connect(slots=1)
    coordinate(node, "t", "true", "touch main")
    node.wait({"op": "coordinated", "id": "t"}.__eq__)
    node.say({"op": "kill", "id": "t", "grace": 1000})
    done = node.outcome("t")
    assert done["killed"] is True and done["exit"] == 0


def test_what_it_left_in_the_background_gets_its_grace(node: Node) -> None:
    node.connect(slots=1)
    daemon = "setsid sh -c 'trap \"echo saved; exit\" TERM; touch up; while :; do sleep 0.02; done' & "
    coordinate(node, "t", daemon + "while ! test -e up; do sleep 0.01; done", "touch main")
    node.wait({"op": "coordinated", "id": "t"}.__eq__)
    node.say({"op": "kill", "id": "t", "grace": 1000})
    assert node.outcome("t")["stdout"]["text"] == "saved\n"


def test_the_time_limit_counts_while_it_waits(node: Node) -> None:
    node.connect(slots=1)
    coordinate(node, "t", BACKGROUND, "touch main", wall=0.5, grace=0.1)
    assert node.outcome("t")["timeout"] is True
    wait_until(lambda: not alive(int((node.folder("t") / "wd/pid").read_text())))


def test_a_new_agent_is_told_who_waits(node: Node) -> None:
    node.connect(slots=1)
    coordinate(node, "t", "true", "echo main")
    node.wait({"op": "coordinated", "id": "t"}.__eq__)
    node.kill_agent()
    known = node.connect(slots=1)["executions"]
    assert [(each["id"], each.get("coordinated")) for each in known] == [("t", True)]
    coordinate(node, "t", "exit 9", "exit 9")  # said again, as after a crash
    node.wait({"op": "coordinated", "id": "t"}.__eq__, skip=1)
    node.say({"op": "proceed", "id": "t"})
    assert node.outcome("t")["stdout"]["text"] == "main\n"

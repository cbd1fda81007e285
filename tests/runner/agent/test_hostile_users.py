"""What a task puts in the way of the agent, which is root: links, folders without end, signals."""

import json
import math
import os
import textwrap

import pytest

from runner.agent.interpreter import of_everybody
from runner.agent.slot_link import LOOK

from .node import Message, Node, alive, parent, wait_until
from .test_identity import POOL, SEPARATE, TASK

DEEP = "import os\nfor _ in range(1100):\n  os.mkdir('d'); os.chdir('d')"


def python(node: Node, key: str, script: str, **more: object) -> None:
    node.start(key, of_everybody(), "-I", "-S", "-c", textwrap.dedent(script), **more)


class Files:
    """The node's file server."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ask(self, *requests: Message) -> list[Message]:
        """One after the other to one server."""
        import io

        from runner.agent.files import FileServer

        lines = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
        sink = io.BytesIO()
        FileServer(str(self._node.root), io.BytesIO(lines), sink).run()
        return [json.loads(line) for line in sink.getvalue().splitlines() if line.startswith(b'{"')]


def test_folders_without_end_end_nothing(open_node: Node) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    python(node, "a-1", DEEP, user=TASK, dir="workitems/j/job-1/a")
    assert node.outcome("a-1")["exit"] == 0
    node.sh("a-2", "echo again", user=TASK, dir="workitems/j/job-1/a")
    assert node.outcome("a-2")["stdout"]["text"] == "again\n"
    python(node, "s", DEEP, kind="startup", dir="startup")
    assert node.outcome("s")["exit"] == 0
    assert (node.root / "startup/wd/d").stat().st_uid == 0, "what a start task leaves is root's"
    folders, removed, *_ = Files(node).ask(
        {"op": "folders"},
        {"op": "remove", "path": "workitems/j/job-1/a", "mark": mark(node, "a")},
        {"op": "list", "path": "", "recursive": True},
    )
    assert folders["ok"] and removed == {"ok": True, "removed": True}
    assert not node.folder("a").exists() and os.listdir(node.root / ".ebbtide/trash") == []
    deleted, listed = Files(node).ask({"op": "delete", "path": "startup/wd/d", "recursive": True}, {"op": "list"})
    assert deleted["ok"] and listed["ok"] and os.listdir(node.root / ".ebbtide/trash") == []


def mark(node: Node, task: str) -> str:
    (found,) = Files(node).ask({"op": "folders"})
    return str(next(each["mark"] for each in found["folders"] if each["id"] == task))


def test_whatever_goes_wrong_with_a_request_the_next_one_is_answered(open_node: Node) -> None:
    open_node.connect(slots=1)
    (open_node.root / "f").touch()
    bad = ({"op": "list", "path": "x" * 300}, {"op": "get", "path": "f", "offset": math.inf}, {"op": "remove"})
    answers = Files(open_node).ask(*bad, {"op": "folders"})
    assert [each["ok"] for each in answers] == [False, False, False, True]


def test_what_a_task_printed_is_not_read_from_where_it_points(open_node: Node) -> None:
    """By links in the place of its output: of a running agent, of the next one, and of who fetches it."""
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("secret", "echo of another", user=TASK)
    assert node.outcome("secret")["exit"] == 0
    node.sh("thief", "echo as long as; cd ..; ln -sf ../secret/stdout.txt stdout.txt", user=POOL)
    assert node.outcome("thief")["exit"] == 0
    links = "ln -s ../../secret/stdout.txt x; ln -s \"$PWD/..\" \"$NODE/shared/up\""
    node.sh("sly", links, user=POOL, env={"NODE": str(node.root)})
    assert node.outcome("sly")["exit"] == 0
    node.kill_agent()
    found = {each["id"]: each for each in node.connect(slots=None)["executions"]}
    assert found["secret"]["stdout"] == {"size": 11, "text": "of another\n"}
    assert found["thief"]["stdout"] == {"size": 11}
    answers = Files(node).ask(
        {"op": "get", "path": "workitems/j/job-1/thief/stdout.txt"},
        {"op": "get", "path": "workitems/j/job-1/sly/wd/x"},
        {"op": "get", "path": "shared/up/stdout.txt"},
        {"op": "stat", "path": "workitems/j/job-1/sly/wd/x"},
    )
    assert [answer.get("code") for answer in answers] == ["Refused"] * 4


def test_a_link_in_the_place_of_wd_gets_nothing_of_anothers(open_node: Node) -> None:
    node = open_node
    node.connect(slots=2, users=SEPARATE)
    node.sh("victim", "while ! test -e go; do sleep 0.02; done", user=TASK)
    node.started("victim")
    told = node.folder("victim") / ".upload-failed"
    told.write_text('{"code":"FileUploadMiscError","message":"http://x/?secret"}')
    output = {"pattern": "none*", "url": "http://127.0.0.1:1/o", "path": "", "headers": [], "when": "taskcompletion"}
    node.sh("thief", "cd ..; mv wd mine; ln -s ../victim/wd wd", user=POOL, outputs=[output])
    assert node.outcome("thief")["error"] is None and told.exists()
    (node.folder("victim") / "wd/go").touch()
    assert node.outcome("victim")["exit"] == 0


@pytest.mark.parametrize("user", [TASK, POOL])
def test_what_a_task_opened_to_all_is_closed_when_it_has_ended(open_node: Node, user: Message) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    opens = "echo secret > s.txt; chmod 666 s.txt; chmod 777 . .."
    node.sh("victim-1", opens, user=TASK, dir="workitems/j/job-1/victim")
    assert node.outcome("victim-1")["exit"] == 0
    node.sh("thief", "cd ../../victim && echo x > wd/x && cat wd/s.txt && ls", user=user)
    assert node.outcome("thief")["stdout"]["text"] == ""
    folder = node.folder("victim")
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o700) and not (folder / "wd/x").exists()
    (told, _) = Files(node).ask({"op": "stat", "path": "workitems/j/job-1/victim/wd/s.txt"}, {"op": "folders"})
    assert told["ok"] and told["size"] == 7, "who looks after the node still reads it"
    node.sh("victim-2", "cat s.txt; touch again", user=TASK, dir="workitems/j/job-1/victim")
    assert node.outcome("victim-2")["stdout"]["text"] == "secret\n", "and so does its next attempt"


@pytest.mark.parametrize("user", [TASK, POOL, {"admin": True}])
@pytest.mark.parametrize(
    "wrecks",
    ["mkdir -p stdout.txt/x", "mkdir .fetch-failed stderr.txt", "mv wd a; touch wd; rm -rf home; ln -s a home"],
)
def test_what_an_attempt_left_in_the_way_does_not_stop_the_next(open_node: Node, user: Message, wrecks: str) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("t-1", f"cd ..; rm -f stdout.txt stderr.txt; {wrecks}", user=user, dir="workitems/j/t")
    assert node.outcome("t-1")["op"] == "finished"
    node.sh("t-2", "echo fine", user=user, dir="workitems/j/t")
    assert node.outcome("t-2")["stdout"]["text"] == "fine\n"


def test_nobody_with_more_rights_enters_what_another_user_left(open_node: Node) -> None:
    """Of a task that was deleted, and made again with other rights: it would run programs that lie there ready."""
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("t-1", "echo ill > sitecustomize.py", user=POOL, dir="workitems/j/t")
    assert node.outcome("t-1")["exit"] == 0
    for number, user in ((2, {"admin": True}), (3, {"admin": True})):
        node.sh(f"t-{number}", "ls; touch own", user=user, dir="workitems/j/t")
        assert node.outcome(f"t-{number}")["stdout"]["text"] == ("" if number == 2 else "own\n")
    assert (node.root / "workitems/j/t").stat().st_uid == 0


STOPS = """
    import os, signal
    while not (os.path.exists("pid") and open("pid").read()):
        pass
    pid = int(open("pid").read())
    stopped = False
    while not stopped:
        for _ in range(200):
            try:
                os.kill(pid, signal.SIGSTOP)
            except PermissionError:
                pass
        with open(f"/proc/{pid}/stat") as file:
            stopped = file.read().rpartition(")")[2].split()[0] == "T"
"""


def test_a_supervisor_that_a_task_of_the_pool_stops_does_not_stay_so(open_node: Node) -> None:
    """While it makes a process of the same user, nothing keeps that user's processes from it."""
    node = open_node
    node.connect(slots=2, users=SEPARATE)
    python(node, "attacker", STOPS, user=POOL)
    attacker = parent(node.started("attacker")["pid"])
    victim = next(pid for pid in map(node.supervisor, "01") if pid != attacker)
    (node.folder("attacker") / "wd/pid").write_text(str(victim))

    def over(key: str) -> bool:
        return any(m["op"] in ("finished", "lost") and m["id"] == key for m in list(node.messages))

    def settled(key: str) -> None:
        wait_until(lambda: over(key) or over("attacker"))
        node.say({"op": "ack", "ids": [key]})

    number = 0
    while not over("attacker"):  # which needs some of these moments
        number += 1
        node.start(f"t{number}", "true", user=POOL)
        if number > 5:
            settled(f"t{number - 5}")
    wait_until(lambda: not alive(victim), 4 * LOOK)
    keys = [f"t{each}" for each in range(1, number + 1)]
    wait_until(lambda: all(map(over, keys)))
    assert node.count("lost") <= 1
    waits = "touch up; while ! test -e ../../b/wd/up || ! test -e ../../a/wd/up; do sleep 0.02; done"
    for key in "ab":  # at the same time: both slots serve again
        node.sh(key, waits, user=POOL)
    assert [node.outcome(key)["exit"] for key in "ab"] == [0, 0]

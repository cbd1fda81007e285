"""What is brought away when a command has ended: its checkpoint, its output files."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .node import Node, alive, children, wait_until

REFUSED = "refused"


class Store(ThreadingHTTPServer):
    """Blobs by path. While `open` is not set, nobody is answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[str, bytes] = {}
        self.asked = 0
        self.open = threading.Event()
        self.open.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"  # so that it asks for the bodies

    def do_GET(self) -> None:
        content = self.server.blobs.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def do_PUT(self) -> None:
        self.server.asked += 1
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.open.wait(60)
        refused = REFUSED in self.path
        if not refused:
            self.server.blobs[self.path] = content
        self.send_response(403 if refused else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.open.set()
    store.shutdown()
    store.server_close()


SAVES = (
    'mkdir -p "$EBBTIDE_CHECKPOINT_DIR"; '
    'trap \'echo "saved" > "$EBBTIDE_CHECKPOINT_DIR/state"; exit 3\' TERM; touch up; while :; do sleep 0.02; done'
)
SHOWS = 'cat "$EBBTIDE_CHECKPOINT_DIR/state"; ls "$EBBTIDE_CHECKPOINT_DIR"'


def checkpoint(store: Store, restore: bool = False) -> dict[str, Any]:
    return {"url": f"{store.url}/checkpoint.tar", "restore": restore}


def outputs(store: Store, *conditions: str) -> list[dict[str, Any]]:
    return [
        {"pattern": "../std*.txt", "url": f"{store.url}/{condition}", "path": "p", "headers": [], "when": condition}
        for condition in conditions
    ]


def test_what_is_to_run_again_leaves_its_checkpoint_and_the_next_attempt_finds_it(node: Node, store: Store) -> None:
    node.connect(slots=1)
    every = outputs(store, "tasksuccess", "taskfailure", "taskcompletion")
    node.sh("a-1", SAVES, dir="workitems/j/a", outputs=every)
    wait_until((node.root / "workitems/j/a/wd/up").exists)
    node.say({"op": "kill", "id": "a-1", "grace": 1000, "again": True, "checkpoint": checkpoint(store)})
    done = node.outcome("a-1")
    assert done["killed"] is True and done["exit"] == 3 and done["error"] is None
    assert list(store.blobs) == ["/checkpoint.tar"], "outputs of an attempt that is run again are not its outputs"
    # elsewhere: another folder
    node.sh("a-2", SHOWS, dir="workitems/j/elsewhere", checkpoint=checkpoint(store, restore=True))
    assert node.outcome("a-2")["stdout"]["text"] == "saved\nstate\n"
    stale = node.root / "workitems/j/a/checkpoint"
    (stale / "stale").touch()
    node.sh("a-3", SHOWS, dir="workitems/j/a", checkpoint=checkpoint(store, restore=True))
    assert node.outcome("a-3")["stdout"]["text"] == "saved\nstate\n"


KEEPS = 'mkdir -p "$EBBTIDE_CHECKPOINT_DIR"; echo 1 > "$EBBTIDE_CHECKPOINT_DIR/x"; '


@pytest.mark.parametrize(
    ("script", "more", "saved"),
    [
        (KEEPS + "exit 1", {}, True),
        (KEEPS + "sleep 1000", {"wall": 0.3, "grace": 0.1}, True),
        (KEEPS + "kill -9 $$", {}, True),
        (KEEPS + "exit 0", {}, False),
        ('mkdir "$EBBTIDE_CHECKPOINT_DIR"; exit 1', {}, False),
        ("exit 1", {}, False),
        ('ln -s /etc "$EBBTIDE_CHECKPOINT_DIR"; exit 1', {}, False),
    ],
)
def test_when_a_checkpoint_is_saved(node: Node, store: Store, script: str, more: dict[str, Any], saved: bool) -> None:
    node.connect(slots=1)
    node.sh("t", script, checkpoint=checkpoint(store), **more)
    assert node.outcome("t")["error"] is None
    assert list(store.blobs) == (["/checkpoint.tar"] if saved else [])


def test_a_task_that_is_terminated_leaves_none(node: Node, store: Store) -> None:
    node.connect(slots=1)
    node.sh("t", KEEPS + "touch up; sleep 1000", checkpoint=checkpoint(store))
    wait_until((node.folder("t") / "wd/up").exists)
    node.say({"op": "kill", "id": "t", "grace": 1000})
    assert node.outcome("t")["killed"] is True and store.asked == 0


def test_nothing_saved_yet_is_no_failure(node: Node, store: Store) -> None:
    node.connect(slots=1)
    node.sh("t", "echo fine", checkpoint=checkpoint(store, restore=True))
    assert node.outcome("t")["stdout"]["text"] == "fine\n"


@pytest.mark.parametrize(
    ("script", "kept"), [("echo x", {"tasksuccess", "taskcompletion"}), ("exit 2", {"taskfailure", "taskcompletion"})]
)
def test_outputs_by_condition(node: Node, store: Store, script: str, kept: set[str]) -> None:
    node.connect(slots=1)
    node.sh("t", script, outputs=outputs(store, "tasksuccess", "taskfailure", "taskcompletion"))
    done = node.outcome("t")
    assert done["error"] is None, done
    assert {path.split("/")[1] for path in store.blobs} == kept
    assert (node.folder("t") / "fileuploadout.txt").exists()


def test_an_upload_that_fails_is_told_beside_the_exit_code(node: Node, store: Store) -> None:
    node.connect(slots=1)
    lost = [{**outputs(store, "taskcompletion")[0], "url": "http://127.0.0.1:9/x"}]
    node.sh("t", "echo x; exit 0", outputs=lost)
    done = node.outcome("t", 120)
    assert done["exit"] == 0 and done["error"]["code"].startswith("FileUpload")
    assert done["stdout"]["text"] == "x\n"


def test_a_checkpoint_that_is_not_saved_fails_no_task_that_uploads(node: Node, store: Store) -> None:
    node.connect(slots=1)
    lost = {"url": f"{store.url}/{REFUSED}", "restore": False}
    node.sh("t", KEEPS + "exit 1", checkpoint=lost, outputs=outputs(store, "taskfailure"))
    assert node.outcome("t")["error"] is None and len(store.blobs) == 2
    assert "the checkpoint was not saved" in (node.folder("t") / "fileuploadout.txt").read_text()


@pytest.mark.parametrize("folder", ["$PWD", "${PWD%/wd}"])
def test_one_that_has_removed_its_folder_is_told_so(node: Node, store: Store, folder: str) -> None:
    node.connect(slots=1)
    node.sh("t", f'rm -rf "{folder}"', outputs=outputs(store, "taskcompletion"))
    done = node.outcome("t")
    assert done["error"]["code"] == "FileUploadMiscError"
    assert "the task has removed its working directory" in done["error"]["message"]


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("code", [0, 3])
def test_a_kill_gives_an_upload_its_grace_and_ends_it(node: Node, store: Store, again: bool, code: int) -> None:
    node.connect(slots=1)
    store.open.clear()
    node.sh("t", f"exit {code}", outputs=outputs(store, "taskcompletion"))
    wait_until(lambda: store.asked)
    (upload,) = children(node.supervisor("0"))
    node.settle()
    assert node.count("finished", "t") == 0
    began = time.monotonic()
    node.say({"op": "kill", "id": "t", "grace": 0.5, "again": again})
    done = node.outcome("t")
    assert time.monotonic() - began >= 0.5 and not alive(upload)
    assert (done["exit"], done["killed"], done["error"]) == (code, True, None), "its end was asked for"


@pytest.mark.parametrize("again", [True, False])
def test_an_upload_that_ends_within_the_grace_counts_as_it_ended(node: Node, store: Store, again: bool) -> None:
    node.connect(slots=2)
    store.open.clear()
    kept, refused = outputs(store, "taskcompletion"), [{**outputs(store, "taskcompletion")[0], "path": REFUSED}]
    for key, files in {"kept": kept, "refused": refused}.items():
        node.sh(key, "exit 0", outputs=files)
    wait_until(lambda: store.asked >= 2)
    for key in ("kept", "refused"):
        node.say({"op": "kill", "id": key, "grace": 1000, "again": again})
    node.settle()
    store.open.set()
    done, failed = node.outcome("kept"), node.outcome("refused")
    assert (done["exit"], done["killed"], done["error"]) == (0, False, None)
    assert (failed["killed"], failed["error"]["code"]) == (False, "FileUploadAccessDenied"), "its files are lost"


def test_an_upload_outlives_the_agent(node: Node, store: Store) -> None:
    node.connect(slots=1)
    store.open.clear()
    node.sh("t", "echo x; exit 7", outputs=outputs(store, "taskcompletion"))
    wait_until(lambda: store.asked)
    node.kill_agent()
    store.open.set()
    node.reaped("0")
    (known,) = node.connect(slots=1)["executions"]
    assert known["state"] == "finished" and known["exit"] == 7 and known["error"] is None
    assert store.blobs["/taskcompletion/p/stdout.txt"] == b"x\n"


def test_uploads_and_checkpoints_run_as_the_task_itself(open_node: Node, store: Store) -> None:
    node = open_node
    node.connect(slots=1, users={"separate": True})
    (node.root / "secret").write_text("secret")
    (node.root / "secret").chmod(0o600)
    user = {"scope": "task"}
    files = [{"pattern": "*", "url": f"{store.url}/c", "path": "", "headers": [], "when": "taskcompletion"}]
    script = KEEPS + 'echo mine > own; ln -s "$NODE/secret" link; exit 1'
    env = {"NODE": str(node.root)}
    node.sh("t-1", script, user=user, outputs=files, checkpoint=checkpoint(store), env=env, dir="workitems/j/t")
    assert node.outcome("t-1")["exit"] == 1
    assert store.blobs["/c/own"] == b"mine\n" and b"secret" not in b"".join(store.blobs.values())
    assert "/checkpoint.tar" in store.blobs
    shows = 'cat "$EBBTIDE_CHECKPOINT_DIR/x"; touch "$EBBTIDE_CHECKPOINT_DIR/y"'
    node.sh("t-2", shows, user=user, checkpoint=checkpoint(store, restore=True), dir="workitems/j/other")
    done = node.outcome("t-2")
    assert done["exit"] == 0 and done["stdout"]["text"] == "1\n"

"""Commands in containers, through a real podman where one runs."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.agent import container

from .engine import IMAGE, Environment, containers, fake_engine, podman
from .node import Message, Node, wait_until

SEPARATE: Message = {"separate": True, "accounts": []}


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/a" else 404)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def files() -> Iterator[str]:
    """The address of a server that has a file `a`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def contained(**more: object) -> Message:
    return {"image": IMAGE, "options": [], "registries": [], "inside": True, **more}


@pytest.fixture(scope="module")
def with_podman(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return podman(tmp_path_factory)


def test_a_command_in_a_container(node: Node, with_podman: Environment) -> None:
    node.connect(**with_podman, AZ_BATCH_POOL_ID="p")
    script = 'pwd; echo "$AZ_BATCH_POOL_ID/$MINE/$LINES"; echo "${SECRET-none}"; ls /bin/busybox; touch made'
    script += "; echo e >&2; exit 7"
    env = {"MINE": 'a "b" $c #d', "LINES": "1\n2"}
    node.sh("t", script, container=contained(), env=env)
    done = node.outcome("t")
    folder = node.folder("t")
    assert done["stdout"]["text"] == f'{folder}/wd\np/a "b" $c #d/1\n2\nnone\n/bin/busybox\n'
    assert (done["exit"], done["stderr"]["text"], done["error"]) == (7, "e\n", None)
    assert (folder / "wd/made").exists()
    assert len(done["container"]) == 64, "the id of the container"
    assert container.name_of("t") not in containers()
    assert not list((node.root / ".ebbtide/containers").iterdir())


def test_options_and_the_directory_of_the_image(node: Node, with_podman: Environment) -> None:
    node.connect(**with_podman)
    other = contained(inside=False, options=["--user", "77", "-e", "EXTRA=x"])
    node.sh("t", "pwd; id -u; echo $EXTRA", container=other)
    assert node.outcome("t")["stdout"]["text"] == "/\n77\nx\n"


def test_the_user_inside_is_the_user_outside(open_node: Node, with_podman: Environment) -> None:
    open_node.connect(users=SEPARATE, **with_podman)
    ids = {}
    for key, user in (("pool", None), ("own", {"scope": "task"}), ("admin", {"admin": True})):
        open_node.sh(key, "id -u; touch made; echo $HOME", container=contained(), user=user)
        done = open_node.outcome(key)
        assert done["exit"] == 0, done
        ids[key], home = done["stdout"]["text"].split("\n")[:2]
        assert (open_node.folder(key) / "wd/made").stat().st_uid == int(ids[key])
        homes = {"own": f"{open_node.folder('own')}/home", "pool": f"{open_node.root}/home/_azbatch"}
        assert home == homes.get(key, home)
    assert ids["admin"] == "0" and len(set(ids.values())) == 3


def test_a_task_cannot_make_the_engine_work_for_it(open_node: Node, with_podman: Environment) -> None:
    """Its variables are those of the command alone: the engine's program is root."""
    open_node.connect(users=SEPARATE, **with_podman)
    hostile = {"LD_PRELOAD": "/nowhere.so", "PATH": "/nowhere", "CONTAINERS_CONF": "/nowhere", "HOME": "/nowhere"}
    open_node.start("t", "/bin/sh", "-c", "/bin/id -u; echo $PATH", container=contained(), env=hostile)
    done = open_node.outcome("t")
    assert done["exit"] == 0 and done["stdout"]["text"].endswith("\n/nowhere\n"), done


def test_resource_files_are_there_inside(open_node: Node, with_podman: Environment, files: str) -> None:
    open_node.connect(users=SEPARATE, **with_podman)
    there, missing = ({"url": f"{files}/{name}", "path": f"in/{name}", "mode": ""} for name in "ab")
    open_node.sh("t", "cat in/a", container=contained(), resources=[there])
    done = open_node.outcome("t")
    assert (done["stdout"]["text"], done["exit"]) == ("content", 0), done
    open_node.sh("u", "true", container=contained(), resources=[missing])
    assert open_node.outcome("u")["error"]["code"] == "BlobNotFound"


@pytest.mark.parametrize("how", ["kill", "wall"])
def test_kills_and_limits_end_the_container(node: Node, with_podman: Environment, how: str) -> None:
    node.connect(**with_podman)
    script = "trap 'echo saved; exit 3' TERM; echo up; touch up; while :; do sleep 0.1; done"
    node.sh("polite", script, container=contained(), wall=1.0 if how == "wall" else None)
    wait_until((node.folder("polite") / "wd/up").exists)
    if how == "kill":
        node.say({"op": "kill", "id": "polite", "grace": 20.0})
    done = node.outcome("polite")
    assert (done["exit"], done["stdout"]["text"]) == (3, "up\nsaved\n")
    assert done["killed"] == (how == "kill") and done["timeout"] == (how == "wall")
    node.sh("deaf", "trap '' TERM; touch up; while :; do sleep 0.1; done", container=contained())
    wait_until((node.folder("deaf") / "wd/up").exists)
    assert container.name_of("deaf") in containers()
    node.say({"op": "kill", "id": "deaf", "grace": 0.2})
    assert node.outcome("deaf")["killed"]
    assert not containers() & {container.name_of("deaf"), container.name_of("polite")}


def test_a_container_whose_supervisor_died_is_removed(node: Node, with_podman: Environment) -> None:
    node.connect(slots=1, **with_podman)
    node.sh("t", "trap '' TERM; touch up; while :; do sleep 0.1; done", container=contained())
    wait_until((node.folder("t") / "wd/up").exists)
    os.kill(node.supervisor("0"), signal.SIGKILL)
    assert node.outcome("t")["op"] == "lost"
    assert container.name_of("t") not in containers()


def test_nothing_runs_on_when_the_machine_dies(node: Node, with_podman: Environment) -> None:
    node.connect(slots=1, **with_podman)
    node.sh("t", "trap '' TERM; touch up; while :; do sleep 0.1; done", container=contained())
    wait_until((node.folder("t") / "wd/up").exists)
    node.end()
    wait_until(lambda: container.name_of("t") not in containers())


def test_no_engine_is_a_failure_with_a_cure(node: Node, tmp_path: Path) -> None:
    node.connect(**fake_engine(tmp_path / "bin", "other"))
    node.sh("t", "true", container=contained())
    error = node.outcome("t")["error"]
    assert error["code"] == "ContainerEngineNotFound" and "start task" in error["message"]


REGISTRY = {"server": "https://registry.example", "username": "me", "password": "pass word"}


@pytest.mark.parametrize("engine", container.ENGINES)
def test_images_are_pulled_once_and_with_the_credentials(node: Node, tmp_path: Path, engine: str) -> None:
    node.connect(slots=1, **fake_engine(tmp_path / "bin", engine))
    node.say({"op": "install", "id": "images", "images": ["a/b", "c"], "registries": [REGISTRY]})
    node.wait(lambda m: m["op"] == "installed" and m["id"] == "images")
    node.sh("t", "true", container=contained(image="a/b", registries=[REGISTRY, {**REGISTRY, "server": None}]))
    node.outcome("t")
    log = (tmp_path / "bin/log").read_text()
    assert log.count("pull --quiet a/b") == 1 and log.count("pull --quiet c") == 1
    assert "run --name ebbtide-t " in log and "rm --force --volumes ebbtide-t" in log
    if engine == "podman":
        auths = json.loads(log.split("run --name")[0].rpartition("\n{")[2].join(["{", ""]).split("\n")[0])["auths"]
        assert set(auths) == {"registry.example", "https://index.docker.io/v1/"}
        assert auths["registry.example"]["auth"] == "bWU6cGFzcyB3b3Jk"
    kept = [path.read_bytes() for path in node.root.rglob("*") if path.is_file()]
    assert not any(b"pass word" in data or b"bWU6cGFzcyB3b3Jk" in data for data in kept)


def test_an_image_that_is_not_to_be_had(node: Node, tmp_path: Path) -> None:
    node.connect(slots=1, **fake_engine(tmp_path / "bin"))
    node.say({"op": "install", "id": "images", "images": ["nosuch"], "registries": []})
    told = node.wait(lambda m: m["op"] == "install-failed")
    assert "no such image: nosuch" in told["message"]
    node.sh("t", "true", container=contained(image="nosuch"))
    error = node.outcome("t")["error"]
    assert error["code"] == "ContainerInvalidImage" and "no such image" in error["message"]

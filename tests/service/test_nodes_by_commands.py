"""What commands do with a node of a server: users, files, and its end."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from providers import marked_processes
from service.cli import main

from ..providers.waiting import wait_until
from .served import PATIENCE, Served, ebbtide

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAG7mFCk7wYTSHZhPvmBHdxQ8HSHVBRbTWKqz9u you@there"
WORK = "/bin/sh -c 'mkdir d; echo x > d/f; echo hello'"


class Client:
    """Commands of somebody with an account."""

    def __init__(self, variables):
        self.variables = {name: value for name, value in variables.items() if name.startswith("AZURE")}

    def __call__(self, *words, stdin=None):
        return CliRunner().invoke(main, words, input=stdin, env=self.variables)

    def json(self, *words):
        done = self(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def served():
    with tempfile.TemporaryDirectory(prefix="ebbtide-") as made:
        os.chmod(made, 0o755)  # others work on the nodes below it
        (Path(made) / "settings.yaml").write_text("bootPollInterval: PT0.5S\nvmPollInterval: PT1S\n")
        server = Served(Path(made), "--config", str(Path(made) / "settings.yaml"))
        try:
            yield server.ready()
        finally:
            server.close()
            ebbtide("down", "--now", state=server.state)


@pytest.fixture(scope="module")
def client(served):
    """With a node, and a task that has ended there."""
    client = Client(served.lines)
    for words in (
        ("pool", "create", "p", "--vm-size", "local.small", "--dedicated", "1"),
        ("job", "create", "j", "--pool", "p", "--on-all-tasks-complete", "noaction"),
        ("task", "create", "j", "t", "--command", WORK),
    ):
        assert client(*words).exit_code == 0, words
    wait_until(lambda: client.json("task", "show", "j", "t")["state"] == "completed", PATIENCE)
    return client


@pytest.fixture(scope="module")
def node(client):
    (found,) = client.json("node", "list", "p", "--select", "id")
    return found["id"]


def test_a_user_is_made_and_told_how_to_log_in(client, node):
    where = client.json("node", "remote-login-settings", node)
    login = f"ssh -p {where['remoteLoginPort']} u@{where['remoteLoginIPAddress']}"
    made = client("node", "user", "create", node, "u", "--ssh-public-key", "-", "--expires", "PT1H", stdin=KEY)
    assert (made.exit_code, made.stdout) == (0, f"user u of node {node}: created\n{login}\n"), made.output
    again = client("node", "user", "create", node, "u", "--password", stdin="secret-word\n")
    assert (again.exit_code, "NodeUserExists" in again.stderr) == (1, True)
    assert client("node", "user", "reset", node, "u", "--password", stdin="secret-word\n").exit_code == 0
    gone = client("node", "user", "delete", node, "u", "nobody")
    assert (gone.exit_code, gone.stdout) == (1, f"user u of node {node}: deleted\n")
    assert "NodeUserNotFound" in gone.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        ("u", None, "give --ssh-public-key, --password, or both"),
        ("u --password", "", "standard input holds no password"),
        ("u --ssh-public-key -", "-----BEGIN OPENSSH PRIVATE KEY-----", "a private key, which goes nowhere"),
        ("u --ssh-public-key none.pub", None, "none.pub: no public key can be read there"),
        ("u --password --ssh-public-key -", "x", "standard input holds one thing"),
        ("u --password --expires nonsense", "x\n", "Invalid value for --expires"),
        ("--password", "x\n", "Missing argument 'USER'"),
    ],
)
def test_a_user_that_is_not_made(client, node, words, stdin, told):
    done = client("node", "user", "create", node, *words.split(), stdin=stdin)
    assert (done.exit_code, told in done.stderr) == (2, True), done.output


def test_files_of_a_task(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = ("task", "file")
    names = [each["name"] for each in client.json(*file, "list", "j", "t", "-r")]
    assert names == ["stderr.txt", "stdout.txt", "wd", "wd/d", "wd/d/f"]
    assert client.json(*file, "show", "j", "t", "wd/d/f")["contentLength"] == 2
    assert client(*file, "download", "j", "t", "wd/d/f").stdout == "f: 2 bytes\n"
    assert (tmp_path / "f").read_text() == "x\n"
    (tmp_path / "f").write_text("mine")
    refused = client(*file, "download", "j", "t", "wd/d/f")
    assert (refused.exit_code, "--force" in refused.stderr, (tmp_path / "f").read_text()) == (1, True, "mine")
    assert client(*file, "download", "j", "t", "wd/d/f", "--force", "--range", "0-0").stdout == "f: 1 bytes\n"
    (tmp_path / "into").mkdir()
    assert client.json(*file, "download", "j", "t", "stdout.txt", "-o", "into")["output"] == "into/stdout.txt"
    assert client(*file, "download", "j", "t", "stdout.txt", "-o", "-").stdout == "hello\n"
    assert client("files", "j", "t", "stdout.txt").stdout == "hello\n", "and in fewer words"
    for words, told in (
        (("download", "j", "t", "wd"), "is a folder"),
        (("delete", "j", "t", "wd/d"), "--recursive deletes it"),
        (("delete", "j", "t", "wd/none"), "FileNotFound"),
        (("show", "j", "t", "../../x"), "FileNotFound"),
        (("show", "j", "none", "x"), "TaskNotFound"),
    ):
        done = client(*file, *words)
        assert (done.exit_code, told in done.stderr, done.stdout) == (1, True, ""), done.output
    assert client(*file, "delete", "j", "t", "wd/d", "--recursive").stdout == "wd/d: deleted\n"
    assert [each["name"] for each in client.json(*file, "list", "j", "t", "-r")] == ["stderr.txt", "stdout.txt", "wd"]


def test_files_of_a_node(client, node, tmp_path):
    assert "workitems" in [each["name"] for each in client.json("node", "file", "list", node)]
    path = "workitems/j/job-1/t/stdout.txt"
    to = tmp_path / "to"
    assert client("node", "file", "download", node.upper(), path, "-o", str(to)).exit_code == 0
    assert to.read_text() == "hello\n"
    assert client("files", "p", node, path, "--node").stdout == "hello\n"


def test_how_many_nodes_there_are(client):
    (counts,) = client.json("pool", "node-counts")
    assert (counts["dedicated"]["idle"], counts["dedicated"]["total"]) == (1, 1)
    assert client("pool", "node-counts").stdout.splitlines()[1].split() == ["p", "dedicated", "1", "1", "idle"]


def test_nodes_leave_a_pool(client):
    assert client("pool", "create", "q", "--vm-size", "local.small", "--dedicated", "3").exit_code == 0
    wait_until(lambda: len(client.json("node", "list", "q")) == 3, PATIENCE)
    first, *others = (each["id"] for each in client.json("node", "list", "q"))
    assert client("pool", "remove-nodes", "q", first).stdout == "pool q: 1 node leaves\n"
    wait_until(lambda: client.json("pool", "show", "q")["allocationState"] == "steady", PATIENCE)
    assert client("pool", "remove-nodes", "q", *others).stdout == "pool q: 2 nodes leave\n"
    wait_until(lambda: client.json("node", "list", "q") == [], PATIENCE)


def test_its_nodes_end_by_the_server(served, client):
    """The last of this file: the server makes no nodes after it."""
    made = ebbtide("account", "create", "looks", "--read-only", "--json", state=served.state)
    looks = {"AZURE_BATCH_ACCOUNT": "looks", "AZURE_BATCH_ACCESS_KEY": json.loads(made.stdout)["primary"]}
    refused = Client({**client.variables, **looks})("down", "--yes")
    assert (refused.exit_code, "AuthorizationFailure" in refused.stderr) == (1, True), refused.output
    for method, path in (("POST", "/drain"), ("GET", "/left")):
        answer = served.client().request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "AuthenticationFailed")
    nothing = client("down", "--pool", "nothing")
    assert (nothing.exit_code, "PoolNotFound: there is no pool" in nothing.stderr) == (2, True)
    assert len(client.json("node", "list")) == 1
    done = client("down")
    assert (done.exit_code, "\nno VM is left\n" in done.stdout) == (0, True), done.output
    assert client.json("node", "list") == []
    assert not marked_processes((served.state / "deployment").read_text().strip())

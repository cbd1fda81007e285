"""Containers give nobody rights that he does not have outside, and the engine's failures are not the command's."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.agent import contain, container

from .engine import Environment, containers, fake_engine, podman
from .node import Node
from .test_containers import SEPARATE, contained


@pytest.fixture(scope="module")
def with_podman(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return podman(tmp_path_factory)


def test_a_container_has_no_more_rights_than_its_user(open_node: Node, with_podman: Environment) -> None:
    """Neither by programs of the image that are root's, nor by what is mounted."""
    open_node.connect(users=SEPARATE, **with_podman)
    script = "cat /proc/self/status; echo; cd ../../../../..; ls -A; touch shared/$AZ_BATCH_TASK_ID; touch startup/made"
    rights = {}
    for key, user in (("pool", None), ("own", {"scope": "task"}), ("admin", {"admin": True})):
        name = f"confined-{key}"  # all containers here are one engine's, and the tests of another file run beside
        open_node.sh(name, script, container=contained(), user=user, env={"AZ_BATCH_TASK_ID": key})
        done = open_node.outcome(name)
        status, _, there = done["stdout"]["text"].rpartition("\n\n")
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        rights[key] = (int(lines["CapBnd"], 16), lines["NoNewPrivs"])
        assert (".ebbtide" in there) == (key == "admin"), there
        assert ("startup/made: Read-only" in done["stderr"]["text"]) == (key != "admin"), done["stderr"]
    assert (open_node.root / "shared/pool").exists()
    assert rights["pool"] == rights["own"] == (0, "1") and rights["admin"][0]


@pytest.mark.parametrize("options", [["--privileged"], ["--user", "0"], ["-v", "/:/host"], ["--cap-add=ALL"]])
def test_options_that_would_give_more_are_refused_on_the_node_too(
    open_node: Node, tmp_path: Path, options: list[str]
) -> None:
    open_node.connect(users=SEPARATE, **fake_engine(tmp_path / "bin"))
    open_node.sh("t", "true", container=contained(image="i", options=options))
    error = open_node.outcome("t")["error"]
    assert error["code"] == "ContainerInvalidSettings" and options[0].partition("=")[0] in error["message"]
    open_node.sh("u", "true", container=contained(image="i", options=options), user={"admin": True})
    assert open_node.outcome("u")["error"] is None
    assert " ".join(options) in (tmp_path / "bin/log").read_text()


def test_values_of_variables_are_in_no_command_line(node: Node, tmp_path: Path) -> None:
    node.connect(slots=1, **fake_engine(tmp_path / "bin"))
    keys = {"KEY": "BEGIN\nsecret", "SSH_PRIVATE_KEY": "BEGIN\nsecret", "ONE": "secret"}
    node.sh("t", "true", container=contained(image="i"), env=keys)
    assert node.outcome("t")["error"] is None
    log = (tmp_path / "bin/log").read_text()
    assert "--env KEY " in log and "--env SSH_PRIVATE_KEY " in log and "secret" not in log
    told = ("PATH", "LD_PRELOAD", "https_proxy", "CONTAINERS_CONF", "BASH_ENV", "EBBTIDE_SLOT_X", "odd name", "ALL*")
    for name in told:
        node.sh(f"t-{len(name)}{name[:2]}", "true", container=contained(image="i"), env={name: "a\nb"})
        error = node.outcome(f"t-{len(name)}{name[:2]}")["error"]
        assert error["code"] == "ContainerInvalidSettings" and name in error["message"], error


def test_rm_is_left_to_us(node: Node, tmp_path: Path) -> None:
    node.connect(slots=1, **fake_engine(tmp_path / "bin"))
    node.sh("t", "true", container=contained(image="i", options=["--rm", "--init"]))
    assert node.outcome("t")["error"] is None
    log = (tmp_path / "bin/log").read_text()
    assert " --init i " in log and "--rm" not in log


# -- whose failure it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [125, 126, 127])
def test_exit_codes_of_the_command_are_its_own(node: Node, with_podman: Environment, code: int) -> None:
    node.connect(**with_podman)
    node.sh(f"exit-{code}", f"exit {code}", container=contained())
    done = node.outcome(f"exit-{code}")
    assert (done["exit"], done["error"]) == (code, None)


def test_a_command_that_cannot_be_started(node: Node, with_podman: Environment) -> None:
    node.connect(**with_podman)
    for key, program, code in (
        ("missing", "no-such-program", "CommandProgramNotFound"),
        ("folder", "/tmp", "CommandLaunchFailed"),
    ):
        node.start(key, program, "x", container=contained())
        done = node.outcome(key)
        assert (done["exit"], done["error"]["code"]) == (None, code), done
        assert program in done["error"]["message"]


def test_an_engine_that_cannot_make_the_container(node: Node, with_podman: Environment) -> None:
    node.connect(**with_podman)
    node.sh("no-folder", "true", container=contained(options=["--volume", "/no/such/folder:/x"]))
    done = node.outcome("no-folder")
    assert (done["exit"], done["error"]["code"]) == (None, "ContainerMiscError"), done
    assert "/no/such/folder" in done["error"]["message"]
    node.sh("no-option", "true", container=contained(options=["--no-such-option"]))
    assert node.outcome("no-option")["error"]["code"] == "ContainerInvalidSettings"
    assert not containers() & {container.name_of("no-folder"), container.name_of("no-option")}


def test_what_the_engine_says_is_told(node: Node, tmp_path: Path) -> None:
    node.connect(slots=1, **fake_engine(tmp_path / "bin"))
    (tmp_path / "bin/log.fails").write_text("crun: setrlimit: Operation not permitted")
    node.sh("t", "true", container=contained(image="i"))
    done = node.outcome("t")
    assert done["exit"] is None and done["error"]["code"] == "ContainerMiscError"
    assert "setrlimit: Operation not permitted" in done["error"]["message"]


@pytest.mark.parametrize(
    ("code", "said", "wanted"),
    [
        (127, 'exec: "prog": executable file not found in $PATH', "CommandProgramNotFound"),
        (127, "crun: executable file `prog` not found in $PATH", "CommandProgramNotFound"),
        (126, 'exec: "prog": permission denied', "CommandLaunchFailed"),
        (126, "crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted", "ContainerMiscError"),
        (127, "crun: mount `/x`: No such file or directory", "ContainerMiscError"),
        (125, "unknown flag: --x", "ContainerInvalidSettings"),
        (125, "unknown shorthand flag: 'Z' in -Z", "ContainerInvalidSettings"),
        (125, 'invalid argument "x" for "-m, --memory" flag', "ContainerInvalidSettings"),
        (125, "no space left on device", "ContainerMiscError"),
    ],
)
def test_why_a_container_did_not_run(code: int, said: str, wanted: str) -> None:
    assert contain._why(code, f"Error: {said}", ["prog", "x"])[0] == wanted

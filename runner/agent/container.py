"""Containers, as the supervisor sees them: what takes the place of a command that is to run in one, and their removal.

The engine's program runs with the supervisor's rights and environment, never with the task's: whoever may speak to an
engine is root on the node. The command in the container gets the user and the environment that it would have outside.
"""

from __future__ import annotations

import os
import re

from . import PRIVATE, STARTUP, container_options, fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from .launch import Execution
    from .wire import Message

ENGINES = ("podman", "docker")  # the first that is there
PATIENCE = 60.0  # seconds that a removal may take
#: Of a folder of its own in the agent's: the environment of the command, credentials, the id of the container.
VARIABLES, CREDENTIALS, ID = "variables", "config.json", "id"
NOT_THERE = (
    "neither podman nor docker is on the node: take an image that has one of them, or install it in the pool's start "
    "task (as admin)"
)
_PASSED = ("AZ_BATCH_", "EBBTIDE_")


class NoEngine(Exception):
    """The node has no program that runs containers."""


def engine(path: str) -> str:
    """The full name of its program. Raises NoEngine."""
    for name in ENGINES:
        for folder in path.split(":"):
            program = f"{folder}/{name}"
            if folder.startswith("/") and os.path.isfile(program) and os.access(program, os.X_OK):
                return program
    raise NoEngine(NOT_THERE)


def name_of(key: str) -> str:
    """What the container of the execution is called."""
    return "ebbtide-" + re.sub(r"[^A-Za-z0-9_.-]", "_", key)


def folder_of(root: str, key: str) -> str:
    return f"{root}/{PRIVATE}/containers/{name_of(key)}"


def wrap(
    root: str, base: Mapping[str, str], execution: Execution, resources: list[Message]
) -> tuple[list[str], dict[str, str]]:
    """The command that fetches `resources`, sees to the image, and then is the container; and its environment, made of
    `base` alone. Raises NoEngine, OptionRefused."""
    wanted = execution.container
    assert wanted is not None
    who = execution.who
    folder = f"{root}/{execution.dir}"
    own = {} if who is None else who.environment(folder)
    if not own.get("HOME", "").startswith(f"{root}/"):
        own = {}  # it is not there inside
    names = {*own, *execution.own_env}
    # the engine's program is root, and the command would not be: then it shall not be inside either
    confined = who is not None and bool(who.uid)
    options = wanted.get("options") or []
    container_options.check(options, admin=not confined)
    work = {
        "engine": engine(base.get("PATH", os.defpath)),
        "name": name_of(execution.id),
        "folder": folder_of(root, execution.id),
        "image": wanted["image"],
        "options": container_options.passed(options),
        "confined": confined,
        "mounts": _mounts(root, execution) if confined else [[root, "rw"]],
        "directory": f"{folder}/wd" if wanted.get("inside", True) else None,
        "registries": wanted.get("registries") or [],
        "argv": execution.argv,
        "user": None if who is None else [who.uid, who.gid],
        "variables": {k: v for k, v in execution.env.items() if k in names or k.startswith(_PASSED)},
        "fetch_env": execution.env if resources else {},
        "resources": resources,
    }
    marks = {name: execution.env[name] for name in ("EBBTIDE_EXECUTION", "EBBTIDE_SLOT")}
    return fetch.given("container", work, {**base, **marks}, [])


def _mounts(root: str, execution: Execution) -> list[list[str]]:
    """[path, "rw" or "ro"]: of the node root what a command has to do with; with its own folder those of its job's
    preparation task and other tasks. Who may read and write what there is the same as outside."""
    own = execution.dir if execution.startup else os.path.dirname(execution.dir)
    modes = {"shared": "rw", "home": "rw", "applications": "ro", STARTUP: "ro", own: "rw"}
    return [[f"{root}/{name}", mode] for name, mode in modes.items() if os.path.isdir(f"{root}/{name}")]


def removal(base: Mapping[str, str], key: str) -> list[str]:
    """The command that ends the execution's container, if it runs, and removes it. Raises NoEngine."""
    return [engine(base.get("PATH", os.defpath)), "rm", "--force", "--volumes", name_of(key)]


def forget(root: str, key: str) -> str | None:
    """Removes the folder of the execution's container; returns the container's id, if it had come so far."""
    folder = folder_of(root, key)
    found = None
    try:
        with open(f"{folder}/{ID}", encoding="ascii") as file:
            found = file.read(128).strip()
    except (OSError, ValueError):
        pass  # there has been none
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except OSError:
        pass  # it had not come so far
    return found or None


def sweep(root: str, base: Mapping[str, str], key: str) -> None:
    """Ends and removes the container of an execution whose supervisor has died; waits for it."""
    import subprocess

    try:
        quiet = subprocess.DEVNULL
        subprocess.run(
            removal(base, key), env=dict(base), stdin=quiet, stdout=quiet, stderr=quiet, timeout=PATIENCE, check=False
        )
    except (NoEngine, OSError, subprocess.TimeoutExpired):
        pass  # there is nothing more that could be done
    forget(root, key)

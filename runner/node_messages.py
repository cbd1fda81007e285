"""What passes between controller and agent, in the words of either side."""

from __future__ import annotations

import base64
from typing import Any, BinaryIO, Protocol

import msgspec

from pools import NodeUsage

from . import events as ev
from .commands import KillExecution, StartExecution
from .model import Output
from .node_files import NodeFiles
from .node_users import NodeUsers
from .outputs import INLINE

Message = dict[str, Any]


class Link(Protocol):
    """What a session needs of a NodeLink."""

    @property
    def door(self) -> str | None: ...
    @property
    def browsed(self) -> NodeFiles: ...
    @property
    def users(self) -> NodeUsers: ...
    def connect(self) -> None: ...
    def send(self, message: Message) -> None: ...
    def fetch(self, path: str, offset: int, length: int, into: BinaryIO) -> None: ...
    def upload(self, path: str, source: BinaryIO, size: int, sha256: str) -> None: ...
    def close(self) -> None: ...


def configure_message(
    slots: int,
    environment: dict[str, str],
    sample_period: float,
    notices: str | None = None,
    users: dict[str, Any] | None = None,
    grace: float = 30.0,
) -> Message:
    """The first that an agent is told; what the node uses it then tells every `sample_period` seconds.

    `notices`: the metadata service that it shall watch; `users`, `grace`: see OpenNode.
    """
    message: Message = {"op": "configure", "slots": slots, "env": environment, "usage": sample_period}
    message |= {"users": users or {}, "grace": grace}
    return message if notices is None else {**message, "notices": notices}


def start_message(command: StartExecution) -> Message:
    message: Message = {
        "op": "start",
        "id": command.execution_id,
        "kind": command.kind,
        "dir": command.directory,
        "argv": command.argv,
        "env": command.environment,
        "slots": command.slots,
        "wall": command.wall,
        "inline": INLINE,
        "resources": command.resources,
    }
    if command.outputs:
        message["outputs"] = command.outputs
    if command.user is not None:
        message["user"] = command.user
    if command.checkpoint is not None:
        message["checkpoint"] = command.checkpoint
    if command.container is not None:
        message["container"] = command.container
    if command.coordination is not None:
        message["coordination"] = command.coordination
    return message


def kill_message(command: KillExecution) -> Message:
    message: Message = {"op": "kill", "id": command.execution_id, "grace": command.grace, "again": command.again}
    return message if command.checkpoint is None else {**message, "checkpoint": command.checkpoint}


def inline_output(stream: str, content: Message) -> Output | None:
    if "text" in content:
        return Output(stream=stream, size=content["size"], data=content["text"].encode())
    if "base64" in content:
        return Output(stream=stream, size=content["size"], data=base64.b64decode(content["base64"]))
    return None if content["size"] else Output(stream=stream, size=0, data=b"")


def outcome_of(node_id: str, message: Message, outputs: list[Output]) -> ev.Outcome:
    """The event. Raises KeyError, TypeError, ValueError if the message is not what an agent of ours would say."""
    exit_code, signal, error = message["exit"], message["signal"], message["error"]
    disk_full = message.get("full") is True
    if disk_full:
        outputs = [msgspec.structs.replace(output, full=True) for output in outputs]
    if exit_code is None and signal is not None:
        exit_code = 128 + signal
    return ev.Outcome(
        node_id,
        message["id"],
        None if message["start"] is None else float(message["start"]),
        float(message["end"]),
        None if exit_code is None else int(exit_code),
        bool(message["killed"]),
        bool(message["timeout"]),
        (str(error["code"]), str(error["message"])) if error is not None else None,
        tuple(outputs),
        str(message["container"]) if message.get("container") else None,
        disk_full,
    )


def usage_of(message: Message) -> NodeUsage:
    """Raises ValueError if the figures are not such as an agent of ours would say."""
    try:
        return msgspec.convert(message, NodeUsage)
    except msgspec.ValidationError as error:
        raise ValueError(f"usage: {error}") from error

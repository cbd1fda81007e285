"""What one execution came to: the record in the spool, and the line that the controller reads.

The record is small and durable; stdout and stderr stay in their files, and ride in the line while small.
"""

from __future__ import annotations

import binascii
import os

from . import wire
from .confine import PathRefused, directory, parts_of
from .trees import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .launch import Execution
    from .wire import Message

MESSAGE_LIMIT = 600
SHORT_LIMIT = 64
MAX_INLINE = 1 << 20
NOTHING: Message = {"stdout": {"size": 0, "text": ""}, "stderr": {"size": 0, "text": ""}}
_EMPTY = b'{"size":0,"text":""}'


def clip(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """A message that takes at most `limit` bytes in JSON."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    while len(wire.encode({"": text})) > limit + 6:
        text = text[: len(text) * 3 // 4]
    return text


def content(fd: int, inline: int) -> dict[str, Any]:
    """{"size": bytes} of an open file, with "text" (UTF-8) or "base64" unless it is larger than `inline`."""
    size = os.fstat(fd).st_size
    if size > inline:
        return {"size": size}
    if not size:
        return {"size": 0, "text": ""}
    data = os.pread(fd, size, 0)
    try:
        return {"size": len(data), "text": data.decode()}
    except UnicodeDecodeError:
        return {"size": len(data), "base64": binascii.b2a_base64(data, newline=False).decode("ascii")}


def from_files(root: str, record: Message, budget: int) -> dict[str, Any]:
    """stdout and stderr of a recorded outcome, read again, inline while `budget` bytes allow it."""
    if "lost" in record:
        return NOTHING
    found: dict[str, Any] = {}
    for name, size in zip(("stdout", "stderr"), record["sizes"]):
        found[name] = {"size": size}
        limit = min(record["inline"], budget)
        if size > limit or record.get("dir") is None:
            continue
        try:
            fd = _reopened(root, record["dir"], f"{name}.txt")
        except (OSError, PathRefused):
            continue  # the file went; the controller learns so when it fetches it
        try:
            again = content(fd, limit)
            if again["size"] == size:
                found[name] = again
                budget -= size
        finally:
            os.close(fd)
    return found


def _reopened(root: str, folder: str, name: str) -> int:
    place = directory(root, parts_of(folder))
    try:
        return open_file(name, place)
    finally:
        os.close(place)


def line(record: Message, payload: bytes, outputs: dict[str, Any]) -> bytes:
    """The `finished` or `lost` line of a spool record. `payload` is the record encoded: once is enough."""
    if "lost" in record:
        return wire.encode({"op": "lost", "id": record["id"], "reason": record["lost"]})
    out, err = (_EMPTY if not part["size"] else wire.encode(part)[:-1] for part in outputs.values())
    return b'{"op":"finished",%b,"stdout":%b,"stderr":%b}\n' % (payload[1:-2], out, err)


def shortened(record: Message) -> Message:
    """A spool record that was too long, with next to nothing left of its error message."""
    error = record["error"]
    short = {"code": clip(error["code"], SHORT_LIMIT), "message": clip(error["message"], SHORT_LIMIT)}
    return {**record, "error": short}


def of(execution: Execution, sizes: list[int]) -> Message:
    """The spool record of one that has ended. `sizes`: of stdout and stderr."""
    status = execution.status or 0
    signalled = execution.ran and os.WIFSIGNALED(status)
    more: Message = {} if execution.container_id is None else {"container": execution.container_id}
    if execution.disk_full:
        more["full"] = True
    return {
        "id": execution.id,
        "exit": os.WEXITSTATUS(status) if execution.ran and not signalled else None,
        "signal": os.WTERMSIG(status) if signalled else None,
        "start": execution.start,
        "end": execution.end,
        "killed": execution.killed,
        "timeout": execution.timeout,
        "usage": execution.usage,
        "error": execution.error,
        "dir": execution.dir,
        "inline": execution.inline,
        "sizes": sizes,
        **more,
    }


def not_started(key: str, start: float, end: float, code: str, message: str) -> Message:
    """The spool record of an execution whose program never ran."""
    return {
        "id": key,
        "exit": None,
        "signal": None,
        "start": start,
        "end": end,
        "killed": False,
        "timeout": False,
        "usage": None,
        "error": {"code": code, "message": clip(message)},
        "dir": None,
        "inline": 0,
        "sizes": [0, 0],
    }

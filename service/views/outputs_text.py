"""What a task printed, as lines that may be shown in a timeline."""

from __future__ import annotations

import re

from runner import Output

from .line import Remark

#: Of a longer output only the end is shown.
_LINES = 20
_WIDTH = 300
_BYTES = 16 * 1024
#: What `ebbtide logs` is told of whose output it is.
_OPTIONS = {"task": "", "starttask": " --start-task", "jobpreparation": " --preparation", "jobrelease": " --release"}

#: Escape sequences and control characters: a task does not get to move our cursor.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def shown(output: Output | None) -> tuple[str, ...]:
    """The last lines of an output that is kept in the records; nothing of one that is too long for that."""
    if output is None or not output.size:
        return ()
    if output.data is None:
        return (Remark(f"({output.size} bytes of {output.stream}: see {_logs(output)})"),)
    text = output.data[-_BYTES:].decode("utf-8", "replace").replace("\r\n", "\n").expandtabs()
    lines = [legible(line) for line in text.rstrip("\n").split("\n")]
    if len(lines) > _LINES or len(output.data) > _BYTES:
        hidden = f"(the last {min(len(lines), _LINES)} lines of {output.stream}; all of it: {_logs(output)})"
        return (Remark(hidden), *lines[-_LINES:])
    return tuple(lines)


def legible(line: str) -> str:
    """What of a line may be shown."""
    return _CONTROL.sub("", line)[:_WIDTH]


def _logs(output: Output) -> str:
    """The command that prints it."""
    stream = " --stderr" if output.stream == "stderr" else ""
    return f"`ebbtide logs {output.parent_id} {output.id}{_OPTIONS[output.owner]}{stream}`"

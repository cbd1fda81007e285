"""Starting one execution: its folders, its output files, its process. One posix_spawn, no fork, no shell."""

from __future__ import annotations

import errno
import os
import signal
import time

from . import clock, fetch
from .confine import PathRefused, directory, parts_of
from .outcome import MAX_INLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

_OUTPUT = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_RESET = [
    getattr(signal, name)
    for name in ("SIGPIPE", "SIGHUP", "SIGINT", "SIGTERM", "SIGCHLD", "SIGXFSZ")
    if hasattr(signal, name)
]
_FULL = (errno.ENOSPC, errno.EDQUOT)
_programs: dict[tuple[str, str], str] = {}


class LaunchError(Exception):
    """`code` as Azure Batch names the failures of a task that did not start."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Execution:
    """One attempt to run one command line, from its start to its outcome. Deadlines are monotonic seconds."""

    def __init__(self, message: Message) -> None:
        self.id: str = message["id"]
        self.argv: list[str] = message["argv"]
        self.resources: list[Message] = message.get("resources") or []
        self.startup = message.get("kind") == "startup"
        self.dir: str = message["dir"]
        self.slots = int(message.get("slots", 1))
        self.inline = min(int(message.get("inline", 65536)), MAX_INLINE)
        self.grace = float(message.get("grace", 5.0))
        wall = message.get("wall")
        self.wall_at = None if wall is None else time.monotonic() + float(wall)
        self.start = clock.now()
        self.pid = 0
        self.outputs: tuple[int, int] | None = None
        self.killed = False
        self.timeout = False
        self.kill_at: float | None = None  # from when on everything gets SIGKILL
        self.give_up_at: float | None = None  # until when left-over processes are waited for
        self.status: int | None = None  # wait status of the main process, once it has ended
        self.usage: dict[str, float] | None = None


def _enter(root: str, path: str) -> None:
    """Makes the folder and its wd, and changes into wd. getcwd shows what a link would have hidden."""
    parts = parts_of(path)
    parent = "/".join([root, *parts[:-1]])
    try:
        os.chdir(parent)
    except FileNotFoundError:
        os.close(directory(root, parts[:-1], create=True))
        os.chdir(parent)
    if os.getcwd() != parent:
        raise PathRefused(f"{path!r} is reached through a link")
    name = parts[-1]
    try:
        os.mkdir(name, 0o755)
    except FileExistsError:
        pass
    try:
        os.mkdir(name + "/wd", 0o755)
    except FileExistsError:
        pass
    os.chdir(name + "/wd")
    if os.getcwd() != f"{parent}/{name}/wd":
        raise PathRefused(f"{path!r} is reached through a link")


def _find(program: str, path: str) -> str:
    """Where `program` is, as a shell would look it up. Raises FileNotFoundError."""
    if "/" in program:
        return program
    known = _programs.get((program, path))
    if known is not None:
        return known
    for folder in path.split(":"):
        candidate = "{}/{}".format(folder or ".", program)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            if folder.startswith("/"):
                _programs[program, path] = candidate
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)


def _spawn(argv: list[str], env: dict[str, str], outputs: tuple[int, int]) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, outputs[0], 1),
        (os.POSIX_SPAWN_DUP2, outputs[1], 2),
    ]
    path = env.get("PATH", os.defpath)
    program = _find(argv[0], path)
    try:
        return os.posix_spawn(program, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_RESET)
    except FileNotFoundError:
        if _programs.pop((argv[0], path), None) is None:
            raise
        return _spawn(argv, env, outputs)  # it has moved since it was looked up


def _refusal(error: Exception, place: str, code: str) -> LaunchError:
    if isinstance(error, OSError):
        if error.errno in _FULL:
            code = "DiskFull"
        return LaunchError(code, f"{place}: {os.strerror(error.errno or 0)}")
    return LaunchError(code, f"{place}: {error}")


def launch(root: str, execution: Execution, env: dict[str, str]) -> None:
    """Starts it: sets `pid` and `outputs`. Raises LaunchError, and then nothing runs and nothing is open."""
    try:
        _enter(root, execution.dir)
    except (OSError, PathRefused, ValueError) as error:
        raise _refusal(error, f"cannot make the folder {execution.dir!r}", "ResourceDirectoryCreateFailed") from error
    argv = execution.argv
    opened = []
    try:
        opened.append(os.open("../stdout.txt", _OUTPUT, 0o644))
        opened.append(os.open("../stderr.txt", _OUTPUT, 0o644))
        outputs = (opened[0], opened[1])
        if execution.resources:
            _remove(fetch.FAILURE)  # of an earlier attempt
    except OSError as error:
        for fd in opened:
            os.close(fd)
        raise _refusal(
            error, f"cannot make the output files in {execution.dir!r}", "ResourceFileCreateFailed"
        ) from error
    try:
        if not argv:
            raise LaunchError("CommandLaunchFailed", "the command line is empty")
        if execution.resources:
            argv = fetch.wrap(execution.resources, argv)
        execution.pid = _spawn(argv, env, outputs)
    except LaunchError:
        _close(outputs)
        raise
    except FileNotFoundError as error:
        _close(outputs)
        raise LaunchError(
            "CommandProgramNotFound",
            f"{argv[0][:100]!r} was not found: install it on the node, by its start task or in its image, "
            f"or give its full path (PATH={env.get('PATH', '')})",
        ) from error
    except PermissionError as error:
        _close(outputs)
        raise LaunchError("CommandLaunchFailed", f"{argv[0]!r} may not be executed: set its x bit") from error
    except (OSError, ValueError, TypeError) as error:
        _close(outputs)
        if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
            raise LaunchError(
                "CommandLaunchFailed", f"{argv[0]!r} is neither a program nor a script with a '#!' line"
            ) from error
        raise _refusal(error, f"cannot start {argv[0]!r}", "CommandLaunchFailed") from error
    execution.outputs = outputs


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _close(outputs: tuple[int, int]) -> None:
    os.close(outputs[0])
    os.close(outputs[1])

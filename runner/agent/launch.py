"""Starting one execution: its folders, its output files, its process. One posix_spawn, no fork, no shell."""

from __future__ import annotations

import errno
import os
import signal
import time

from . import clock, fetch, places
from .confine import PathRefused
from .identity import Identity, UserUnavailable, spawned_as
from .outcome import MAX_INLINE
from .trees import clear_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

_RESET = [
    getattr(signal, name)
    for name in ("SIGPIPE", "SIGHUP", "SIGINT", "SIGTERM", "SIGCHLD", "SIGXFSZ")
    if hasattr(signal, name)
]
_FULL = (errno.ENOSPC, errno.EDQUOT)
_programs: dict[tuple[str, str, str], str] = {}
#: What an execution is at: its coordination command, waiting for word to go on, its command, removing its container,
#: bringing files away.
COORDINATES, WAITS, RUNS, REMOVES, UPLOADS = "coordinates", "waits", "runs", "removes", "uploads"


class LaunchError(Exception):
    """`code` as Azure Batch names the failures of a task that did not start."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Execution:
    """One attempt to run one command line, from its start to its outcome. Deadlines are monotonic seconds."""

    def __init__(self, message: Message, grace: float) -> None:
        self.id: str = message["id"]
        self.argv: list[str] = message["argv"]
        self.resources: list[Message] = message.get("resources") or []
        self.outputs: list[Message] = message.get("outputs") or []
        self.checkpoint: Message | None = message.get("checkpoint")
        self.coordination: list[str] | None = message.get("coordination")
        self.kind: str = message.get("kind") or "task"
        self.startup = self.kind == "startup"
        self.container: Message | None = message.get("container")
        self.container_id: str | None = None  # known when it has ended
        self.own_env: dict[str, str] = message.get("env") or {}
        restores = self.checkpoint and self.checkpoint.get("restore")
        self.fetches = bool(self.resources or restores or self.container)
        self.dir: str = message["dir"]
        self.slots = int(message.get("slots", 1))
        self.inline = min(int(message.get("inline", 65536)), MAX_INLINE)
        self.grace = float(message.get("grace", grace))
        wall = message.get("wall")
        self.wall_at = None if wall is None else time.monotonic() + float(wall)
        self.start = clock.now()
        self.end: float | None = None
        self.who: Identity | None = None
        self.env: dict[str, str] = {}
        self.phase = RUNS if self.coordination is None else COORDINATES
        self.pid = 0
        self.folder = -1  # a descriptor of it, from its start to its outcome
        self.streams: tuple[int, int] | None = None  # stdout and stderr
        self.killed = False
        self.again = False  # it was killed to be run once more, here or elsewhere
        self.timeout = False
        self.kill_at: float | None = None  # from when on everything gets SIGKILL
        self.give_up_at: float | None = None  # until when left-over processes are waited for
        self.status: int | None = None  # wait status of the main process, once it has ended
        self.ran = True  # that was the command, and not what was to fetch its files
        self.error: dict[str, str] | None = None
        self.upload_pid = 0  # 0: it has ended, or there was none
        self.upload_status = 0
        self.upload_until = 0.0
        self.cut_at: float | None = None  # its end was asked for after its command had ended: until when it may upload
        self.disk_full = False  # when it ended
        self.usage: dict[str, float] | None = None


def _find(program: str, path: str, user: str) -> str:
    """Where `program` is, as a shell would look it up. Raises FileNotFoundError."""
    if "/" in program:
        return program
    known = _programs.get((program, path, user))
    if known is not None:
        return known
    for folder in path.split(":"):
        candidate = "{}/{}".format(folder or ".", program)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            if folder.startswith("/"):
                _programs[program, path, user] = candidate
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)


def _spawn(argv: list[str], env: dict[str, str], streams: tuple[int, int] | None, user: str) -> int:
    """`streams` None: what it prints is for nobody."""
    if streams is None:
        actions = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in range(3)]
    else:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, streams[0], 1),  # type: ignore[list-item]  # each action has a form of its own
            (os.POSIX_SPAWN_DUP2, streams[1], 2),  # type: ignore[list-item]
        ]
    path = env.get("PATH", os.defpath)
    program = _find(argv[0], path, user)
    try:
        return os.posix_spawn(program, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_RESET)
    except FileNotFoundError:
        if _programs.pop((argv[0], path, user), None) is None:
            raise
        return _spawn(argv, env, streams, user)  # it has moved since it was looked up


def spawn(
    execution: Execution, argv: list[str], env: dict[str, str], quiet: bool = False, own: bool = False
) -> int:
    """Starts a process of the execution in its working directory, which is the current one. `own`: with the rights of
    the supervisor. Raises LaunchError."""
    who = None if own else execution.who
    streams = None if quiet else execution.streams
    user = "" if who is None else "task" if who.private else who.name
    try:
        if not argv:
            raise LaunchError("CommandLaunchFailed", "the command line is empty")
        if who is None:
            return _spawn(argv, env, streams, user)
        return spawned_as(who, lambda: _spawn(argv, env, streams, user))
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, OSError):
            from .not_started import why

            told = why(error, argv[0], env.get("PATH", ""), None if who is None else who.name)
            if told is not None:
                raise LaunchError(*told) from error
        raise _refusal(error, f"cannot start {argv[0]!r}", "CommandLaunchFailed") from error


def _refusal(error: Exception, place: str, code: str) -> LaunchError:
    if isinstance(error, OSError):
        if error.errno in _FULL:
            code = "DiskFull"
        return LaunchError(code, f"{place}: {os.strerror(error.errno or 0)}")
    return LaunchError(code, f"{place}: {error}")


def reason(error: Exception) -> tuple[str, str]:
    """Code and message of what kept an execution from starting."""
    if isinstance(error, LaunchError):
        return error.code, str(error)
    if isinstance(error, UserUnavailable):
        return "UserIdentityUnavailable", str(error)
    if isinstance(error, (KeyError, TypeError, ValueError, OSError)):
        return "CommandLaunchFailed", f"the request to start it is bad: {error!r}"
    return "CommandLaunchFailed", f"it could not be started: {error!r}"


def _mode(execution: Execution) -> int:
    """Of the folder: what prepares a node is for all who run there, a task's is for its user."""
    if execution.kind != "task":
        return 0o755
    return 0o700 if execution.who is not None and execution.who.private else 0o750


def launch(root: str, base: dict[str, str], execution: Execution) -> None:
    """Starts it: sets `pid` and `streams`. `base`: the environment that is common to all. Raises LaunchError, and then
    nothing runs; see `close`."""
    who = execution.who
    try:
        instance = execution.coordination is not None
        execution.folder = places.enter(root, execution.dir, who, _mode(execution), instance=instance)
    except (OSError, PathRefused, ValueError) as error:
        raise _refusal(error, f"cannot make the folder {execution.dir!r}", "ResourceDirectoryCreateFailed") from error
    try:
        execution.streams = places.open_outputs(execution.folder, who)
        if execution.fetches:
            clear_name(fetch.FAILURE, execution.folder)  # of an earlier attempt
    except OSError as error:
        raise _refusal(
            error, f"cannot make the output files in {execution.dir!r}", "ResourceFileCreateFailed"
        ) from error
    argv, env = execution.argv if execution.coordination is None else execution.coordination, execution.env
    try:
        fetched = [*execution.resources, *_restored(execution)] if execution.fetches else []
        if execution.container:
            argv, env = _contained(root, base, execution, fetched)
        elif fetched and argv:
            argv, env = fetch.wrap(fetched, argv, env)
        execution.pid = spawn(execution, argv, env, own=bool(execution.container))
    except (TypeError, ValueError) as error:
        raise _refusal(error, "what is to be fetched cannot be read", "CommandLaunchFailed") from error


def _contained(
    root: str, base: dict[str, str], execution: Execution, fetched: list[Message]
) -> tuple[list[str], dict[str, str]]:
    from . import container
    from .container_options import OptionRefused

    try:
        return container.wrap(root, base, execution, fetched)
    except container.NoEngine as error:
        raise LaunchError("ContainerEngineNotFound", str(error)) from error
    except OptionRefused as error:
        raise LaunchError("ContainerInvalidSettings", f"containerRunOptions: {error}") from error


def _restored(execution: Execution) -> list[Message]:
    """What `fetch` is to put back of an earlier attempt."""
    saved = execution.checkpoint
    if saved is None or not saved.get("restore"):
        return []
    return [{**saved, "checkpoint": saved["url"], "path": f"../{places.CHECKPOINT}"}]


def close(execution: Execution) -> None:
    """Lets go of its folder and its output files."""
    for fd in (execution.folder, *(execution.streams or ())):
        if fd >= 0:
            os.close(fd)
    execution.folder, execution.streams = -1, None

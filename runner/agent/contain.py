"""`container`: brings files and the image to the node, then has the engine run the container, and ends as that ends.

It runs as the execution's own process, as the agent's user; resource files are fetched as the user of the command. What
it needs stands in its environment, like `fetch`'s. Why it came to nothing goes where `fetch` puts it.

SIGTERM is passed on through the engine: its own program would drop one that comes while the container starts.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys

from . import container, fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .wire import Message

HUB = "https://index.docker.io/v1/"  # what engines call Docker Hub in their files
# As Azure Batch names the failures of tasks in containers.
INVALID_IMAGE, INVALID_SETTINGS, MISC = "ContainerInvalidImage", "ContainerInvalidSettings", "ContainerMiscError"
_CONNECTED = ("--network", "--net")
_AGAIN = 0.2  # seconds until SIGTERM is passed on again to a container that does not run yet
_SAID = 1000  # characters of what the engine says that are passed on
# Exit codes by which engines tell that they, the command or its program have failed, if it is not the command's own.
_OF_ENGINES = (125, 126, 127)
_NEVER = "0001-01-01"  # when a container was started that was not
# What decides what the engine's program itself does; a value of several lines for these goes nowhere.
_ENGINES_OWN = re.compile(
    r"PATH|HOME|SHELL|USER|LOGNAME|TMPDIR|LANG(UAGE)?|LC_.*|LOCPATH|GCONV_PATH|ENV|IFS|PS4|SHELLOPTS|BASH.*|.*_PROXY|"
    r"(LD|GLIBC|MALLOC|XDG|DBUS|LISTEN|NOTIFY|NETAVARK|CNI|DOCKER|PODMAN|BUILDAH|CONTAINERS?|_CONTAINERS|EBBTIDE)_.*|"
    r"GO(DEBUG|GC|MAXPROCS|MEMLIMIT|ROOT|TRACEBACK|COVERDIR)|REGISTRY_AUTH_FILE|STORAGE_(DRIVER|OPTS)|SSL_CERT_.*|"
    r"SSH_AUTH_SOCK",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Unusable(Exception):
    """What the container is to be made of cannot be given to the engine."""


class PullFailed(Exception):
    """The image is not on the node, and could not be brought there."""


def run() -> None:
    """Does not return."""
    work = fetch.taken()
    folder = work["folder"]
    if work["resources"]:
        _fetch(work)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        env = {**os.environ, **signed_in(folder, work["registries"])}
        bring(work["engine"], work["image"], env)
        argv, more = _command(work)
        kill = [work["engine"], "kill", "--signal", "TERM", work["name"]]
        code, asked = _watch(argv, kill, env, {**env, **more})
        if code in _OF_ENGINES and not asked and not _started(work, env):
            _give_up(*_why(code, _said(), work["argv"]))
        sys.exit(code)
    except PullFailed as error:
        _give_up(INVALID_IMAGE, str(error))
    except Unusable as error:
        _give_up(INVALID_SETTINGS, str(error))
    except OSError as error:
        _give_up(MISC, f"the container cannot be prepared: {error}")


def _give_up(code: str, message: str) -> None:
    fetch.tell(fetch.FAILURE, code, message)
    sys.exit(1)


def _fetch(work: Message) -> None:
    """As the command's user, in a process of its own; ends this one if it fails."""
    argv, env = fetch.wrap(work["resources"], ["/bin/true"], work["fetch_env"])
    pid = os.fork()
    if not pid:
        try:
            if work["user"] is not None:
                uid, gid = work["user"]
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
            os.execve(argv[0], argv, env)
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(1)


def signed_in(folder: str, registries: list[Message]) -> dict[str, str]:
    """The variables by which either engine finds the credentials, which are written to the folder."""
    if not registries:
        return {}
    auths = {}
    for registry in registries:
        server = (registry.get("server") or HUB).rstrip("/")
        if server in ("docker.io", "index.docker.io", "registry-1.docker.io"):
            server = HUB
        elif server != HUB.rstrip("/"):
            server = server.partition("://")[2] or server
        else:
            server = HUB
        pair = "{}:{}".format(registry["username"], registry["password"]).encode()
        auths[server] = {"auth": base64.b64encode(pair).decode()}
    path = f"{folder}/{container.CREDENTIALS}"
    _write(path, json.dumps({"auths": auths}))
    return {"REGISTRY_AUTH_FILE": path, "DOCKER_CONFIG": folder}


def bring(engine: str, image: str, env: dict[str, str]) -> None:
    """Pulls the image, if it is not there. Raises PullFailed."""
    if not _ask([engine, "image", "inspect", "--format", "{{.Id}}", image], env)[0]:
        return
    code, said = _ask([engine, "pull", "--quiet", image], env)
    if code:
        last = said.rpartition("\n")[2][-_SAID:] or f"exit code {code}"  # before it stands what was tried
        raise PullFailed(f"the image {image!r} could not be pulled: {last}")


def _ask(argv: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    return done.returncode, done.stderr.decode("utf-8", "replace").strip()


def _watch(
    argv: list[str], term: list[str], env: dict[str, str], run_env: dict[str, str]
) -> tuple[int, bool]:
    """The exit code of `argv`, and whether SIGTERM came. `term` is run for each, again and again until it succeeds."""
    news = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, news)
    pid, term_pid, wanted, asked = _start(argv, run_env), 0, False, False
    while True:
        told = signal.sigtimedwait(news, _AGAIN if wanted else 60.0)
        wanted = wanted or (told is not None and told.si_signo == signal.SIGTERM)
        asked = asked or wanted
        if wanted and not term_pid:
            term_pid, wanted = _start(term, env, quiet=True), False
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                ended = 0
            if not ended:
                break
            if ended == pid:
                return (os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)), asked
            if ended == term_pid:
                term_pid, wanted = 0, wanted or bool(status)


def _started(work: Message, env: dict[str, str]) -> bool:
    """Has the command run? Not if there is no container."""
    argv = [work["engine"], "container", "inspect", "--format", "{{.State.StartedAt}}", work["name"]]
    done = subprocess.run(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return not done.returncode and not done.stdout.decode("ascii", "replace").startswith(_NEVER)


def _said() -> str:
    """The last line on our standard error, which is the engine's too: the command has written none."""
    try:
        size = os.fstat(2).st_size
        text = os.pread(2, _SAID, max(0, size - _SAID)).decode("utf-8", "replace").strip()
    except OSError:
        return "without a message"
    # before the hint where help is to be had
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith(("See '", "Run '"))]
    return lines[-1] if lines else "without a message"


def _why(code: int, said: str, argv: list[str]) -> tuple[str, str]:
    """Code and message of a container that has not come to run."""
    about_command = bool(argv) and argv[0] in said
    if code == 127 and about_command:
        return "CommandProgramNotFound", f"{argv[0][:100]!r} is not in the image: {said}"
    if code == 126 and about_command:
        return "CommandLaunchFailed", f"{argv[0][:100]!r} cannot be executed in the container: {said}"
    if code == 125 and ("unknown flag" in said or "unknown shorthand flag" in said or "invalid argument" in said):
        return INVALID_SETTINGS, f"the engine refuses containerRunOptions: {said}"
    return MISC, f"the engine could not run the container: {said}"


def _start(argv: list[str], env: dict[str, str], quiet: bool = False) -> int:
    """In a session of its own, so that signals for our group do not reach it."""
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)] if quiet else []
    return os.posix_spawn(argv[0], argv, env, file_actions=null, setsid=True, setsigmask=[])


def _command(work: Message) -> tuple[list[str], dict[str, str]]:
    """And what the engine's environment must hold beside. Raises Unusable."""
    folder, engine, options = work["folder"], work["engine"], work["options"]
    own: list[str] = ["--name", work["name"], "--cidfile", f"{folder}/{container.ID}", "--log-driver", "none"]
    if not any(option.partition("=")[0] in _CONNECTED for option in options):
        own += ["--network", "host"]  # the way back to the controller is a port of the node's loopback
    own += ["--security-opt", "label=disable"]
    if work["confined"]:  # a program of the image that is root's makes nobody root
        own += ["--security-opt", "no-new-privileges", "--cap-drop", "ALL"]
    for path, mode in work["mounts"]:
        own += ["--volume", f"{path}:{path}:{mode}"]
    if work["directory"] is not None:
        own += ["--workdir", work["directory"]]
    own += ["--user", _user(engine, work["user"])]
    options_of_variables, more = _variables(f"{folder}/{container.VARIABLES}", work["variables"])
    return [engine, "run", *own, *options_of_variables, *options, work["image"], *work["argv"]], more


def _user(engine: str, user: Any) -> str:
    """Who is, inside, whom the command would be outside. Without root, podman's root is who started it."""
    if user is not None:
        return "{}:{}".format(*user)
    if os.getuid() and engine.endswith("/podman"):
        return "0:0"
    return f"{os.getuid()}:{os.getgid()}"


def _variables(path: str, variables: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Options that set them, and what the engine's environment must hold for that: all can read command lines, so they
    are in a file, and those that it cannot hold, of several lines, in the environment. Raises Unusable."""
    lines, options, more = [], [], {}
    for name, value in variables.items():
        if "\n" not in value and "\r" not in value and not name.startswith("#"):
            lines.append(f"{name}={value}\n")
        elif _NAME.match(name) and not _ENGINES_OWN.fullmatch(name):
            options += ["--env", name]
            more[name] = value
        else:
            raise Unusable(f"the variable {name[:100]!r} of several lines cannot be given to a container: use one line")
    _write(path, "".join(lines))
    return ["--env-file", path, *options], more


def _write(path: str, text: str) -> None:
    """To a file that only we can read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def prefetch(root: str, base: dict[str, str], message: Message) -> None:
    """Brings the `images` of a message to the node; `base`: environment of the engine. Raises PullFailed, OSError;
    NoEngine unless it is `patient`: then a start task may yet bring the engine, and the images come with the first
    tasks."""
    try:
        engine = container.engine(base.get("PATH", os.defpath))
    except container.NoEngine:
        if message.get("patient"):
            return
        raise
    folder = container.folder_of(root, "images")
    os.makedirs(folder, 0o700, exist_ok=True)
    try:
        env = {**base, **signed_in(folder, message.get("registries") or [])}
        for image in message["images"]:
            bring(engine, image, env)
    finally:
        container.forget(root, "images")

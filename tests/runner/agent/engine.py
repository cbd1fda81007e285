"""Podman for tests: a tiny image, and the environment in which podman runs containers where it may do little."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Environment = dict[str, Any]
IMAGE = "localhost/ebbtide-test:1"
_CONF = """\
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
[containers]
default_ulimits=["nofile=1024:1024","nproc=1024:1024"]
"""
_TOOLS = ("cat", "echo", "env", "id", "kill", "ls", "pwd", "sh", "sleep", "touch", "true")


@cache
def _unusable(conf: str) -> str | None:
    """Why there is no podman to test with; None: it runs containers of IMAGE."""
    missing = [name for name in ("podman", "runc", "busybox") if shutil.which(name) is None]
    if missing or os.getuid():
        return f"needs root and podman, runc and busybox-static ({', '.join(missing) or 'not root'})"
    env = {**os.environ, "CONTAINERS_CONF": conf}
    if subprocess.run(["podman", "image", "exists", IMAGE], env=env, check=False).returncode:
        root = Path(conf).parent / "image"
        (root / "bin").mkdir(parents=True)
        shutil.copy(str(shutil.which("busybox")), root / "bin/busybox")
        for name in _TOOLS:
            (root / "bin" / name).symlink_to("busybox")
        (root / "tmp").mkdir(mode=0o777)
        tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True).stdout
        done = subprocess.run(["podman", "import", "-", IMAGE], env=env, input=tar, capture_output=True, check=False)
        if done.returncode:
            return f"podman cannot import an image: {done.stderr.decode()}"
    done = subprocess.run(
        ["podman", "run", "--rm", "--network", "host", IMAGE, "true"], env=env, capture_output=True, check=False
    )
    return f"podman cannot run a container here: {done.stderr.decode()}" if done.returncode else None


def podman(factory: pytest.TempPathFactory) -> Environment:
    """The environment for podman. Skips where it cannot run containers."""
    conf = factory.getbasetemp() / "containers.conf"
    if not conf.exists():
        conf.write_text(_CONF)
    why = _unusable(str(conf))
    if why is not None:
        pytest.skip(why)
    return {"CONTAINERS_CONF": str(conf)}


def containers() -> set[str]:
    """Names of all that podman knows of."""
    done = subprocess.run(["podman", "ps", "-a", "--format", "{{.Names}}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


#: Stands in for an engine where what matters is how it is called: writes its arguments down, and knows no image.
FAKE = """\
#!/bin/sh
LOG=${0%/*}/log
printf '%s\\n' "$*" >> "$LOG"
[ -n "$REGISTRY_AUTH_FILE" ] && cat "$REGISTRY_AUTH_FILE" >> "$LOG"
case "$1 $2" in
"image inspect") [ -e "$LOG.$(echo "$5" | tr / _)" ] || exit 1 ;;
"pull --quiet")
    case "$3" in *nosuch*) echo "no such image: $3" >&2; exit 125 ;; esac
    : > "$LOG.$(echo "$3" | tr / _)" ;;
"container inspect") exit 1 ;;
"run --name") [ -e "$LOG.fails" ] && { echo "Error: $(cat "$LOG.fails")" >&2; exit 125; } ;;
esac
"""


def fake_engine(folder: Path, name: str = "podman") -> Environment:
    """The environment in which it is the only engine."""
    folder.mkdir()
    for tool in ("python3", "sh", "cat", "env", "tr", "true"):
        os.symlink(str(shutil.which(tool)), folder / tool)
    (folder / name).write_text(FAKE)
    (folder / name).chmod(0o755)
    return {"PATH": str(folder)}

"""Starting the qemu of one VM, so that it outlives whoever starts it, and finding it again.

    <base>/<vm name>/vm.json, node.json, end.json   as of local nodes (see ../local/record.py)
                     start.lock    held while the VM is started: there is never a second one
                     disk.qcow2    what the VM has written; the image below it stays as it is
                     seed.iso      what cloud-init reads
                     qemu.pid      by qemu itself, while it runs
                     console.txt   what the VM printed

qemu carries the marker of local nodes in its environment from its first instruction on, and opens its files
by their whole paths: whoever renames the directory away and then ends what carries the marker has ended the VM, also if
it was just about to start.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import CapacityError, InvalidRequestError, ProviderError, TransientError
from ..local.machine_driver import ADDRESS
from ..local.record import NODE_FILE, REBOOT_FILE, NodeRecord, read, write
from ..processes import MARKER, boot_id, look_up, marker_of
from ..sweep import StubbornProcessesError, end_all
from .accelerator import Accelerator
from .seed import write_seed
from .settings import GuestImage, GuestSize

CONSOLE = "console.txt"
_PID = "qemu.pid"
_WITHIN = 60.0  # seconds until qemu has opened everything and gone into the background
_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp


@dataclass(frozen=True)
class Guest:
    """What is to run. `script`: what it runs at first. `host_key`: the public one, pinned."""

    name: str
    image: GuestImage
    size: GuestSize
    script: str
    accelerator: Accelerator
    restrict: bool
    user: str
    host_key: str


def start(path: Path, guest: Guest, program: str) -> None:
    """Start the VM of the directory `path`, or find it if it was started before.

    Raises CapacityError, InvalidRequestError (the image cannot be used), ProviderError, TransientError;
    FileNotFoundError if the VM is being destroyed.
    """
    with open(path / "start.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if read(path / NODE_FILE, NodeRecord) is not None:
            return
        node = _running(path, guest)
        if node is None:
            _end_halves(guest.name)
            if not (path / REBOOT_FILE).exists():  # a VM that starts anew keeps what it has
                write_seed(path / "seed.iso", guest.name, guest.script)
                if guest.image.disk is not None:
                    _make_disk(path / "disk.qcow2", guest.image.disk, guest.size, guest.name)
            _run(_command(path, guest, program), guest.name)
            node = _running(path, guest)
        if node is None:
            raise TransientError(f"VM {guest.name}: qemu ended as soon as it ran; {last_words(path)}")
        write(path / NODE_FILE, node)
        (path / REBOOT_FILE).unlink(missing_ok=True)


def _running(path: Path, guest: Guest) -> NodeRecord | None:
    """The VM's qemu, if one runs that has gone into the background. That is the last it does, and then it lets go of
    the standard error it was started with; before, it has a port already and may yet fail (memory, kernel)."""
    try:
        pid = int((path / _PID).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    row = look_up(pid)
    if row is None or marker_of(pid) != guest.name:
        return None
    port = _port(pid)
    if port is None or not _in_background(pid):
        return None
    return NodeRecord(pid, row.id.start, boot_id(), guest.user, port, guest.host_key)


def _in_background(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/fd/2") == os.devnull
    except OSError:  # it has ended
        return False


def _port(pid: int) -> int | None:
    """The one TCP port that the process listens at."""
    inodes = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            target = os.readlink(entry.path)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:  # it has ended
        return None
    ports = [int(row[1].partition(":")[2], 16) for row in rows if row[3] == _LISTENING and row[9] in inodes]
    return ports[0] if ports else None


def _end_halves(name: str) -> None:
    """End what a controller has started that did not live to see it run."""
    try:
        end_all(name.__eq__)
    except StubbornProcessesError as exc:
        raise TransientError(f"VM {name}: {exc}") from exc


def _command(path: Path, guest: Guest, program: str) -> list[str]:
    restrict = "on" if guest.restrict else "off"
    command = [
        program, "-name", guest.name, "-machine", "q35", *guest.accelerator.arguments,
        "-smp", str(guest.size.cpus), "-m", str(guest.size.memory),
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-daemonize", "-pidfile", str(path / _PID),
        "-chardev", f"file,id=console,path={_plain(path / CONSOLE)}", "-serial", "chardev:console",
        "-device", "virtio-rng-pci",
        # port 0: the kernel picks a free one as qemu binds it, so that no two can want the same
        "-netdev", f"user,id=net,restrict={restrict},hostfwd=tcp:{ADDRESS}:0-:22",
        "-device", "virtio-net-pci,netdev=net,romfile=",
    ]  # fmt: skip
    image = guest.image
    if image.disk is not None:  # nothing on it outlives the VM, so nothing is ever flushed
        disk = _plain(path / "disk.qcow2")
        command += ["-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe,discard=unmap"]
    command += ["-drive", f"file={_plain(path / 'seed.iso')},format=raw,if=virtio,readonly=on"]
    if image.kernel is not None:
        command += ["-kernel", str(image.kernel), "-append", image.append]
        command += ["-initrd", str(image.initrd)] if image.initrd is not None else []
    return command


def _plain(path: Path) -> str:
    """As the value of one of qemu's options, which commas would end."""
    return str(path).replace(",", ",,")


def _make_disk(disk: Path, image: Path, size: GuestSize, name: str) -> None:
    known = json.loads(_run(["qemu-img", "info", "-U", "--output=json", str(image)], name))
    wanted = max(int(known["virtual-size"]), int(size.disk * (1 << 30)))
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", str(known["format"]), "-b", str(image)]
    _run([*command, str(disk), str(wanted)], name)


def _run(command: list[str], name: str) -> str:
    """What it printed. Raises CapacityError, InvalidRequestError, ProviderError, TransientError."""
    kept = {key: os.environ[key] for key in ("HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR") if key in os.environ}
    try:
        ended = subprocess.run(
            command,
            cwd="/",
            env={**kept, "LC_ALL": "C", MARKER: name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,  # Ctrl-C at the controller's terminal is not meant for it
            timeout=_WITHIN,
            check=False,
        )
    except FileNotFoundError as exc:
        raise InvalidRequestError(f"VM {name}: there is no {command[0]} here; {cure_for(command[0])}") from exc
    except subprocess.TimeoutExpired as exc:
        raise TransientError(f"VM {name}: {command[0]} took longer than {_WITHIN:g} s") from exc
    if ended.returncode != 0:
        raise _refusal(name, ended.stderr.decode(errors="replace").strip() or f"{command[0]}: {ended.returncode}")
    return ended.stdout.decode(errors="replace")


def cure_for(program: str) -> str:
    package = "qemu-utils" if "img" in program else "qemu-system-x86"
    return f"install it (Debian and Ubuntu: apt-get install {package})"


def _refusal(name: str, said: str) -> ProviderError:
    text = f"VM {name}: {said[-500:]}"
    if "annot allocate memory" in said or "annot set up guest memory" in said or "No space left" in said:
        return CapacityError(f"{text}; make room on this machine, or use fewer or smaller VMs")
    if "ould not open" in said or "ould not load" in said or "could not read" in said or "No such file" in said:
        return InvalidRequestError(f"{text}; correct the image in the provider's settings")
    return ProviderError(text)


def console(path: Path, most: int = 64 * 1024) -> str | None:
    """The last of what the VM printed."""
    try:
        with open(path / CONSOLE, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read().decode(errors="replace")
    except OSError:
        return None


def last_words(path: Path) -> str:
    """The last line on the console, in one sentence."""
    lines = ["".join(filter(str.isprintable, line)).strip() for line in (console(path, 4096) or "").splitlines()]
    said = next((line for line in reversed(lines) if line), None)
    return f"the last on its console: {said[-300:]}" if said else "its console is empty"

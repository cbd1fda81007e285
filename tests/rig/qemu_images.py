"""Images for real VMs, made of this machine's own programs and a distribution's kernel, and kept in the user's cache.

`tiny_image` boots under emulation in seconds: kernel, RAM disk, OpenSSH. `debian_image` is a Debian with Python on
a disk, for everything that a node does. Both read a seed as cloud-init does. Nothing is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from . import initramfs, qemu_guest
from .initramfs import Initramfs, in_order

_KERNEL = "linux-image-cloud-amd64"
_MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "virtio-rng", "isofs"]
#: The clock: emulated on a busy machine, the processor's own counter is measured wrong and runs fast.
_APPEND = "console=ttyS0 quiet panic=-1 random.trust_cpu=on clocksource=acpi_pm"
_SERVER = ("/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/usr/lib/openssh/sftp-server")
_BUSYBOX = "/bin/busybox"
_RELEASE = "bookworm"
_KEPT = 86400.0  # seconds that an image of another version of these files is kept, for it may be in use

Image = dict[str, str]  # as the setting `images` of the provider qemu has it


def unavailable() -> str | None:
    """Why no VM can be started here, and the cure; None if one can."""
    if os.uname().machine != "x86_64":
        return f"the test VMs are for x86_64, and this is {os.uname().machine}"
    missing = [
        package
        for package, there in {
            "qemu-system-x86": shutil.which("qemu-system-x86_64"),
            "busybox-static": _static(_BUSYBOX),
            "openssh-server": all(os.access(program, os.R_OK) for program in _SERVER),
        }.items()
        if not there
    ]
    if missing:
        return f"{', '.join(missing)} not installed (cure: apt-get install {' '.join(missing)})"
    try:
        tiny_image()
    except ImageError as exc:
        return str(exc)
    return None


def unavailable_debian() -> str | None:
    """The same for `debian_image`, which takes a minute to make once."""
    if reason := unavailable():
        return reason
    missing = [
        package
        for package, program in (("debootstrap", "debootstrap"), ("e2fsprogs", "mke2fs"), ("qemu-utils", "qemu-img"))
        if not _which(program)
    ]
    if missing:
        return f"{', '.join(missing)} not installed (cure: apt-get install {' '.join(missing)})"
    if os.geteuid() != 0:
        return "making the Debian image needs root"
    try:
        debian_image()
    except ImageError as exc:
        return str(exc)
    return None


class ImageError(Exception):
    """An image could not be made."""


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def _static(program: str) -> bool:
    if not os.access(program, os.X_OK):
        return False
    return "not a dynamic executable" in _output(["ldd", program], check=False)


def _output(command: list[str], cwd: Path | None = None, check: bool = True) -> str:
    run = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )  # fmt: skip
    if check and run.returncode != 0:
        raise ImageError(f"{' '.join(command[:3])}: {run.stdout.strip()[-300:]}")
    return run.stdout


@cache
def tiny_image() -> Image:
    """Raises ImageError."""
    kernel = _kernel()
    made = _cached("tiny", [_sources(), kernel.name, *(_stamp(program) for program in (*_SERVER, _BUSYBOX))], _tiny)
    return {"kernel": str(kernel / "vmlinuz"), "initrd": str(made / "initrd"), "append": _APPEND}


@cache
def debian_image() -> Image:
    """Raises ImageError."""
    disk = _cached("debian", [_RELEASE, qemu_guest.NODE_INIT, qemu_guest.POWEROFF], _debian) / "disk.raw"
    return {**tiny_image(), "disk": str(disk)}


def _sources() -> str:
    return "".join(Path(str(module.__file__)).read_text() for module in (initramfs, qemu_guest))


def _stamp(path: str) -> str:
    status = os.stat(path)
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _cached(kind: str, key: list[str], make: Callable[[Path], None]) -> Path:
    """The folder of that kind and key, made once whoever asks first; the others wait. Old ones are removed."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ebbtide-tests"
    home.mkdir(parents=True, exist_ok=True)
    folder = home / f"{kind}-{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}"
    with open(home / f".{kind}.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = home / f".{kind}.half"
            long_ago = time.time() - _KEPT
            for old in (half, *(each for each in home.glob(f"{kind}-*") if each.stat().st_mtime < long_ago)):
                shutil.rmtree(old, ignore_errors=True)
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder


@cache
def _kernel() -> Path:
    """A folder with `vmlinuz` and `modules`, out of the distribution's package; it is not installed."""
    try:
        return _known_kernel()
    except ImageError:
        if os.geteuid() != 0:
            raise
        _output(["apt-get", "update", "-qq"])  # the lists are not there, or too old
        return _known_kernel()


def _known_kernel() -> Path:
    depends = _output(["apt-cache", "depends", "--important", _KERNEL], check=False)
    packages = [line.split()[1] for line in depends.splitlines() if "Depends: linux-image" in line]
    if not packages:
        raise ImageError(f"apt does not know {_KERNEL} (cure: apt-get update)")
    return _cached("kernel", [packages[0]], lambda folder: _fetch_kernel(packages[0], folder))


def _fetch_kernel(package: str, folder: Path) -> None:
    _output(["apt-get", "download", "-q", package], cwd=folder)
    [archive] = folder.glob("*.deb")
    _output(["dpkg-deb", "-x", str(archive), str(folder / "tree")])
    [kernel] = (folder / "tree/boot").glob("vmlinuz-*")
    kernel.rename(folder / "vmlinuz")
    [modules] = (folder / "tree").rglob("lib/modules/*")
    (folder / "modules").mkdir()
    for module in in_order(modules, _MODULES):
        shutil.copy(module, folder / "modules")
    order = [module.stem for module in in_order(modules, _MODULES)]
    (folder / "modules/order").write_text("\n".join(order) + "\n")
    shutil.rmtree(folder / "tree")
    archive.unlink()


def _tiny(folder: Path) -> None:
    tree = Initramfs()
    for path in ("dev", "proc", "sys", "run", "tmp", "new", "seed", "root", "var/log", "var/tmp", "usr/local/sbin"):
        tree.folder(path)
    tree.program(_BUSYBOX)
    for applet in _output([_BUSYBOX, "--list"]).split():
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    for program in _SERVER:
        tree.program(program)
    tree.file("init", qemu_guest.INIT, 0o755)
    tree.file("sbin/node-init", qemu_guest.NODE_INIT, 0o755)
    tree.file("sbin/poweroff", qemu_guest.POWEROFF, 0o755)
    tree.file("bin/poweroff", qemu_guest.POWEROFF, 0o755)
    tree.file("etc/ssh/sshd_config", qemu_guest.SSHD_CONFIG)
    _output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")])
    tree.file("etc/ssh/ssh_host_ed25519_key", (folder / "key").read_bytes(), 0o600)
    for path, text in qemu_guest.ACCOUNTS.items():
        tree.file(path, text)
    for module in sorted((_kernel() / "modules").iterdir()):
        tree.file(f"modules/{module.name}", module.read_bytes())
    (folder / "initrd").write_bytes(tree.archive())


def _debian(folder: Path) -> None:
    root, disk = folder / "root", folder / "disk.raw"
    packages = "--include=openssh-server,python3"
    _output([_which("debootstrap") or "debootstrap", "--variant=minbase", packages, _RELEASE, str(root)])
    for path, text in (("sbin/node-init", qemu_guest.NODE_INIT), ("sbin/poweroff", qemu_guest.POWEROFF)):
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    shutil.copy(_BUSYBOX, root / "bin/busybox")
    shutil.rmtree(root / "var/cache/apt")
    shutil.rmtree(root / "var/lib/apt/lists")
    disk.touch()
    os.truncate(disk, 2 << 30)
    _output([_which("mke2fs") or "mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk)])
    shutil.rmtree(root)

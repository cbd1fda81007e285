"""Whether VMs run on the processor itself (KVM) or are emulated (TCG).

That /dev/kvm can be opened says little: on some rented machines guests crawl or stand still all the same. So a small
guest is run to its end once per boot of this machine: it counts to fifty million, which takes a processor
a few hundredths of a second, and emulation less than a second.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from ..processes import boot_id

log = logging.getLogger(__name__)

_KVM = "/dev/kvm"
_WITHIN = 10.0  # seconds for the guest to end; where KVM is not what it seems it takes a minute or for ever
_SECTORS = 16 * 1024  # of the guest's disk: firmware boots from none that is tiny

# The guest is one boot sector:
#   cli; xor ax,ax; mov ds,ax; lgdt [gdtr]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:protected
#   protected: mov ecx,50000000; again: dec ecx; jnz again      (32 bits)
#   mov dx,0x501; mov al,0x10; out dx,al                        (isa-debug-exit: qemu ends with 0x10 * 2 + 1)
#   stop: hlt; jmp stop
#   gdt: null, flat code; gdtr: 15, gdt
_GUEST = bytes.fromhex(
    "fa31c08ed80f01163c7c0f20c00c010f22c0ea177c0800b980f0fa024975fd66ba0105b010eef4ebfd8d7600"
    "0000000000000000ffff0000009acf000f002c7c0000"
)
DONE = 0x10 * 2 + 1
_TIMED_OUT = 124


@dataclass(frozen=True)
class Accelerator:
    name: str  # "kvm" or "tcg"
    why: str

    @property
    def arguments(self) -> list[str]:
        if self.name == "kvm":
            return ["-accel", "kvm", "-cpu", "host"]
        return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def choose(wanted: str, program: str, base: Path) -> Accelerator:
    """What VMs shall use; `wanted` is "auto", "kvm" or "tcg". What was found out is kept in `base` until the next boot.

    Raises OSError.
    """
    if wanted != "auto":
        return Accelerator(wanted, "the settings say so")
    if not os.access(_KVM, os.R_OK | os.W_OK):
        why = "is not open to this user (add them to its group)" if os.path.exists(_KVM) else "is not there"
        return Accelerator("tcg", f"{_KVM} {why}")
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = f"{boot_id()} {shutil.which(program)}"
    with open(base / ".accelerator.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = base / ".accelerator.json"
        found = _remembered(known, key)
        if found is None:
            found = _try_kvm(program, base)
            log.info("qemu: %s, for %s", found.name, found.why)
            new = known.with_suffix(".new")
            new.write_text(json.dumps({"key": key, **asdict(found)}), encoding="utf-8")
            new.replace(known)
    return found


def _remembered(file: Path, key: str) -> Accelerator | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Accelerator(str(data["name"]), str(data["why"])) if data["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _try_kvm(program: str, base: Path) -> Accelerator:
    code, said = run_through(Accelerator("kvm", ""), program, base)
    if code == DONE:
        return Accelerator("kvm", "a guest ran through")
    if code == _TIMED_OUT:
        return Accelerator("tcg", f"{_KVM} opens, but a guest did not get through little work in {_WITHIN:g} s")
    return Accelerator("tcg", f"{_KVM} opens, but a guest failed: {said[0] if said else code}")


def run_through(accelerator: Accelerator, program: str, base: Path) -> tuple[int, list[str]]:
    """Run the small guest; the exit code (DONE if it ran to its end), and the lines that qemu complained in."""
    disk = base / ".probe.img"
    file = str(disk).replace(",", ",,")
    command = [
        "timeout", f"{_WITHIN:g}",  # ends it also if this process does not live to do so
        program, *accelerator.arguments,
        "-machine", "q35", "-m", "32", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0x501,iosize=1", "-drive", f"file={file},format=raw,if=virtio",
    ]  # fmt: skip
    try:
        disk.write_bytes(_GUEST.ljust(510, b"\0") + b"\x55\xaa")
        os.truncate(disk, _SECTORS * 512)
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    finally:
        disk.unlink(missing_ok=True)
    return ended.returncode, ended.stderr.decode(errors="replace").strip().splitlines()

"""The disk from which cloud-init learns who the VM is and what to run: an ISO 9660 volume called `cidata` (NoCloud)."""

from __future__ import annotations

import io
import os
from pathlib import Path

from pycdlib.pycdlib import PyCdlib


def write_seed(path: Path, name: str, script: str) -> None:
    """`script`: run once, as root, at the first boot; it may hold secrets, so nobody else may read the file.

    Raises OSError.
    """
    volume = PyCdlib()
    volume.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="cidata")
    try:
        meta = f"instance-id: {name}\nlocal-hostname: {_host_name(name)}\n"
        for number, (file, text) in enumerate((("meta-data", meta), ("user-data", script))):
            data = text.encode()
            volume.add_fp(
                io.BytesIO(data), len(data), f"/FILE{number}.;1", rr_name=file, joliet_path=f"/{file}"
            )
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            volume.write_fp(out)
    finally:
        volume.close()


def _host_name(vm_name: str) -> str:
    """What may be a host name: letters, digits and hyphens, at most 63."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in vm_name.lower())
    return plain[-63:].strip("-")

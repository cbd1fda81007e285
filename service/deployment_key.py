"""The SSH key of a deployment: what its nodes let in, and what their host keys are made of."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class StateError(RuntimeError):
    """The state directory cannot be used; the message says why and what to do."""


class DeploymentKey:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._spare: Ed25519PrivateKey | None = None

    def lost(self) -> bool:
        return self._spare is None and not self._file.exists()

    def replace_for_now(self) -> None:
        """Another one takes its place in this process: for those who end what there is, and need none that nodes let
        in. Nothing is written: as long as there are nodes, the loss must be told."""
        self._spare = _new_key()

    def make(self, nodes: int) -> None:
        """Make the one that is lost, or never was. `nodes`: how many are there, which let in no other. Raises
        StateError."""
        if nodes:
            raise StateError(
                f"{self._file} is missing, the key that the nodes of this state let in ({nodes} on record); restore it "
                f"from a backup, or end them with `ebbtide down --state {shlex.quote(str(self._file.parent))}` (the "
                "next run makes another key then)"
            )
        key = _new_key()
        write_file(self._file.with_suffix(".pub"), f"{_public(key)} ebbtide\n".encode(), 0o600)
        write_file(self._file, _private(key).encode(), 0o600)

    def private(self) -> str:
        """In OpenSSH form. Raises StateError."""
        return _private(self._read())

    def public(self) -> str:
        """In OpenSSH form; "" if it is lost."""
        try:
            return self._file.with_suffix(".pub").read_text().strip()
        except FileNotFoundError:
            return "" if self.lost() else _public(self._read())

    def host_key_secret(self) -> bytes:
        """What the host keys of VMs are made of: 32 bytes that follow from the private key. Raises StateError."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derive = HKDF(hashes.SHA256(), length=32, salt=None, info=b"ebbtide host keys")
        return derive.derive(self._read().private_bytes_raw())

    def _read(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key

        if self._spare is not None:
            return self._spare
        try:
            key = load_ssh_private_key(self._file.read_bytes(), None)
        except (OSError, ValueError) as exc:
            raise StateError(f"{self._file} cannot be read ({exc}); restore it from a backup") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise StateError(f"{self._file} holds another key than ours; restore it from a backup")
        return key


def _new_key() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _private(key: Ed25519PrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PrivateFormat.OpenSSH
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _public(key: Ed25519PrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Write whole or not at all, and durably. Raises OSError, which names the path."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError as exc:
        with suppress(OSError):
            temporary.unlink()
        raise OSError(exc.errno, exc.strerror, str(path)) from exc

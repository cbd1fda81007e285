"""The state directory: everything that one deployment is, in one place.

    deployment   the id that every VM carries (text)
    lock         held by the controller that works on this state; holds its pid, and whether it is a server
    id_ed25519   the key that nodes let in (mode 600), id_ed25519.pub
    secret       what credentials of tasks and signed URLs are made of (mode 600)
    controller.sock  the HTTP side of the controller that works on this state
    ebbtide.db   the journal (SQLite)
    accounts.json    who may use the API, with which keys (mode 600)
    endpoint     where `ebbtide serve` listened last (JSON)
    certificate.pem, certificate-key.pem  of a server that vouches for itself
    providers.json   what the providers were opened with
    packages/    application packages     outputs/   what tasks printed
    storage/     blobs of storage://
    nodes/       local nodes              providers/   what other providers keep
    doors/       ports of nodes that lead back to the controller, other than the usual
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pools import Deployment

from .deployment_key import DeploymentKey, StateError, write_file
from .ids import new_secret

__all__ = ["NoState", "StateDirectory", "StateError", "StateInUse"]

_ID = re.compile(r"[0-9a-f]{12}\Z")
_SECRET = 32  # bytes


class NoState(StateError):
    """Nothing was ever run there."""


class StateInUse(StateError):
    """Another controller works on this state; `serves`: that of `ebbtide serve`."""

    def __init__(self, directory: Path, pid: str, serves: bool, instead: str) -> None:
        who = f"another ebbtide (pid {pid}) works on the state {directory}"
        super().__init__(
            f"{who}, and serves it (`ebbtide serve`); ask that server, or stop it (kill -TERM {pid}: its nodes and "
            f"tasks run on), {instead}"
            if serves
            else f"{who}; wait for it, or stop it (kill -INT {pid} lets its tasks end and its nodes go, a second one "
            f"leaves all as it is), {instead}"
        )
        self.pid = pid
        self.serves = serves


class StateDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = DeploymentKey(path / "id_ed25519")

    @property
    def database(self) -> Path:
        return self.path / "ebbtide.db"

    @property
    def database_url(self) -> str:
        # a URL: what means something in one (? and %) is quoted
        return f"sqlite:///{quote(str(self.database.resolve()))}"

    @property
    def packages(self) -> Path:
        return self.path / "packages"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    @property
    def storage(self) -> Path:
        return self.path / "storage"

    @property
    def doors(self) -> Path:
        return self.path / "doors"

    @property
    def nodes(self) -> Path:
        return self.path / "nodes"

    @property
    def providers_file(self) -> Path:
        return self.path / "providers.json"

    def of_provider(self, name: str) -> Path:
        """The directory of a provider that keeps records of its own."""
        return self.nodes if name == "local" else self.path / "providers" / name

    def exists(self) -> bool:
        return (self.path / "deployment").is_file()

    def check(self) -> None:
        """Raises StateError if the directory neither is there nor can be made."""
        place = self.path.absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise StateError(f"the state directory {self.path} cannot be made: {place} is no directory")

    def remember_providers(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep what the providers were opened with, so that `down` finds every VM without the settings of then."""
        text = json.dumps({**self.remembered_providers(), **options}, indent=1, sort_keys=True)
        path = self.providers_file
        if not path.exists() or path.read_text() != text:
            write_file(path, text.encode(), 0o600)

    def remembered_providers(self) -> dict[str, dict[str, Any]]:
        """The options of every provider that this state was ever worked on with. Raises StateError."""
        path = self.providers_file
        try:
            found: dict[str, dict[str, Any]] = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:
            raise StateError(f"{path} cannot be read ({exc}); restore it, or remove it and give --config") from None
        return found

    def require(self) -> None:
        """Raises StateError if nothing was ever run here."""
        if not self.exists():
            self._refuse_without_id()
            raise NoState(
                f"{self.path} holds no ebbtide state: `ebbtide serve` and `ebbtide run` make one; if there is one "
                "elsewhere, name it (--state DIR)"
            )

    def _refuse_without_id(self) -> None:
        """Records of VMs whose deployment nobody knows: with a new id they could neither be found nor ended."""
        if self.database.exists():
            raise StateError(
                f"{self.path / 'deployment'} is missing, but {self.database.name} is there; restore it: it holds the "
                "12 hexadecimal digits behind `ebbtide-` in the names of this state's VMs (`ebbtide reap --deployment` "
                "ends those VMs), or use another --state"
            )

    def create(self, new_id: Callable[[], str]) -> None:
        """Make the directory and its deployment id, as far as they are not there. Hold the lock.

        Raises StateError.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._shut()
            if not self.exists():
                self._refuse_without_id()
                write_file(self.path / "deployment", new_id().encode() + b"\n", 0o600)
        except OSError as exc:
            raise StateError(f"the state directory {self.path} cannot be made: {exc}") from None

    def _shut(self) -> None:
        """Nobody else gets in. Where we are root, tasks may run as other users: these may go through to the local
        nodes, and read nothing on their way."""
        if os.geteuid():
            os.chmod(self.path, 0o700)
            return
        for folder in (*self._private, self.nodes):
            folder.mkdir(mode=0o700, exist_ok=True)
        os.chmod(self.nodes, 0o711)
        for entry in self.path.iterdir():
            if entry != self.nodes and not entry.is_symlink():
                with suppress(FileNotFoundError):  # it was some other command's
                    entry.chmod(entry.stat().st_mode & 0o700)
        os.chmod(self.path, 0o711)

    @property
    def _private(self) -> tuple[Path, ...]:
        """Folders that are made when they are needed, and then for all to read."""
        return self.packages, self.outputs, self.storage, self.doors, self.path / "providers"

    def deployment(self) -> Deployment:
        """Who we are. Raises StateError if the state was tampered with."""
        text = (self.path / "deployment").read_text("ascii", "replace").strip()
        if not _ID.match(text):
            raise StateError(f"{self.path / 'deployment'} does not hold a deployment id; restore it from a backup")
        return Deployment(text, self.key.public())

    def secret(self, purpose: str) -> bytes:
        """32 bytes that only this deployment knows, others for each purpose. Made at the first call: credentials that
        were given out with a secret that is lost are refused, and nothing else is.

        Hold the lock. Raises StateError.
        """
        path = self.path / "secret"
        try:
            try:
                found = path.read_bytes()
            except FileNotFoundError:
                found = b""
            if len(found) != _SECRET:
                found = new_secret()
                write_file(path, found, 0o600)
        except OSError as exc:
            raise StateError(f"{path} can be neither read nor made: {exc}") from None
        return hmac.digest(found, purpose.encode(), "sha256")

    @contextmanager
    def lock(self, instead: str = "then give this command again", *, serving: bool = False) -> Iterator[None]:
        """Be the one controller of this state. Raises StateInUse, StateError. `instead`: what somebody may do who finds
        another controller there. `serving`: until a signal ends it.

        The lock is the kernel's: it ends with the process, however that ends.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise StateError(f"the state directory {self.path} cannot be used: {exc}") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, _, does = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip().partition(" ")
                raise StateInUse(self.path, pid or "unknown", does == "serves", instead) from None
            with suppress(OSError):  # a full disk: the pid is only for people, and `down` must work all the same
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}{' serves' if serving else ''}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

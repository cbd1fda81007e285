"""The node agent as one file: a zipapp, the same bytes for the same sources, and the command to start it."""

import hashlib
import io
import marshal
import shlex
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

_SOURCES = Path(__file__).parent / "agent"
_PACKAGE = "ebbtide_agent"
_ENTRY = f"from {_PACKAGE}.main import main\n\nmain()\n"
# The head of a .pyc that is never compared with its source. The code is marshalled by version 2: the later ones depend
# on how often an object happens to be referred to.
_UNCHECKED = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
_NOT_SHIPPED = {"loader.py"}
#: Exists while the script of the first boot runs (see providers/bootstrap.py).
BOOTING_FILE = "/run/ebbtide-booting"
_BOOTING = f"[ -e {BOOTING_FILE} ]"
#: Written by that script: this machine is a node and nothing else, so who may use sudo there becomes root.
MACHINE_FILE = "/etc/ebbtide-node"
_CAN_SUDO = f"[ -e {MACHINE_FILE} ] && sudo -n true </dev/null 2>/dev/null"
_MAY_BE_ROOT = f"if [ -O / ]; then :; elif {_CAN_SUDO}; then exec sudo -n "
_AWAIT_BOOT = f"{_BOOTING} && echo EBBTIDE booting; while {_BOOTING}; do sleep 0.2 || sleep 1; done"


@dataclass(frozen=True)
class AgentBundle:
    """`data`: the zipapp; `packed`: as it travels. `sha256`: its checksum in hex.

    `places`: where each module's source begins and ends in it, and where its compiled code does, for nodes whose Python
    is as this one; `zipimport` finds that as a .pyc beside the source.
    """

    data: bytes
    packed: bytes
    sha256: str
    places: dict[str, tuple[int, int, int, int]]

    @property
    def _name(self) -> str:
        """Of its file on a node, which knows by it whether it has it already."""
        return f"agent-{self.sha256[:16]}.pyz"

    def bootstrap(self, root: str) -> tuple[str, bytes]:
        """The one command line that brings the agent to life on a node, for any login shell, and what it wants on
        stdin first.

        It answers on stdout with a line `EBBTIDE have`, `EBBTIDE need` (then it wants `packed` on stdin) or
        `EBBTIDE refuse "<why>"`; after that the agent serves on the same channel. Before, there may be a line
        `EBBTIDE booting`: it waits for the end of the script of the first boot, which may be about to install Python.
        """
        arguments = (root, self._name, len(self.packed), zlib.crc32(self.data), self.places, MAGIC_NUMBER)
        calls = f"\nmain(*{arguments!a})\n{_ENTRY}"
        loader = (_SOURCES / "loader.py").read_bytes() + calls.encode()
        # -S: the agent needs nothing from site-packages, and importing site may cost more than all the rest.
        python = f'python3 -I -S -X utf8 -c "import sys;exec(sys.stdin.buffer.read({len(loader)}))" ebbtide-agent'
        return f"exec /bin/sh -c '{_AWAIT_BOOT}; {_as_root(python)}'", loader

    def files_command(self, root: str) -> str:
        """The command line of a file channel. The agent must have been brought to life before."""
        path = f"{root}/.ebbtide/{self._name}"
        python = f"python3 -I -S -X utf8 {shlex.quote(path)} files {shlex.quote(root)}"
        return f"exec /bin/sh -c {shlex.quote(_as_root(python))}"

    def logins_command(self, root: str) -> str:
        """The command line of runner/agent/logins.py. The agent must have been brought to life before."""
        path = f"{root}/.ebbtide/{self._name}"
        python = f"python3 -I -S -X utf8 {shlex.quote(path)} logins {shlex.quote(root)}"
        return f"exec /bin/sh -c {shlex.quote(_as_root(python))}"

    def door_command(self, root: str, port: int, wanted: Sequence[int]) -> str:
        """The command line of runner/agent/gate.py. The agent must have been brought to life before."""
        path = f"{root}/.ebbtide/{self._name}"
        ports = " ".join(map(str, (port, *wanted)))
        python = f"python3 -I -S -X utf8 {shlex.quote(path)} door {shlex.quote(root)} {ports}"
        return f"exec /bin/sh -c {shlex.quote(_as_root(python))}"


def _as_root(command: str) -> str:
    """Shell text that becomes the command: as root where the machine is a node alone and its user may do that."""
    return f"{_MAY_BE_ROOT}{command}; fi; exec {command}"


@cache
def agent_bundle() -> AgentBundle:
    """Built from the installed sources, once per process."""
    out = io.BytesIO()
    places = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", _ENTRY.encode())
        for source in sorted(_SOURCES.glob("*.py")):
            if source.name not in _NOT_SHIPPED:
                module = _PACKAGE if source.stem == "__init__" else f"{_PACKAGE}.{source.stem}"
                code = compile(source.read_bytes(), f"<{module}>", "exec", dont_inherit=True, optimize=0)
                places[module] = (
                    *_add(archive, f"{_PACKAGE}/{source.name}", source.read_bytes()),
                    *_add(archive, f"{_PACKAGE}/{source.name}c", _UNCHECKED + marshal.dumps(code, 2)),
                )
    data = out.getvalue()
    return AgentBundle(data, zlib.compress(data, 9), hashlib.sha256(data).hexdigest(), places)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> tuple[int, int]:
    """Where in the file its content, which is stored as it is, begins and ends."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    archive.writestr(entry, data)
    end: int = archive.start_dir
    return end - len(data), end

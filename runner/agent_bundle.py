"""The node agent as one file: a zipapp, the same bytes for the same sources, and the command to start it."""

import base64
import hashlib
import io
import json
import shlex
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SOURCES = Path(__file__).parent / "agent"
_PACKAGE = "ebbtide_agent"
_ENTRY = f"from {_PACKAGE}.main import main\n\nmain()\n"
_NOT_SHIPPED = {"loader.py"}


@dataclass(frozen=True)
class AgentBundle:
    """`data`: the zipapp. `sha256`: its checksum in hex, by which a node knows whether it has it already."""

    data: bytes
    sha256: str

    def bootstrap_command(self, root: str) -> str:
        """The one command line that brings the agent to life on a node, for any login shell.

        It answers on stdout with a line `EBBTIDE have`, `EBBTIDE need` (then it wants `data` on stdin) or
        `EBBTIDE refuse "<why>"`; after that the agent serves on the same channel.
        """
        arguments = _base64(json.dumps([root, self.sha256, len(self.data)]).encode())
        loader = _base64((_SOURCES / "loader.py").read_bytes())
        return f"exec python3 -I -c 'import base64;exec(base64.b64decode(\"{loader}\").decode())' {arguments}"

    def files_command(self, root: str) -> str:
        """The command line of a file channel. The agent must have been brought to life before."""
        path = f"{root}/.ebbtide/agent-{self.sha256[:16]}.pyz"
        return f"exec python3 -I -S -X utf8 {shlex.quote(path)} files {shlex.quote(root)}"


@cache
def agent_bundle() -> AgentBundle:
    """Built from the installed sources, once per process."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", _ENTRY.encode())
        for source in sorted(_SOURCES.glob("*.py")):
            if source.name not in _NOT_SHIPPED:
                _add(archive, f"{_PACKAGE}/{source.name}", source.read_bytes())
    data = out.getvalue()
    return AgentBundle(data, hashlib.sha256(data).hexdigest())


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    archive.writestr(entry, data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""Machines of an inventory: real OpenSSH servers on this machine, each with a home directory of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from providers import marked_processes

from ..static.sshd import USER, SshHost, make_key, unavailable
from .base import CloudUnderTest, files

HOSTS = 5


class StaticCloud(CloudUnderTest):
    kind = "static"
    low_priority = False
    preempts = False
    pinned = False  # the hosts have their own, which the inventory names
    size = "static"
    image = "static"
    sizes = frozenset({"static"})
    refused_size = "vmSize 'standard_a1'; it knows static"
    refused_image = "image 'windows'; it knows static"

    hosts: list[SshHost]

    @classmethod
    def unavailable(cls) -> str | None:
        return unavailable()

    def start(self) -> None:
        self.hosts = []
        folder = self.base.parent / "hosts"
        folder.mkdir()
        public = make_key(folder / "identity")
        self.identity = folder / "identity"
        for number in range(HOSTS):
            self.hosts.append(SshHost(folder / str(number), public))
            self.hosts[-1].up()

    def stop(self) -> None:
        for host in self.hosts:
            host.down()

    def settings(self) -> dict[str, Any]:
        return {
            "baseDir": str(self.base),
            "user": USER,
            "identityFile": str(self.identity),
            "minDiskMiB": 1,
            "hosts": [host.entry() for host in self.hosts],
        }

    def host(self, name: str) -> SshHost:
        """The one on which the VM is."""
        port = next(vm.port for vm in self.provider.list_owned() if vm.name == name)
        return next(host for host in self.hosts if host.port == port)

    def kept(self) -> object:
        return files(self.base, *(host.home for host in self.hosts)), [host.keys.read_bytes() for host in self.hosts]

    def disturb(self, name: str) -> bool:
        """The last host has a lease of the name too, as if a request of a controller that was killed had come through
        after the next one had chosen another host; and nothing is recorded of the others any more."""
        own = self.hosts[-1].home / ".ebbtide"
        lease = json.loads((self.host(name).home / ".ebbtide" / "lease.json").read_text())
        lease["root"] = str(own / "nodes" / name)
        lease["keys"] = str(self.hosts[-1].keys)
        Path(lease["root"]).mkdir(parents=True)
        (own / "lease.json").write_text(json.dumps(lease))
        for path in self.base.glob("*.json"):
            if path.stem != name:
                path.unlink()
        self.provider = self.reopen()  # hosts of which nothing is known are asked
        return True

    def inventory(self) -> list[str]:
        processes = [f"process {process.pid}" for process in marked_processes(self.deployment)]
        records = [str(path) for path in self.base.glob("*") if path.name != "lock"]
        return processes + records + [each for host in self.hosts for each in host.left()]

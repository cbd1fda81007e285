"""The host keys that VMs are given."""

import io
import subprocess
from pathlib import Path

import paramiko
import pytest

from providers import HostKeys


def test_a_key_is_the_same_each_time_and_another_for_each_vm_and_deployment():
    keys = HostKeys(bytes(32))
    assert keys.private("a") == HostKeys(bytes(32)).private("a")
    assert keys.public("a") == HostKeys(bytes(32)).public("a")
    assert len({keys.private("a"), keys.private("b"), HostKeys(b"1" * 32).private("a")}) == 3


def test_the_parts_belong_together_for_paramiko():
    keys = HostKeys(bytes(32))
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(keys.private("a")))
    assert f"{key.get_name()} {key.get_base64()}" == keys.public("a")


def test_the_parts_belong_together_for_openssh(tmp_path: Path):
    keys = HostKeys(bytes(32))
    for name in ("a", "vm-2", "x" * 100):
        path = tmp_path / name
        path.write_text(keys.private(name))
        path.chmod(0o600)
        told = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], capture_output=True, text=True, check=True)
        assert told.stdout.split()[:2] == keys.public(name).split()


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        HostKeys(bytes(31))

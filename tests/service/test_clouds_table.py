"""docs/clouds/README.md says of each driver what it says of itself."""

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers import HostKeys, open_provider
from service.provider_options import NOBODY

from .test_documents import DOCS

#: The columns of the table behind the driver's name.
COLUMNS = ("low_priority", "max_price", "subnets", "isolation", "console", "user_data")
HOST = {"address": "h", "user": "u", "hostKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "H" * 43}
#: As little as each driver can be opened with; nobody is asked.
OPTIONS: dict[str, dict[str, Any]] = {
    "ec2": {"region": "us-east-1", "accessKeyId": "a", "secretAccessKey": "b"},
    "gce": {"credentials": "key.json", "zones": ["z"], "image": "i", "size": "s"},
    "azure": {
        "tenantId": "t", "subscriptionId": "s", "clientId": "c", "clientSecret": "x", "resourceGroup": "g",
        "region": "r", "network": "n", "subnet": "d", "image": "a:b:c:d", "size": "s",
    },
    "openstack": {
        "endpoint": "http://127.0.0.1:1/v3", "username": "u", "password": "p", "project": "p", "region": "r",
        "image": "i", "size": "s",
    },
    "digitalocean": {"token": "t", "region": "fra1", "image": "i", "size": "s"},
    "static": {"baseDir": "static", "hosts": [HOST]},
    "qemu": {"baseDir": "qemu", "image": "d.img"},
    "local": {"baseDir": "local"},
}  # fmt: skip


def rows():
    text = (DOCS / "clouds" / "README.md").read_text(encoding="utf-8")
    for name, rest in re.findall(r"^\| \[?`([a-z0-9]+)`(?:\]\([a-z0-9.]+\))? \| (.*) \|$", text, flags=re.M):
        yield name, [cell.strip() for cell in rest.split("|")]


TABLE = {name: cells for name, cells in rows() if len(cells) == len(COLUMNS) + 1}


def test_every_driver_has_its_row():
    assert set(TABLE) == set(OPTIONS)


@pytest.mark.parametrize("driver", sorted(OPTIONS))
def test_what_a_driver_can_do(driver, tmp_path):
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"type": "service_account", "client_email": "a@b", "private_key": key.decode(), "project_id": "p"}
    (tmp_path / "key.json").write_text(json.dumps(account))
    (tmp_path / "d.img").write_bytes(b"x")
    files = ("baseDir", "credentials", "image") if driver == "qemu" else ("baseDir", "credentials")
    options = {name: str(tmp_path / it) if name in files else it for name, it in OPTIONS[driver].items()}
    can = open_provider(driver, options, NOBODY, host_keys=HostKeys(bytes(32))).capabilities()
    for name, cell in zip(COLUMNS, TABLE[driver], strict=False):
        # what depends on the settings is told as neither: "hosts that you say are", "with `restrict`"
        if cell == "no":
            assert not getattr(can, name), (name, cell)
        elif cell.startswith(("yes", "spot", "to try")):
            assert getattr(can, name), (name, cell)

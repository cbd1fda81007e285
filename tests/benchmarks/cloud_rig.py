"""The rig in a process of its own, so that what it takes of the processor is not what its callers take."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.rig import IMAGE, SIZE

REGION = "us-east-1"
USER = "admin"


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Its endpoint. `options`: of `python -m tests.rig serve`."""
    command = [sys.executable, "-m", "tests.rig", "serve", "--region", REGION, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as rig:
        try:
            assert rig.stdout is not None
            endpoint = rig.stdout.readline().strip()
            if not endpoint:
                raise RuntimeError("the rig does not start")
            yield endpoint
        finally:
            rig.terminate()


def settings(endpoint: str) -> dict[str, Any]:
    """Of a provider with driver ec2 that has all its VMs there."""
    return {
        "driver": "ec2",
        "region": REGION,
        "endpoint": endpoint,
        "accessKeyId": "testing",
        "secretAccessKey": "testing",
        "image": IMAGE,
        "size": SIZE,
        "sshUser": USER,
        "sshAddress": "private",
        "timeout": 300,
    }


def libcloud_driver(endpoint: str) -> Any:
    """libcloud's own."""
    from urllib.parse import urlsplit

    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import Provider

    at = urlsplit(endpoint)
    return get_driver(Provider.EC2)(
        "testing",
        "testing",
        region=REGION,
        host=at.hostname,
        port=at.port,
        secure=False,
        signature_version="4",  # the older ones reach nobody
        timeout=300,
    )

"""An S3 that lives in this process: moto's server on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from runner import S3Store

BUCKET = "blobs"
KEYS = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}


@contextmanager
def running() -> Iterator[str]:
    """Its address; there is a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield endpoint
    finally:
        server.stop()


def store(endpoint: str, prefix: str) -> S3Store:
    return S3Store(BUCKET, prefix, endpoint=endpoint, **KEYS)

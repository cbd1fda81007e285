"""libcloud's EC2 driver, with what it lacks for us.

- Requests go in the body (POST): with 16 KiB of user data an address grows beyond what servers take.
- A call may carry parameters that libcloud does not know (`more`).
- Every region works, also one that is newer than libcloud's table.
- Answers are understood whatever their XML namespace: EC2-compatible endpoints differ there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from libcloud.compute.drivers.ec2 import NAMESPACE, BaseEC2NodeDriver, EC2Connection, EC2NodeDriver, EC2Response

_XMLNS = re.compile(r' xmlns="[^"]*"')


class Answer(EC2Response):
    def parse_body(self) -> Any:
        self.body = _XMLNS.sub(f' xmlns="{NAMESPACE}"', str(self.body), count=1)
        return super().parse_body()  # type: ignore[no-untyped-call]

    def parse_error(self) -> Any:
        self.body = _XMLNS.sub("", str(self.body), count=1)
        return super().parse_error()  # type: ignore[no-untyped-call]


class Connection(EC2Connection):
    responseCls = Answer  # noqa: N815 - libcloud's name
    more: Mapping[str, str] = {}

    def request(  # type: ignore[override]
        self, action: str, params: Any = None, data: Any = None, headers: Any = None, **rest: Any
    ) -> Any:
        rest["method"] = "POST"
        body = urlencode({**(params or {}), **self.more, "Version": self.version})
        headers = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return super().request(  # type: ignore[no-untyped-call]
            action, params=None, data=body, headers=headers, **rest
        )


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


class Driver(EC2NodeDriver):
    """Not safe to use from several threads at a time, as libcloud's connections are not: one for each thread."""

    connectionCls = Connection  # noqa: N815
    connection: Connection

    def __init__(self, credentials: Credentials, region: str, url: str, timeout: float) -> None:
        address = urlsplit(url)
        secure = address.scheme == "https"
        self.region_name = region
        self.api_name = f"ec2_{region.replace('-', '_')}"
        self.country = ""
        self.token = credentials.token
        self.signature_version = "4"
        # not that of EC2NodeDriver, which refuses regions that it has not heard of
        super(BaseEC2NodeDriver, self).__init__(  # type: ignore[no-untyped-call]
            key=credentials.access_key,
            secret=credentials.secret_key,
            secure=secure,
            host=address.hostname,
            port=address.port or (443 if secure else 80),
            timeout=timeout,
        )

    @contextmanager
    def more(self, parameters: Mapping[str, str]) -> Iterator[None]:
        """Calls within carry these parameters too."""
        self.connection.more = parameters
        try:
            yield
        finally:
            self.connection.more = {}

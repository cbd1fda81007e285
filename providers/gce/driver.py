"""libcloud's driver for Google Compute Engine: usable from several threads, at an address of choice, and writing no
token to the home directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from libcloud.common import google
from libcloud.compute.drivers.gce import GCEConnection, GCENodeDriver

from ..http_connection import ThreadedConnection

_EARLY = timedelta(seconds=120)  # a token is renewed this long before it ends


@dataclass(frozen=True)
class Account:
    project: str
    user: str | None  # the service account's address; None: the one of the machine we run on
    key: str | None = field(repr=False)
    url: str
    token_url: str | None


class _Connection(GCEConnection):
    conn_class = ThreadedConnection

    def __init__(self, *args: Any, url: str, token_url: str | None, **kwargs: Any) -> None:
        base: Any = super()
        base.__init__(*args, url=token_url, **kwargs)  # the sign-in goes there, with the same arguments
        places: Any = self._tuple_from_url
        self.host, self.port, self.secure, _ = places(url)
        self._renewing = threading.Lock()

    def pre_connect_hook(self, params: Any, headers: Any) -> Any:
        credential: Any = self.oauth2_credential
        now: Any = google._utcnow
        with self._renewing:
            if credential.token_expire_utc_datetime - _EARLY < now():
                credential._refresh_token()
        base: Any = super()
        return base.pre_connect_hook(params, headers)


class Instances(GCENodeDriver):
    """Its `ex_` methods give what the API says, as it says it. Paths are below the project."""

    connectionCls: Any = _Connection  # noqa: N815 - libcloud's name
    connection: Any  # libcloud's methods are untyped

    def __init__(self, account: Account, timeout: float) -> None:
        self._account = account
        base: Any = super()
        base.__init__(
            account.user or "default",
            account.key,
            project=account.project,
            auth_type="SA" if account.user else "GCE",
            credential_file=os.devnull,
            scopes=["https://www.googleapis.com/auth/compute"],
            timeout=timeout,
        )

    def _ex_connection_class_kwargs(self) -> dict[str, Any]:
        base: Any = super()
        own = {"url": self._account.url, "token_url": self._account.token_url}
        return {**base._ex_connection_class_kwargs(), **own}

    def ex_get(self, path: str, **query: str) -> Any:
        return self.connection.request(path, params=query).object

    def ex_at(self, path: str) -> Any:
        """What is at a path as Google writes it: below the project, `projects/...`, or a whole URL."""
        whole = f"https://compute/compute/v1/{path}" if path.startswith("projects/") else f"/{path}"
        return self.ex_get(path if path.startswith("https://") else whole)

    def ex_pages(self, path: str, **query: str) -> Iterator[Any]:
        token = None
        while True:
            page = self.ex_get(path, **query, **({"pageToken": token} if token else {}))
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    def ex_post(self, path: str, body: Mapping[str, Any], **query: str) -> Any:
        return self.connection.request(path, params=query, method="POST", data=body).object

    def ex_delete(self, path: str, **query: str) -> Any:
        return self.connection.request(path, params=query, method="DELETE").object

    def ex_elsewhere(self, project: str, path: str) -> Any:
        """A path below another project: libcloud takes the path of a whole URL as it is."""
        return self.connection.request(f"https://compute/compute/v1/projects/{project}{path}").object

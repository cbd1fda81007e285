"""libcloud's driver for Azure: usable from several threads, at an address of choice, with managed identities too."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from libcloud.common.azure_arm import AzureJsonResponse, AzureResourceManagementConnection
from libcloud.compute.drivers.azure_arm import AzureNodeDriver

from ..errors import AuthError, ThrottledError, TransientError
from ..http_connection import ThreadedConnection
from ..libcloud_errors import if_there

_MACHINE_IDENTITY = "http://169.254.169.254/metadata/identity/oauth2/token"


@dataclass(frozen=True)
class Account:
    tenant: str | None
    subscription: str
    client: str | None
    secret: str | None = field(repr=False)  # None: the identity of the machine we run on
    url: str
    token_url: str
    resource: str  # what the token is for

    def token(self, timeout: float) -> dict[str, Any]:
        """A fresh one. Raises AuthError, TransientError."""
        if self.secret is not None:
            body = {
                "grant_type": "client_credentials",
                "client_id": self.client,
                "client_secret": self.secret,
                "resource": self.resource,
            }
            answer = requests.post(f"{self.token_url}/{self.tenant}/oauth2/token", data=body, timeout=timeout)
        else:
            query = {"api-version": "2018-02-01", "resource": self.resource}
            query |= {"client_id": self.client} if self.client else {}
            answer = requests.get(_MACHINE_IDENTITY, params=query, headers={"Metadata": "true"}, timeout=timeout)
        try:
            told = answer.json()
        except ValueError:
            told = {}
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after", "")
            raise ThrottledError("signing in to Azure: too many requests", float(wait) if wait.isdigit() else None)
        if answer.status_code >= 500:
            raise TransientError(f"signing in to Azure: {answer.status_code} {answer.reason}")
        if answer.status_code == 200 and "access_token" not in told:
            raise TransientError(f"signing in to Azure: {answer.url} answers without a token; check tokenEndpoint")
        if answer.status_code != 200:
            said = str(told.get("error_description") or told.get("error") or answer.reason)
            raise AuthError(f"signing in to Azure: {said.splitlines()[0]}; check clientId, clientSecret and tenantId")
        found: dict[str, Any] = told
        return found


class _Response(AzureJsonResponse):
    def success(self) -> bool:
        return 200 <= int(self.status) <= 299


class _Connection(AzureResourceManagementConnection):
    conn_class = ThreadedConnection
    responseCls = _Response  # noqa: N815 - libcloud's name

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        base: Any = super()
        base.__init__(*args, **kwargs)
        places: Any = self._tuple_from_url
        self.host, self.port, self.secure, self.request_path = places(account.url)
        self._account = account
        self._signing_in = threading.Lock()

    def get_token_from_credentials(self) -> None:
        with self._signing_in:
            told = self._account.token(self.timeout or 30.0)
            self.access_token, self.expires_on = told["access_token"], told["expires_on"]


class VirtualMachines(AzureNodeDriver):
    """Its `ex_` methods give what the API says, as it says it. Paths are whole, from /subscriptions on."""

    connectionCls: Any = _Connection  # noqa: N815 - libcloud's name
    connection: Any  # libcloud's methods are untyped

    def __init__(self, account: Account, timeout: float) -> None:
        self._account = account
        base: Any = super()
        base.__init__(
            account.tenant, account.subscription, account.client or "", account.secret or "", timeout=timeout
        )

    def _ex_connection_class_kwargs(self) -> dict[str, Any]:
        base: Any = super()
        return {**base._ex_connection_class_kwargs(), "account": self._account}

    def ex_get(self, path: str, version: str, **query: str) -> Any:
        return self.connection.request(path, params={"api-version": version, **query}).object

    def ex_find(self, path: str, version: str, **query: str) -> Any | None:
        """None if there is no such thing."""
        return if_there(lambda: self.ex_get(path, version, **query))

    def ex_all(self, path: str, version: str, **query: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        found: list[dict[str, Any]] = []
        params: dict[str, str] = {"api-version": version, **query}
        while True:
            page = self.connection.request(path, params=params).object
            found += page["value"]
            if not page.get("nextLink"):
                return found
            link = urlsplit(page["nextLink"])
            path, params = link.path, dict(parse_qsl(link.query))

    def ex_put(self, path: str, version: str, body: Mapping[str, Any]) -> Any:
        return self.connection.request(path, params={"api-version": version}, method="PUT", data=body).object

    def ex_post(self, path: str, version: str) -> Any:
        return self.connection.request(path, params={"api-version": version}, method="POST", data={}).object

    def ex_delete(self, path: str, version: str) -> bool:
        """False if there was no such thing."""
        query = {"api-version": version}
        answer = if_there(lambda: self.connection.request(path, params=query, method="DELETE"))
        return answer is not None and int(answer.status) != 204

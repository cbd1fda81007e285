"""One account's EC2 in one region, as everything here calls it: time-outs, typed errors, throttling slept off."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from ..errors import AuthError
from ..retrying import Retrying
from .driver import Credentials, Driver
from .errors import code_of, typed
from .settings import Ec2Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

#: By which AWS says that temporary credentials are over.
_OVER = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_CONNECT = 10.0  # seconds at most for a connection to come about


@cache
def _models() -> Any:
    """boto3's descriptions of the services: read once (0.1 s for EC2), for every provider."""
    import botocore.session

    return botocore.session.get_session().get_component("data_loader")


class Api:
    """Safe to call from several threads. Nothing is imported or asked before the first call.

    Every method raises ProviderErrors only. One that nobody answers is over after the setting `timeout`; one that is
    throttled is tried again for 10 s, and its last try may take `timeout` too. Of many callers that need the same thing
    one asks (`Turns`). So `create` and `list_owned` raise at most 2 * (`timeout` + 10 s) after EC2 has fallen silent.
    """

    def __init__(self, name: str, settings: Ec2Settings, retrying: Retrying | None = None) -> None:
        self.name = name
        self._settings = settings
        self._retrying = retrying if retrying is not None else Retrying()
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._drivers = threading.local()

    def warm_up(self) -> None:
        """Do what the first call would have to do (it takes half a second), and ask nobody."""
        try:
            self._client("ec2")
        except Exception as exc:  # noqa: BLE001 - the first call says it better
            log.debug("provider %s: %s", self.name, exc)

    # -- boto3 -------------------------------------------------------------------------------------------------

    def ec2(self, operation: str, **arguments: Any) -> Any:
        """One call of boto3's EC2 client."""
        return self.service("ec2", operation, **arguments)

    def service(self, service: str, operation: str, **arguments: Any) -> Any:
        return self._call(lambda: getattr(self._client(service), operation)(**arguments), operation)

    def pages(self, operation: str, rows: str, **arguments: Any) -> Iterator[Any]:
        """Every row of an answer that comes in pages; a page that is throttled is asked for again."""
        token: dict[str, str] = {}
        while True:
            page = self.ec2(operation, **arguments, **token)
            yield from page.get(rows, ())
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    # -- libcloud ----------------------------------------------------------------------------------------------

    def compute(self, call: Callable[[Driver], T], kind: str = "") -> T:
        """`call` with libcloud's driver, this thread's own. `kind`: the one action that it asks for."""
        return self._call(lambda: call(self._driver()), kind)

    def _driver(self) -> Driver:
        """Made anew when temporary credentials were renewed."""
        credentials = self._credentials()
        if getattr(self._drivers, "credentials", None) != credentials:
            url = self._client("ec2").meta.endpoint_url
            timeout = self._settings.timeout
            self._drivers.driver = Driver(credentials, self._settings.region, url, timeout)
            self._drivers.credentials = credentials
        driver: Driver = self._drivers.driver
        return driver

    def _credentials(self) -> Credentials:
        with self._lock:
            chain = self._opened().get_credentials()
        if chain is None:
            raise AuthError(
                f"provider {self.name}: no AWS credentials were found; give accessKeyId and secretAccessKey, or a "
                "profile, the AWS_* environment variables or an instance role"
            )
        now = chain.get_frozen_credentials()  # renews them when their end is near
        return Credentials(now.access_key, now.secret_key, now.token)

    # -- both --------------------------------------------------------------------------------------------------

    def _call(self, call: Callable[[], T], kind: str) -> T:
        def once() -> T:
            try:
                return call()
            except Exception as exc:  # boto3, libcloud and requests have no common base
                if code_of(exc) in _OVER:
                    self._log_out()
                raise typed(exc, self.name) from exc

        return self._retrying(once, kind)

    def _log_out(self) -> None:
        """The next call reads the credentials anew: somebody may have renewed them in the file that they come from."""
        with self._lock:
            self._session = None
            self._clients = {}

    def _client(self, service: str) -> Any:
        with self._lock:  # boto3 makes clients in one thread at a time only
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        settings = self._settings
        config = Config(
            connect_timeout=min(_CONNECT, settings.timeout),
            read_timeout=settings.timeout,
            retries={"mode": "standard", "total_max_attempts": 1},  # Retrying does it, for all callers together
            max_pool_connections=32,
        )
        return self._opened().client(service, endpoint_url=settings.endpoint, config=config)

    def _opened(self) -> Any:
        if self._session is None:
            import boto3
            import botocore.session

            settings = self._settings
            inner = botocore.session.get_session()
            inner.register_component("data_loader", _models())
            self._session = boto3.session.Session(
                botocore_session=inner,
                aws_access_key_id=settings.access_key_id,
                aws_secret_access_key=settings.secret_access_key,
                aws_session_token=settings.session_token,
                region_name=settings.region,
                profile_name=settings.profile,
            )
        return self._session

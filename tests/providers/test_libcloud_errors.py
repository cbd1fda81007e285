"""How what libcloud raises becomes a typed error."""

from typing import Any, cast

import pytest
import requests
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError
from libcloud.compute.base import NodeDriver
from requests.exceptions import ReadTimeout, RequestException

from providers import (
    AuthError,
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from providers.libcloud_errors import typed_error
from providers.libcloud_provider import LibcloudProvider
from providers.local.mapping import LocalMapping
from providers.retrying import Retrying


class FailingDriver:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def list_nodes(self) -> list[Any]:
        raise self.error


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (InvalidCredsError("no"), AuthError),
        (BaseHTTPError(401, "no"), AuthError),
        (BaseHTTPError(403, "no"), AuthError),
        (BaseHTTPError(404, "gone"), NotFoundError),
        (BaseHTTPError(429, "slow down"), ThrottledError),
        (RateLimitReachedError(headers={"retry-after": "7"}), ThrottledError),
        (BaseHTTPError(400, "what?"), InvalidRequestError),
        (BaseHTTPError(503, "later"), TransientError),
        (LibcloudError("odd"), TransientError),
        (ReadTimeout("silence"), TransientError),
        (QuotaError("ours already"), QuotaError),
    ],
)
def test_an_error_becomes_a_typed_one(raised: Exception, expected: type[ProviderError]) -> None:
    class Mapping(LocalMapping):
        def error(self, exc: Exception) -> ProviderError | None:
            return None

    driver = cast(NodeDriver, FailingDriver(raised))
    provider = LibcloudProvider("cloud", "d", driver, Mapping(None), Retrying(limit=0.0))
    with pytest.raises(expected) as caught:
        provider.list_owned()
    assert type(caught.value) is expected
    if isinstance(raised, RateLimitReachedError):
        assert isinstance(caught.value, ThrottledError) and caught.value.retry_after == 7.0


def test_a_mapping_knows_its_cloud_better() -> None:
    class Mapping(LocalMapping):
        def error(self, exc: Exception) -> ProviderError | None:
            return QuotaError("too many") if "VcpuLimitExceeded" in str(exc) else None

    driver = cast(NodeDriver, FailingDriver(BaseHTTPError(400, "VcpuLimitExceeded: no")))
    with pytest.raises(QuotaError):
        LibcloudProvider("cloud", "d", driver, Mapping(None), Retrying(limit=0.0)).list_owned()


def test_a_driver_is_made_when_it_is_needed_and_once() -> None:
    made: list[FailingDriver] = []

    def make() -> NodeDriver:
        made.append(FailingDriver(OSError("no network")))
        return cast(NodeDriver, made[-1])

    class Mapping(LocalMapping):
        def error(self, exc: Exception) -> ProviderError | None:
            return None

    provider = LibcloudProvider("cloud", "d", make, Mapping(None))
    assert provider.capabilities().low_priority and provider.profile().zones == () and made == []
    for _ in range(2):
        with pytest.raises(TransientError, match="no network"):
            provider.list_owned()
    assert len(made) == 1


def test_an_api_that_cannot_be_reached_is_told_with_the_cure() -> None:
    with pytest.raises(RequestException) as refused:
        requests.get("http://127.0.0.1:9/", timeout=5)
    told = str(typed_error(refused.value, "p"))
    assert told.startswith("provider p: its API cannot be reached: ") and "Connection refused" in told
    assert "Max retries" not in told
    assert told.endswith("check `endpoint` and `region`, and this machine's way to the network")

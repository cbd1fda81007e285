"""What libcloud and its HTTP client raise, as this package's errors: the rules that hold for every cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, MalformedResponseError
from libcloud.common.types import ProviderError as LibcloudProviderError
from requests.exceptions import ConnectionError as RequestConnectionError
from requests.exceptions import ReadTimeout

from .errors import (
    AuthError,
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    ThrottledError,
    TransientError,
)

_CURE = "check `endpoint` and `region`, and this machine's way to the network"

T = TypeVar("T")


def typed_error(exc: Exception, name: str) -> ProviderError:
    """By HTTP status; what carries none is a fault on the way, whose effect is unknown."""
    if isinstance(exc, ProviderError):
        return exc
    if isinstance(exc, MalformedResponseError):
        return no_json(name)
    if isinstance(exc, RequestConnectionError | ReadTimeout):
        verb = "does not answer" if isinstance(exc, ReadTimeout) else "cannot be reached"
        return TransientError(f"provider {name}: its API {verb}: {_innermost(exc)}; {_CURE}")
    text = f"provider {name}: {_said(exc)}"
    if isinstance(exc, RateLimitReachedError):
        return ThrottledError(text, retry_after(exc))
    if isinstance(exc, InvalidCredsError):
        return AuthError(f"{text}; check the credentials in the settings")
    status = http_status(exc)
    return TransientError(text) if status is None else by_status(status, text, exc)


def by_status(status: int, text: str, exc: Exception) -> ProviderError:
    if status in (401, 403):
        return AuthError(text)
    if status == 404:
        return NotFoundError(text)
    if status == 429:
        return ThrottledError(text, retry_after(exc))
    return TransientError(text) if status >= 500 or status == 408 else InvalidRequestError(text)


def no_json(name: str) -> TransientError:
    """A web page instead of an answer: of another server, or of a proxy that is in trouble."""
    return TransientError(f"provider {name}: what answers is no API of this cloud (it sent no JSON); {_CURE}")


def if_there(ask: Callable[[], T]) -> T | None:
    """What `ask` gives; None if the cloud says that there is no such thing."""
    try:
        return ask()
    except (BaseHTTPError, LibcloudProviderError) as exc:
        if http_status(exc) != 404:
            raise
        return None


def _said(exc: Exception) -> str:
    """libcloud shows some messages in quotation marks."""
    value = getattr(exc, "value", None)
    return value if isinstance(value, str) and value else str(exc) or type(exc).__name__


def _innermost(exc: BaseException) -> str:
    """What the HTTP client has wrapped: `Connection refused` rather than the names of its own classes."""
    reason = getattr(exc.args[0] if exc.args else None, "reason", None)
    return str(reason or exc)


def http_status(exc: Exception) -> int | None:
    if isinstance(exc, BaseHTTPError):
        return int(exc.code)
    if isinstance(exc, LibcloudProviderError):
        return int(exc.http_code)
    return None


def retry_after(exc: Exception) -> float | None:
    """Seconds that the cloud asked us to wait. libcloud has turned a date into seconds already."""
    try:
        wanted = float((getattr(exc, "headers", None) or {}).get("retry-after", ""))
    except ValueError:
        return None
    return wanted if wanted > 0 else None

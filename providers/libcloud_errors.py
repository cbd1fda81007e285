"""What libcloud and its HTTP client raise, as this package's errors: the rules that hold for every cloud."""

from __future__ import annotations

from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError
from libcloud.common.types import ProviderError as LibcloudProviderError
from requests.exceptions import ConnectionError as RequestConnectionError

from .errors import (
    AuthError,
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    ThrottledError,
    TransientError,
)


def typed_error(exc: Exception, name: str) -> ProviderError:
    """By HTTP status; what carries none is a fault on the way, whose effect is unknown."""
    if isinstance(exc, ProviderError):
        return exc
    text = f"provider {name}: {str(exc) or type(exc).__name__}"
    if isinstance(exc, RateLimitReachedError):
        return ThrottledError(text, retry_after(exc))
    if isinstance(exc, InvalidCredsError):
        return AuthError(text)
    status = http_status(exc)
    if status is None:
        if isinstance(exc, RequestConnectionError):
            text = f"provider {name}: its API cannot be reached: {_innermost(exc)}"
            return TransientError(f"{text}; check `endpoint` and `region`, and this machine's way to the network")
        return TransientError(text)
    if status in (401, 403):
        return AuthError(text)
    if status == 404:
        return NotFoundError(text)
    if status == 429:
        return ThrottledError(text, retry_after(exc))
    return TransientError(text) if status >= 500 or status == 408 else InvalidRequestError(text)


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

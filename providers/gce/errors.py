"""What Google's API answers, and what its operations end with, as typed errors."""

from __future__ import annotations

from typing import Any

from libcloud.common.google import GoogleAuthError, GoogleBaseError, JsonParseError

from ..errors import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from ..libcloud_errors import by_status, no_json

_CODES: dict[str, type[ProviderError]] = {
    "ZONE_RESOURCE_POOL_EXHAUSTED": CapacityError,
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": CapacityError,
    "RESOURCE_POOL_EXHAUSTED": CapacityError,
    "REGION_RESOURCE_POOL_EXHAUSTED": CapacityError,
    "STOCKOUT": CapacityError,
    "QUOTA_EXCEEDED": QuotaError,
    "quotaExceeded": QuotaError,
    "limitExceeded": QuotaError,
    "rateLimitExceeded": ThrottledError,
    "userRateLimitExceeded": ThrottledError,
    "RATE_LIMIT_EXCEEDED": ThrottledError,
    "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED": ThrottledError,
    "resourceNotReady": TransientError,
    "backendError": TransientError,
    "internalError": TransientError,
    "INTERNAL_ERROR": TransientError,
    "accessNotConfigured": AuthError,
    "PERMISSIONS_ERROR": AuthError,
}
_CURES: dict[type[ProviderError], str] = {
    CapacityError: "; name other sizes or zones in the settings",
    QuotaError: "; ask for more at https://console.cloud.google.com/iam-admin/quotas, or wait",
    AuthError: "; see the permissions in the documentation of this provider",
}


def gce_error(exc: Exception, name: str) -> ProviderError | None:
    if isinstance(exc, GoogleAuthError):
        return AuthError(f"provider {name}: {exc.value}; check the setting credentials")
    if isinstance(exc, JsonParseError):
        return no_json(name)
    if not isinstance(exc, GoogleBaseError):
        return None
    text, status = f"provider {name}: {_message(exc)}", int(exc.http_code)
    if exc.code is None and status in (400, 401):  # what signing in answers has no code
        return AuthError(f"{text}; check the setting credentials, and this machine's clock")
    kind = _CODES.get(str(exc.code))
    if kind is None:  # an operation that failed for another reason made no VM
        return InvalidRequestError(text) if status == 200 else by_status(status, text, exc)
    return kind(text + _CURES.get(kind, ""))


def _message(exc: GoogleBaseError) -> str:
    value: Any = exc.value
    told = value.get("message") if isinstance(value, dict) else value
    return f"{exc.code}: {told}" if exc.code else str(told)

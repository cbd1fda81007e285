"""What Azure answers, and what its operations end with, as typed errors. libcloud writes them "[Code] text"."""

from __future__ import annotations

import re

from ..errors import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from ..libcloud_errors import http_status, retry_after

_CODES: dict[str, type[ProviderError]] = {
    "AllocationFailed": CapacityError,
    "ZonalAllocationFailed": CapacityError,
    "OverconstrainedAllocationRequest": CapacityError,
    "OverconstrainedZonalAllocationRequest": CapacityError,
    "SkuNotAvailable": CapacityError,
    "SpotPriceGreaterThanProvidedMaxPrice": CapacityError,
    "QuotaExceeded": QuotaError,
    "ResourceQuotaExceeded": QuotaError,
    "PublicIPCountLimitReached": QuotaError,
    "NetworkInterfaceCountLimitReached": QuotaError,
    "SubnetIsFull": QuotaError,
    "TooManyRequests": ThrottledError,
    "SubscriptionRequestsThrottled": ThrottledError,
    "AnotherOperationInProgress": TransientError,
    "OperationPreempted": TransientError,
    "RetryableError": TransientError,
    "RetryableErrorDueToAnotherOperation": TransientError,
    "NicInUse": TransientError,
    "NicReservedForAnotherVm": TransientError,
    "PublicIPAddressCannotBeDeleted": TransientError,
    "InUseSubnetCannotBeDeleted": TransientError,
    "AuthorizationFailed": AuthError,
    "LinkedAuthorizationFailed": AuthError,
    "InvalidAuthenticationToken": AuthError,
}
_CURES: dict[type[ProviderError], str] = {
    CapacityError: "; name other sizes or zones in the settings",
    QuotaError: "; ask for more at Quotas in the Azure portal, or wait",
    AuthError: "; see the permissions in the documentation of this provider",
}
_CODE = re.compile(r"\[(\w+)\]")


def azure_error(exc: Exception, name: str) -> ProviderError | None:
    if http_status(exc) is None:
        return None
    found = _CODE.match(str(exc))
    return coded(found[1] if found else "", str(exc), name, retry_after(exc))


def coded(code: str, text: str, name: str, wait: float | None = None) -> ProviderError | None:
    """None for a code that says no more than the HTTP status."""
    text = f"provider {name}: {text}"
    kind = _CODES.get(code)
    if code == "OperationNotAllowed":  # many things; of interest is the one about cores
        kind = QuotaError if "quota" in text.lower() or "limit" in text.lower() else InvalidRequestError
    if kind is None:
        return None
    if kind is ThrottledError:
        return ThrottledError(text, wait)
    return kind(text + _CURES.get(kind, ""))

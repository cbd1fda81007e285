"""What OpenStack's services answer, as typed errors."""

from __future__ import annotations

from ..errors import CapacityError, InvalidRequestError, ProviderError, QuotaError, ThrottledError
from ..libcloud_errors import http_status, retry_after


def openstack_error(exc: Exception, name: str) -> ProviderError | None:
    said = str(exc).lower()
    if "could not find specified endpoint" in said or "more than 1 matching endpoint" in said:
        return InvalidRequestError(f"provider {name}: the catalog has no such service in that region; correct `region`")
    status = http_status(exc)
    if status is None:
        return None
    text = f"provider {name}: {exc}"
    if "no valid host" in said or "not enough hosts" in said or "insufficient compute resources" in said:
        return CapacityError(f"{text}; name other sizes or zones in the settings")
    if status in (403, 409, 413) and ("quota" in said or "limit exceeded" in said or "overlimit" in said):
        return QuotaError(f"{text}; end other servers, or ask the cloud's operator for a larger quota")
    if status == 413:
        return ThrottledError(text, retry_after(exc))
    return None

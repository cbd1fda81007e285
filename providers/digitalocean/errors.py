"""What DigitalOcean answers, as typed errors. It has few codes: what a 422 is about stands in its message."""

from __future__ import annotations

from ..errors import CapacityError, ProviderError, QuotaError, TransientError
from ..libcloud_errors import http_status

#: part of the message (lower case) -> what it is
_UNPROCESSABLE: tuple[tuple[str, type[ProviderError]], ...] = (
    ("droplet limit", QuotaError),
    ("limit of", QuotaError),
    ("size is not available in this region", CapacityError),
    ("size is unavailable", CapacityError),
    ("region is not available", CapacityError),
    ("region is unavailable", CapacityError),
    ("capacity", CapacityError),
    ("pending event", TransientError),
)
_CURES = {
    QuotaError: "; ask DigitalOcean for a higher droplet limit (Settings, Team, or a support ticket), or wait",
    CapacityError: "; name other sizes or zones (regions) in the settings",
}


def digitalocean_error(exc: Exception, name: str) -> ProviderError | None:
    if http_status(exc) not in (403, 409, 412, 422):
        return None
    text = str(exc)
    for part, kind in _UNPROCESSABLE:
        if part in text.lower():
            return kind(f"provider {name}: {text}{_CURES.get(kind, '')}")
    return None

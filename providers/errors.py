"""What can go wrong with a cloud, as types: callers decide by type, people read the message."""

from __future__ import annotations


class ProviderError(Exception):
    """A cloud did not do what it was asked to. The message names the place and the cure.

    `retryable`: the same call may succeed later without anybody changing anything.
    `nothing_made`: the call of `create` that raised it has certainly made no VM. After any other error of `create` the
    VM may exist all the same: call it again (it is idempotent by name) or `destroy`.
    """

    retryable = False
    nothing_made = False


class CapacityError(ProviderError):
    """The cloud has no room for this size in this place now; another size or zone may have."""

    retryable = True
    nothing_made = True


class QuotaError(ProviderError):
    """A limit of the account or of the settings is reached; it ends when VMs end or the limit is raised."""

    retryable = True
    nothing_made = True


class ThrottledError(ProviderError):
    """Too many calls. `retry_after`: seconds the cloud asked us to wait, None if it did not say."""

    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TransientError(ProviderError):
    """A time-out, a lost answer, a server error: whether the call took effect is unknown."""

    retryable = True


class NotFoundError(ProviderError):
    """The thing named (VM, image, network) does not exist."""


class AuthError(ProviderError):
    """The credentials are missing, wrong or not allowed to do this. A provider that knows that they were refused before
    anything was made sets `nothing_made`."""


class InvalidRequestError(ProviderError):
    """The request or the settings can never work as they are: unknown size, bad name, unknown setting."""

    nothing_made = True


class SettingError(InvalidRequestError):
    """A setting of a provider is none, or has no such value."""

    def __init__(self, provider: str, setting: str, text: str) -> None:
        super().__init__(f"provider {provider}: {text}")
        self.provider = provider
        self.setting = setting


class PlacementError(InvalidRequestError):
    """The same, but only for this size in this place: it can never come to be there, another size or zone may do."""

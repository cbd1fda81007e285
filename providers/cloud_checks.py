"""What `check` of the clouds behind an HTTP API is made of: looks, and what each of them means if it fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .cloud_settings import CloudSettings
from .errors import AuthError, InvalidRequestError, NotFoundError, ProviderError
from .libcloud_errors import http_status, typed_error
from .provider import Finding, Severity


class CloudChecks(ABC):
    """What is wrong with signing in, or on the way to the cloud, is raised by every method that looks."""

    name: str
    settings: CloudSettings

    @abstractmethod
    def error(self, exc: Exception) -> ProviderError | None: ...

    def looked(
        self, topic: str, setting: str, wanted: str, look: Callable[[str], object], needed: bool = True
    ) -> Finding:
        """Whether what a setting names is there. What is wrong with signing in, or on the way, is raised.

        `needed`: `create` looks in the same way, so that it would be refused what this is refused.
        """
        try:
            look(wanted)
        except Exception as exc:  # every one is raised on, but for what is said of `wanted`
            typed = self.error(exc) or typed_error(exc, self.name)
            text = str(typed).removeprefix(f"provider {self.name}: ")
            text = text if repr(wanted) in text else f"{wanted}: {text}"
            if isinstance(typed, NotFoundError | InvalidRequestError):
                return Finding(topic, Severity.ERROR, text, f"correct `{setting}` in the settings")
            if (finding := self._not_allowed(topic, wanted, exc, needed)) is None:
                raise
            return finding
        return Finding(topic, Severity.OK, f"{wanted} is there")

    def asked(
        self, topic: str, what: str, ask: Callable[[], Iterable[Finding]], needed: bool = False
    ) -> Iterator[Finding]:
        """What an answer of the cloud tells. That credentials may not ask is told too; the rest is raised."""
        try:
            yield from ask()
        except Exception as exc:  # every one is raised on, but for that
            if (finding := self._not_allowed(topic, what, exc, needed)) is None:
                raise
            yield finding

    def _not_allowed(self, topic: str, what: str, exc: Exception, needed: bool) -> Finding | None:
        """None: the error is another one."""
        typed = self.error(exc) or typed_error(exc, self.name)
        if not isinstance(typed, AuthError) or http_status(exc) != 403:
            return None
        text = f"{what} may not be looked at: " + str(typed).removeprefix(f"provider {self.name}: ").partition("; ")[0]
        cure = "allow it to these credentials; the documentation of this provider tells the permissions"
        if needed:
            return Finding(topic, Severity.ERROR, text, cure, typed)
        return Finding(topic, Severity.WARNING, text, f"{cure} (VMs come without this one)", typed)

    def one_of(self, findings: Iterable[Finding], cure: str) -> Iterator[Finding]:
        """Of several that will do one is enough: what is wrong with others is no error. `cure`: what to do then."""
        found = list(dict.fromkeys(findings))
        enough = any(each.severity is not Severity.ERROR for each in found)
        for each in found:
            spared = enough and each.severity is Severity.ERROR
            yield replace(each, severity=Severity.WARNING, cure=cure) if spared else each

    def quota_finding(self, text: str, full: bool, cure: str) -> Finding:
        return Finding("quota", Severity.WARNING, text, cure) if full else Finding("quota", Severity.OK, text)

    def price_finding(self, listed: Callable[[str], float | None]) -> Finding:
        """`listed`: the price of a size in the cloud's list."""
        size = next(iter(self.wanted_sizes()), None)
        if size is None:
            return Finding("price", Severity.WARNING, "no size is set", "set `size` or `sizes`")
        own = self.settings.price(size, False)
        price = own if own is not None else listed(size)
        if not price:
            return Finding(
                "price", Severity.WARNING, f"the price of {size} is not known here", f"set `prices: {{{size}: ...}}`"
            )
        return Finding("price", Severity.OK, f"{size} costs {price:g} an hour")

    def wanted_sizes(self) -> list[str]:
        """The cloud's sizes that the settings name."""
        named = [size for sizes in self.settings.sizes.values() for size in sizes]
        return list(dict.fromkeys(([self.settings.size] if self.settings.size else []) + named))

    def wanted_images(self) -> list[str]:
        one = [self.settings.images.get(self.settings.image, self.settings.image)] if self.settings.image else []
        return list(dict.fromkeys(one + list(self.settings.images.values())))

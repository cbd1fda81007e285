"""Whether the clouds have what the pools of a workload ask for: looked at before anything is made."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pools import JournalError, PoolSpec, pool_options
from providers import (
    Finding,
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    Severity,
    ThrottledError,
    TransientError,
)
from runner import open_journal

from .offers import Offer
from .provider_options import AT_HOME, Options, driver_of, hasty, open_one
from .state import StateDirectory

#: Seconds in which a cloud must have told.
LIMIT = 20.0
#: Seconds after which a cloud of which nothing but a fault was heard is asked again; after the last one no more.
_PAUSES = (0.5, 1.5, 0.0)
#: Drivers of clouds where a subnet lies in one zone, which then counts and not those of the settings.
_ZONE_BY_SUBNET = frozenset(("ec2",))
#: With the first finding of these, all that a pool names has been looked at.
_LAST = frozenset(("network", "permission", "quota"))


@dataclass(frozen=True)
class Doubt:
    """Why pools may get no nodes. `refusal`: the error that says that they cannot; None: it is not certain."""

    text: str
    refusal: type[ProviderError] | None


@dataclass(frozen=True)
class _Look:
    """What is looked for at a provider."""

    provider: str
    image: str | None
    size: str
    subnet: str | None

    def narrowed(self, options: Mapping[str, Any]) -> Options:
        """The provider's options, as if they were about this alone."""
        found = {key: value for key, value in options.items() if key not in ("image", "images", "size", "sizes")}
        if self.image is not None:
            names = options.get("images")
            named = names.get(self.image) if isinstance(names, Mapping) else None
            found["image"] = named if named is not None else self.image
        if self.subnet is not None:
            if driver_of(self.provider, options) in _ZONE_BY_SUBNET:
                found = {key: value for key, value in found.items() if key not in ("subnets", "zones")}
            found["subnet"] = self.subnet
        return found | {"size": self.size}


@dataclass
class _Answer:
    findings: list[Finding] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Preflight:
    """Begins to look at once, at everything at the same time, in threads that nobody has to wait for."""

    def __init__(
        self, pools: Iterable[PoolSpec], default: str, offers: Mapping[str, Offer], options: Mapping[str, Options]
    ) -> None:
        """`default`: the provider of pools that name none."""
        self._pools: list[tuple[str, list[_Look]]] = []
        self._answers: dict[_Look, _Answer] = {}
        self._end = time.monotonic() + LIMIT
        for pool in pools:
            name = pool_options(pool.metadata).provider or default
            if driver_of(name, options[name]) not in AT_HOME:
                self._pools.append((pool.id, _looks(pool, offers[name])))
        for look in dict.fromkeys(look for _, looks in self._pools for look in looks):
            answer = self._answers[look] = _Answer()
            arguments = (look.provider, look.narrowed(options[look.provider]), answer)
            threading.Thread(target=_ask, args=arguments, name="preflight", daemon=True).start()

    @property
    def needed(self) -> bool:
        """Is there anything that had to be asked?"""
        return bool(self._answers)

    def doubts(self) -> list[Doubt]:
        """Waits for what the clouds say, for `LIMIT` at most."""
        pools_of: dict[Doubt, list[str]] = {}
        for pool, looks in self._pools:
            found = [(look, list(self._of(look))) for look in looks]
            # one of the sizes that a vmSize stands for is enough
            refused = all(any(doubt.refusal is not None for doubt in doubts) for _, doubts in found)
            for look, doubts in found:
                for doubt in doubts:
                    text = f"from provider {look.provider}: {doubt.text.removeprefix(f'provider {look.provider}: ')}"
                    pools_of.setdefault(Doubt(text, doubt.refusal if refused else None), []).append(pool)
        return [_of_pools(doubt, list(dict.fromkeys(pools))) for doubt, pools in pools_of.items()]

    def _of(self, look: _Look) -> Iterator[Doubt]:
        answer = self._answers[look]
        over = answer.over.wait(max(0.0, self._end - time.monotonic()))
        findings = list(answer.findings)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        certain = [finding for finding in errors if _certain(finding)]
        answers = len(errors) < len(findings) or any(isinstance(each.error, ThrottledError) for each in errors)
        for finding in certain or errors:
            error = finding.error
            refusal = InvalidRequestError if error is None or _certain(finding) else type(error)
            yield Doubt(_told(finding), refusal if certain or not answers else None)
        if not over and not certain:
            cure = "check its `endpoint` and `region`, and this machine's way to the network"
            yield Doubt(f"it does not answer within {LIMIT:g} s; {cure}", None if answers else TransientError)


def nodes_on_record(state: StateDirectory) -> bool:
    """May there be VMs that somebody has to work with, or to end? What keeps records from being read is for the
    controller to tell."""
    if not state.database.exists():
        return False
    try:
        journal = open_journal(state.database_url, upgrade=False)
        try:
            return any(not node.vm_gone for node in journal.nodes())
        finally:
            journal.close()
    except JournalError:
        return True


def _looks(pool: PoolSpec, offer: Offer) -> list[_Look]:
    subnet = pool.network_configuration.subnet_id if pool.network_configuration is not None else None
    sizes = dict.fromkeys(placement.size for placement in offer.profile.placements(pool.vm_size))
    return [_Look(offer.provider, offer.image(pool), size, subnet) for size in sizes]


def _ask(name: str, options: Options, answer: _Answer) -> None:
    try:
        provider = open_one(name, hasty(name, options))
        for pause in _PAUSES:
            findings: list[Finding] = []
            for finding in provider.check():
                findings.append(finding)
                answer.findings = findings  # those of the last time are told until there are new ones
                if finding.topic in _LAST:
                    break
            if not all(isinstance(finding.error, TransientError) for finding in findings):
                break
            time.sleep(pause)
    except ProviderError as exc:
        answer.findings.append(Finding("provider", Severity.ERROR, str(exc), error=exc))
    finally:
        answer.over.set()


def _certain(finding: Finding) -> bool:
    """There is no such thing, and not: it could not be asked for."""
    return finding.error is None or isinstance(finding.error, InvalidRequestError | NotFoundError)


def _told(finding: Finding) -> str:
    if not finding.cure:
        return finding.text
    return f"{finding.text}; {finding.cure.replace('in the settings', 'in the settings, or what the pool names')}"


def _of_pools(doubt: Doubt, pools: list[str]) -> Doubt:
    verb = "may get no nodes" if doubt.refusal is None else "cannot get nodes"
    return Doubt(f"pool{'s' if len(pools) > 1 else ''} {', '.join(pools)} {verb} {doubt.text}", doubt.refusal)

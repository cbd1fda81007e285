"""What `check` tells of an inventory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..provider import Finding, Severity
from .hosts import Watched

_GIB = 1 << 30


def findings(hosts: Sequence[Watched], deployment: str, least_free: float) -> Iterator[Finding]:
    """One per host that was just asked, and one of all together."""
    usable = 0
    seen: dict[str, str] = {}
    for each in hosts:
        fault = _fault(each, seen, least_free)
        if fault is not None:
            yield Finding(f"host {each.host.key}", Severity.WARNING, fault, "it is left out until that is mended")
            continue
        usable += 1
        yield Finding(f"host {each.host.key}", Severity.OK, _told(each, deployment))
    if usable == 0:
        cure = "mend one of those named above"
        yield Finding("inventory", Severity.ERROR, f"none of {len(hosts)} hosts can be used", cure)
    else:
        yield Finding("inventory", Severity.OK, f"{usable} of {len(hosts)} hosts can be used")


def _fault(each: Watched, seen: dict[str, str], least_free: float) -> str | None:
    if each.down is not None or each.facts is None:
        return (each.down or "it is busy").removeprefix(f"{each.host.key}: ").removeprefix(f"{each.host.key} ")
    twin = seen.setdefault(each.facts.account, each.host.key)
    if twin != each.host.key:
        return f"it is the same account as {twin}: leave one of them out"
    if each.lease is not None and "name" not in each.lease:
        return "its ~/.ebbtide/lease.json is damaged: look whether a node of ours runs there, and remove the file"
    return each.facts.ill(least_free)


def _told(each: Watched, deployment: str) -> str:
    assert each.facts is not None
    facts = each.facts
    has = f"{facts.cpus} CPUs, {facts.memory / 1024:.1f} GiB, {facts.free / _GIB:.0f} GiB free, Python {facts.python}"
    whose = "free"
    if each.lease is not None:
        by = "this deployment" if each.lease["deployment"] == deployment else f"deployment {each.lease['deployment']}"
        whose = f"leased by {by} as {each.lease['name']}"
    return f"size {each.host.size}: {has}; {whose}"

"""What a run finds at its provider when all its work and all its nodes have gone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping

from providers import Provider, ProviderError, VmState

log = logging.getLogger(__name__)


def left_over(providers: Mapping[str, Provider], used: Collection[str]) -> Iterator[str]:
    """Names of the VMs that are listed and have not ended, at all providers. Raises ProviderError if one of those that
    are `used` cannot be asked; of another, with settings but perhaps no credentials, nothing is expected."""
    for name, provider in providers.items():
        try:
            yield from left_over_at(provider)
        except ProviderError as exc:
            if name in used:
                raise
            log.info("provider %s cannot be listed, and no pool is there: %s", name, exc)


def left_over_at(provider: Provider) -> Iterator[str]:
    """Names of the VMs that are listed and have not ended. Those that have are cleaned up: clouds show them for a
    while, and their record may have gone with an earlier controller. So is what was made beside them. Raises
    ProviderError."""
    for vm in provider.list_owned():
        if vm.state in (VmState.TERMINATED, VmState.PREEMPTED):
            provider.destroy(vm.name, vm.provider_id)
        else:
            yield vm.name
    try:
        provider.sweep()
    except ProviderError as exc:  # no VM is left for it
        log.warning("provider %s: what was made beside VMs cannot be removed now: %s", provider.name, exc)

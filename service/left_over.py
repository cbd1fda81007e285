"""What a run finds at its provider when all its work and all its nodes have gone."""

from __future__ import annotations

from collections.abc import Iterator

from providers import Provider, VmState


def left_over_at(provider: Provider) -> Iterator[str]:
    """Names of the VMs that are listed and have not ended. Those that have are cleaned up: clouds show them for a
    while, and their record may have gone with an earlier controller. Raises ProviderError."""
    for vm in provider.list_owned():
        if vm.state in (VmState.TERMINATED, VmState.PREEMPTED):
            provider.destroy(vm.name, vm.provider_id)
        else:
            yield vm.name

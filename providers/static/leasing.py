"""Getting a host for a VM: which one, and the steps of which each may be the last before a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import CapacityError, QuotaError, TransientError
from ..provider import VmSpec
from .fleet import Fleet, is_lease_of, leased_by
from .hosts import Watched
from .inventory import Host
from .link import HostDown
from .records import Record, Stage, of_lease

_AGAIN = 2.0  # seconds after which a host that could not be leased is asked anew


class Leasing:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def lease(self, spec: VmSpec) -> Record:
        """The record of the VM, with its lease: the one that it has, or that of the first free host of its size in
        the order of the inventory. One at a time by name. Raises QuotaError, CapacityError, TransientError."""
        self._fleet.meet_all()
        tried: dict[str, str] = {}
        while True:
            record = self._choose(spec, tried)
            if record.stage is Stage.LEASED:
                return record
            taken = self._take(record, spec)
            if isinstance(taken, Record):
                return taken
            tried[record.host.key] = taken

    def _choose(self, spec: VmSpec, tried: Mapping[str, str]) -> Record:
        """The record of the VM: as it is, or with a host that is not in `tried`."""
        fleet = self._fleet
        with fleet.storing(), fleet.records.locked():
            every = fleet.records.every()
            before = next((each for each in every if each.name == spec.name), None)
            if before is not None and before.host.key not in tried:
                return before
            if before is None and (found := fleet.found(spec.name)) is not None:
                fleet.records.put(found)
                return found
            others = [each for each in every if each.name != spec.name]
            ours = sum(each.deployment == spec.deployment for each in others)
            limit = fleet.settings.max_vms
            if before is None and limit is not None and ours >= limit:
                raise QuotaError(f"{ours} static hosts are leased and maxVms is {limit}; raise it, or wait")
            taken = {each.host.key: f"leased as {each.name}" for each in others}
            host = self._free(spec, {**taken, **tried})
            if host is None:
                fleet.records.remove(spec.name)
                raise CapacityError(self._why_none(spec, {**tried, **taken}))
            record = Record(
                name=spec.name,
                deployment=spec.deployment,
                pool_id=spec.pool_id,
                node_id=spec.node_id,
                size=spec.size,
                low_priority=spec.low_priority,
                created=before.created if before is not None else fleet.clock(),
                host=host,
                tags=dict(spec.tags),
            )
            fleet.records.put(record)
            return record

    def _serving(self, spec: VmSpec) -> list[Watched]:
        wanted = (spec.size, spec.low_priority)
        return [each for each in self._fleet.hosts if (each.host.size, each.host.low_priority) == wanted]

    def _free(self, spec: VmSpec, without: Mapping[str, str]) -> Host | None:
        left = [each for each in self._serving(spec) if each.host.key not in without]
        return next((each.host for each in left if self._may_be_free(each)), None)

    def _may_be_free(self, each: Watched) -> bool:
        if each.down is not None:
            return each.is_due(self._fleet.settings.check_interval, leased=False)
        return self._fleet.reason(each) is None or each.age() > _AGAIN

    def _why_none(self, spec: VmSpec, known: Mapping[str, str]) -> str:
        reasons = {}
        for each in self._serving(spec):
            key = each.host.key
            reasons[key] = known.get(key) or self._fleet.reason(each) or "busy"
        leased = sum(reason.startswith("leased") for reason in reasons.values())
        told = "; ".join(reason if key in reason else f"{key}: {reason}" for key, reason in reasons.items())
        kind = "low-priority " if spec.low_priority else ""
        return (
            f"provider {self._fleet.name} has no free {kind}host of size {spec.size}: of {len(reasons)}, {leased} are "
            f"leased and {len(reasons) - leased} cannot be used ({told or 'none is listed'})"
        )

    def _take(self, record: Record, spec: VmSpec) -> Record | str:
        """Get the lease for the record: the record with it, or why there is none on this host.

        Raises TransientError if there may be one.
        """
        host = self._fleet.host_of(record)
        try:
            host.look()
            if not is_lease_of(host.lease, record) and (reason := self._fleet.reason(host)) is not None:
                return reason
            record = replace(record, stage=Stage.ASKED)
            self._fleet.put(record)
            answer = host.take(record.lease(), " ".join(spec.public_key.split()[:2]))
        except HostDown as down:
            if record.stage is Stage.ASKED:  # by us, or before a crash
                raise self._unsure(record, str(down)) from down
            return str(down)
        if "lease" in answer:
            record = of_lease(answer["lease"], host.host, host.link.shown)
            self._fleet.put(record)
            return record
        if "busy" in answer:
            raise self._unsure(record, f"{record.host.key}: {answer['busy']}")
        return leased_by(answer["taken"]) if "taken" in answer else f"{record.host.key}: {answer['refused']}"

    def _unsure(self, record: Record, why: str) -> TransientError:
        return TransientError(f"provider {self._fleet.name}: VM {record.name} may be on a host: {why}; ask again")

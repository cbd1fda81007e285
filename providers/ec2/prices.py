"""What VMs cost by the hour: libcloud's price list, EC2's history of spot prices, the settings before both."""

from __future__ import annotations

import bisect
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ..errors import ProviderError
from ..provider import Size
from .api import Api
from .settings import Ec2Settings

log = logging.getLogger(__name__)

_KEEP = 600.0  # seconds that a spot price is taken for the present one
_AGAIN = 60.0  # seconds until it is asked for again after an error
_PRODUCT = "Linux/UNIX"
_SIZES_AT_A_TIME = 100


@cache
def list_price(size: str, region: str) -> float | None:
    """On demand, Linux. The list writes 0.0 where it does not know."""
    from libcloud.pricing import get_size_price

    try:
        price = get_size_price(driver_type="compute", driver_name="ec2_linux", size_id=size, region=region)
    except KeyError:
        return None
    return float(price) if price else None


class SpotPrices:
    """The prices of each size and zone, by time. A price that cannot be had is unknown, not an error."""

    def __init__(self, api: Api, now: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._now = now
        self._clock = clock
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._fresh: dict[str, float] = {}
        self._history: dict[tuple[str, str], list[tuple[float, float]]] = {}

    def learn(self, sizes: Collection[str], since: float | None = None) -> None:
        """Ask for what is not known: the prices of the sizes as they are now, or since the Instant."""
        with self._asking:  # who comes second finds it known
            wanted = [size for size in dict.fromkeys(sizes) if since is not None or self._stale(size)]
            for start in range(0, len(wanted), _SIZES_AT_A_TIME):
                self._ask(wanted[start : start + _SIZES_AT_A_TIME], self._now() if since is None else since)

    def _stale(self, size: str) -> bool:
        return self._clock() >= self._fresh.get(size, float("-inf"))

    def _ask(self, sizes: Sequence[str], since: float) -> None:
        keep = _KEEP
        try:
            rows = list(
                self._api.pages(
                    "describe_spot_price_history",
                    "SpotPriceHistory",
                    InstanceTypes=list(sizes),
                    ProductDescriptions=[_PRODUCT],
                    StartTime=datetime.fromtimestamp(since, UTC),
                )
            )
        except ProviderError as exc:
            log.info("spot prices of %s are not known: %s", ", ".join(sizes), exc)
            rows, keep = [], _AGAIN
        with self._lock:
            for row in rows:
                self._add(row)
            self._fresh.update(dict.fromkeys(sizes, self._clock() + keep))

    def _add(self, row: dict[str, Any]) -> None:
        history = self._history.setdefault((row["InstanceType"], row["AvailabilityZone"]), [])
        point = (row["Timestamp"].timestamp(), float(row["SpotPrice"]))
        at = bisect.bisect_left(history, point)
        if at == len(history) or history[at] != point:
            history.insert(at, point)

    def missing(self, size: str, zone: str) -> bool:
        """Nothing is known, and it is worth asking."""
        with self._lock:
            return (size, zone) not in self._history and self._stale(size)

    def at(self, size: str, zone: str, when: float) -> float | None:
        """The price at an Instant, of what is known."""
        with self._lock:
            history = self._history.get((size, zone))
            if not history:
                return None
            place = bisect.bisect_right(history, (when, float("inf")))
            return history[max(0, place - 1)][1] or None

    def lowest(self, size: str, zones: Collection[str]) -> float | None:
        """The present price in the cheapest of the zones (of all, if none is named)."""
        with self._lock:
            latest = [h[-1][1] for (s, z), h in self._history.items() if s == size and (not zones or z in zones)]
        return min((price for price in latest if price), default=None)


def all_sizes(api: Api, settings: Ec2Settings, spot: SpotPrices) -> list[Size]:
    """libcloud's table for the region, and what else the settings name; spot prices of what the settings name."""
    spot.learn([size for size in settings.configured_sizes if size not in settings.low_priority_prices])
    named = {*settings.configured_sizes, *settings.prices, *settings.low_priority_prices}
    known = _table(settings.region)
    sizes = []
    for name, (cpus, memory) in sorted({**known, **_described(api, sorted(named - known.keys()))}.items()):
        usual = settings.prices.get(name, list_price(name, settings.region))
        low = settings.low_priority_prices.get(name, spot.lowest(name, settings.zones))
        sizes.append(Size(name, cpus, memory, usual or None, low or None))
    return sizes


def _described(api: Api, names: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Sizes that are newer than the table, as EC2 tells of them; {} if it does not."""
    if not names:
        return {}
    try:
        rows = api.ec2("describe_instance_types", InstanceTypes=list(names))["InstanceTypes"]
    except ProviderError as exc:
        log.info("sizes %s are not known: %s", ", ".join(names), exc)
        return {}
    return {row["InstanceType"]: (row["VCpuInfo"]["DefaultVCpus"], row["MemoryInfo"]["SizeInMiB"]) for row in rows}


@cache
def _table(region: str) -> dict[str, tuple[float, int]]:
    from libcloud.compute.constants.ec2_instance_types import INSTANCE_TYPES
    from libcloud.compute.constants.ec2_region_details_complete import REGION_DETAILS

    offered = REGION_DETAILS[region]["instance_types"] if region in REGION_DETAILS else INSTANCE_TYPES
    rows: dict[str, Any] = {name: INSTANCE_TYPES[name] for name in offered if name in INSTANCE_TYPES}
    return {name: (float(row["extra"].get("vcpu") or 0), int(row["ram"])) for name, row in sorted(rows.items())}


def size_names(region: str) -> Collection[str]:
    """Those that libcloud's table has for the region."""
    return _table(region)


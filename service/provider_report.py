"""What `ebbtide provider list` tells: what is configured, what it can do, whether it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from providers import Capabilities, Provider, ProviderError, Size

from .boot_times import BootTimes
from .money import money
from .provider_options import driver_of

_WORDS = {
    "low_priority": "low-priority",
    "user_data": "user data",
    "subnets": "subnets",
    "isolation": "isolation",
    "max_price": "price limit",
    "console": "console",
    "preempt": "preempt",
}


@dataclass(frozen=True)
class ProviderRow:
    """`error`: why it could not be opened, or did not answer. `vms`: how many this deployment has there."""

    name: str
    driver: str
    default: bool
    region: str | None
    zones: tuple[str, ...] = ()
    capabilities: Capabilities | None = None
    vms: int | None = None
    error: str | None = None
    size: str | None = None
    price: float | None = None
    low_priority_price: float | None = None
    boots: tuple[BootTimes, ...] = ()

    @property
    def usable(self) -> bool:
        """Its settings are such that it could be asked."""
        return self.capabilities is not None

    def to_json(self) -> dict[str, Any]:
        can = self.capabilities
        return {
            "name": self.name,
            "driver": self.driver,
            "default": self.default,
            "region": self.region,
            "zones": list(self.zones),
            "capabilities": {_camel(name): value for name, value in asdict(can).items()} if can is not None else None,
            "answers": self.error is None,
            "error": self.error,
            "vms": self.vms,
            "size": self.size,
            "pricePerHour": self.price,
            "lowPriorityPricePerHour": self.low_priority_price,
            "bootTimes": [asdict(each) for each in self.boots],
        }

    def cells(self) -> tuple[str, ...]:
        where = ", ".join(self.zones) or self.region or "-"
        can = [word for name, word in _WORDS.items() if getattr(self.capabilities, name, False)]
        price = "-"
        if self.size is not None:
            price = f"{self.size}: {money(self.price)}"
            if self.low_priority_price is not None:
                price += f", low-priority {money(self.low_priority_price)}"
        boots = [f"{each.size} {each.usable:.1f} s" for each in self.boots]
        answers = "no" if self.usable else "cannot be used"
        if self.error is None:
            answers = f"yes, {self.vms} VM{'' if self.vms == 1 else 's'}"
        name = f"{self.name} (default)" if self.default else self.name
        return name, self.driver, where, ", ".join(can) or "-", price, ", ".join(boots) or "-", answers


HEADINGS = ("provider", "driver", "where", "can do", "price per hour", "usable after", "answers")


def provider_rows(
    options: Mapping[str, Mapping[str, Any]],
    opened: Mapping[str, Provider | ProviderError],
    default: str,
    boots: Mapping[str, Sequence[BootTimes]],
) -> list[ProviderRow]:
    """Asks all providers at the same time."""

    def row(name: str) -> ProviderRow:
        return _row(name, options[name], opened[name], name == default, tuple(boots.get(name, ())))

    with ThreadPoolExecutor(16, thread_name_prefix="provider") as executor:
        return list(executor.map(row, options))


def _row(
    name: str, options: Mapping[str, Any], opened: Provider | ProviderError, default: bool, boots: tuple[BootTimes, ...]
) -> ProviderRow:
    region = options.get("region")
    about: dict[str, Any] = {
        "name": name,
        "driver": driver_of(name, options),
        "default": default,
        "region": str(region) if region is not None else None,
        "boots": boots,
    }
    if isinstance(opened, ProviderError):
        return ProviderRow(**about, zones=_zones(options.get("zones")), error=str(opened))
    profile, usual = opened.profile(), opened.profile().default_size
    about |= {"zones": profile.zones, "capabilities": opened.capabilities(), "size": usual}
    try:
        about["vms"] = len(opened.list_owned())
        size = _size(opened, usual) if usual is not None else None
    except ProviderError as exc:
        return ProviderRow(**about, error=str(exc))
    if size is not None:
        about |= {"price": size.price_per_hour, "low_priority_price": size.low_priority_price_per_hour}
    return ProviderRow(**about)


def _zones(written: object) -> tuple[str, ...]:
    """As the settings have them, right or wrong."""
    return tuple(map(str, written)) if isinstance(written, list | tuple) else (str(written),) if written else ()


def _size(provider: Provider, name: str) -> Size | None:
    return next((size for size in provider.sizes() if size.name == name), None)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

"""The settings that every cloud has, under the same names everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .batch_images import usual_images
from .bootstrap import Bootstrap
from .errors import InvalidRequestError
from .host_keys import HostKeys
from .provider import Profile, VmSpec
from .settings import SettingsReader

_API_TIMEOUT = 30.0  # seconds for one call
_IDLE_TIMEOUT = 1800.0  # seconds without a word from a controller after which a node powers itself off
_LOOK_EVERY = 20.0  # the dead-man timer is not finer than this


@dataclass(frozen=True)
class CloudSettings:
    region: str | None
    zones: tuple[str, ...]
    endpoint: str | None
    image: str | None
    images: Mapping[str, str]  # Batch image name -> the cloud's image
    size: str | None
    sizes: Mapping[str, tuple[str, ...]]  # vmSize -> the cloud's sizes, best first
    user: str
    port: int
    public: bool  # nodes are reached by their public address
    subnet: str | None
    security_groups: tuple[str, ...]
    key_pair: str | None
    user_data: str | None
    node_root: str
    boot_timeout: float | None
    dead_man: float | None
    max_vms: int | None
    max_price: float | None
    prices: Mapping[str, float]
    low_priority_prices: Mapping[str, float]
    console_keys: bool  # host keys are read from the console instead of given in user data
    tags: Mapping[str, str] = field(default_factory=dict)
    timeout: float = _API_TIMEOUT

    def profile(
        self,
        notices: str | None = None,
        own_sizes: str | None = None,
        distributions: Mapping[str, str] | None = None,
        batch_images: Literal["azure"] | None = None,
    ) -> Profile:
        """`distributions`: the cloud's image for each; the rest as in Profile."""
        return Profile(
            sizes=self.sizes,
            default_size=self.size,
            zones=self.zones,
            boot_timeout=self.boot_timeout,
            notices=notices,
            image=self.image,
            own_sizes=own_sizes,
            usual_images=usual_images(distributions or {}),
            batch_images=batch_images,
        )

    def price(self, size: str, low_priority: bool) -> float | None:
        """What the settings say a VM of that size costs in an hour."""
        return (self.low_priority_prices if low_priority else self.prices).get(size)

    def script(self, spec: VmSpec, host_keys: HostKeys | None) -> str:
        """The user data of a new VM. Raises InvalidRequestError."""
        private = None
        if not self.console_keys:
            if host_keys is None:
                raise InvalidRequestError(f"VM {spec.name}: no secret to make its host key of was handed in")
            private = host_keys.private(spec.name)
        own = spec.user_data if spec.user_data is not None else self.user_data
        try:
            return Bootstrap(self.user, spec.public_key, private, self.node_root, self.dead_man, own).script()
        except ValueError as exc:
            raise InvalidRequestError(f"VM {spec.name}: {exc}") from exc


def read_cloud_settings(
    reader: SettingsReader, *, consoles: bool, user: str = "ebbtide", public: bool = True
) -> CloudSettings:
    """Takes what is common; the caller takes the rest and finishes. `consoles`: the cloud lets us read consoles.

    `user` and `public` are defaults: a user that no image has is made at first boot. Raises InvalidRequestError.
    """
    return CloudSettings(
        region=reader.text("region"),
        zones=reader.texts("zones"),
        endpoint=reader.url("endpoint"),
        image=reader.text("image"),
        images=reader.mapping("images"),
        size=reader.text("size"),
        sizes=reader.lists("sizes"),
        user=reader.text("sshUser") or user,
        port=reader.port("sshPort", 22),
        public=reader.choice("sshAddress", ("private", "public"), "public" if public else "private") == "public",
        subnet=reader.text("subnet"),
        security_groups=reader.texts("securityGroups"),
        key_pair=reader.text("keyPair"),
        user_data=reader.text("userData"),
        node_root=reader.text("nodeRoot") or "/mnt/batch/tasks",
        boot_timeout=reader.seconds("bootTimeout", None, least=1.0),
        dead_man=reader.seconds("idleTimeout", _IDLE_TIMEOUT, least=_LOOK_EVERY),
        max_vms=reader.count("maxVms"),
        max_price=reader.limit("maxPrice"),
        prices=reader.prices("prices", None),
        low_priority_prices=reader.prices("lowPriorityPrices", None),
        console_keys=reader.choice("hostKeys", ("userData", "console") if consoles else ("userData",), "userData")
        == "console",
        tags=reader.mapping("tags"),
        timeout=reader.number("timeout", _API_TIMEOUT, least=0.1),
    )

"""The settings of the qemu provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError
from ..provider import Profile
from ..settings import SettingsReader

ACCELERATORS = ("auto", "kvm", "tcg")
_IDLE_TIMEOUT = 1800.0  # seconds without a word from a controller after which a node powers itself off
_LOOK_EVERY = 20.0  # the dead-man timer is not finer than this
_DISK = 20.0  # GiB


@dataclass(frozen=True)
class GuestSize:
    cpus: int
    memory: int  # MiB
    disk: float = _DISK  # GiB; an image that is larger stays as large as it is


@dataclass(frozen=True)
class GuestImage:
    """A disk that boots by itself, or a kernel that is booted directly, with or without a disk."""

    disk: Path | None = None
    kernel: Path | None = None
    initrd: Path | None = None
    append: str = "console=ttyS0"

    @property
    def files(self) -> list[Path]:
        return [file for file in (self.disk, self.kernel, self.initrd) if file is not None]


SIZES = {
    "qemu.small": GuestSize(1, 1024),
    "qemu.medium": GuestSize(2, 4096),
    "qemu.large": GuestSize(4, 8192),
}


@dataclass(frozen=True)
class QemuSettings:
    base: Path
    deployment: str
    images: Mapping[str, GuestImage]
    image: str | None = None  # of pools that name none
    sizes: Mapping[str, GuestSize] = field(default_factory=lambda: SIZES)
    size: str | None = None  # what sizes of Azure's that are not in `sizes` stand for
    program: str = "qemu-system-x86_64"
    accelerator: str = "auto"
    restrict: bool = False  # no way out of the VM but the forwarded SSH port
    user: str = "ebbtide"
    node_root: str = "/mnt/batch/tasks"
    user_data: str | None = None
    boot_timeout: float | None = None
    dead_man: float | None = _IDLE_TIMEOUT
    max_vms: int | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)

    def profile(self) -> Profile:
        return Profile(
            sizes={name: (name,) for name in self.sizes},
            default_size=self.size,
            boot_timeout=self.boot_timeout,
            image=self.image,
            reach="each VM has a network of its own; use provider local, or a cloud",
        )

    def price(self, size: str, low_priority: bool) -> float:
        """Per hour; a VM on this machine costs nothing unless the settings say otherwise."""
        return (self.low_priority_prices if low_priority else self.prices).get(size, 0.0)


def read_settings(name: str, settings: Mapping[str, Any], deployment: str) -> QemuSettings:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    base, image, size = reader.text("baseDir"), reader.text("image"), reader.text("size")
    images = {key: _image(f"{name}, images.{key}", value) for key, value in reader.table("images").items()}
    sizes = {key: _size(f"{name}, sizes.{key}", value) for key, value in reader.table("sizes").items()} or SIZES
    if image is not None and image not in images and "/" in image:
        images[image] = _image(f"{name}, image", image)
    parsed = QemuSettings(
        base=Path(base or "."),
        deployment=deployment,
        images=images,
        image=image or next(iter(images), None),
        sizes=sizes,
        size=size,
        program=reader.text("qemu") or QemuSettings.program,
        accelerator=reader.choice("accelerator", ACCELERATORS, "auto"),
        restrict=reader.flag("restrict"),
        user=reader.text("sshUser") or QemuSettings.user,
        node_root=reader.text("nodeRoot") or QemuSettings.node_root,
        user_data=reader.text("userData"),
        boot_timeout=reader.seconds("bootTimeout", None, least=1.0),
        dead_man=reader.seconds("idleTimeout", _IDLE_TIMEOUT, least=_LOOK_EVERY),
        max_vms=reader.count("maxVms"),
        prices=reader.prices("prices", sizes),
        low_priority_prices=reader.prices("lowPriorityPrices", sizes),
    )
    reader.finish()
    if base is None:
        raise InvalidRequestError(f"provider {name}: set baseDir to the directory that shall hold the VMs")
    for key, wanted, known in (("image", parsed.image, images), ("size", size, sizes)):
        if wanted is not None and wanted not in known:
            listed = ", ".join(known) or "none"
            raise InvalidRequestError(f"provider {name}: {key} is {wanted!r}, which is not in {key}s: {listed}")
    if not images:
        raise InvalidRequestError(f"provider {name}: set image to the path of a cloud image (qcow2 or raw)")
    return parsed


def _image(place: str, value: object) -> GuestImage:
    reader = SettingsReader(place, value if isinstance(value, Mapping) else {"disk": value})
    paths = {key: _path(place, key, reader.text(key)) for key in ("disk", "kernel", "initrd")}
    append = reader.text("append")
    reader.finish()
    if paths["kernel"] is None and (paths["disk"] is None or paths["initrd"] or append):
        raise InvalidRequestError(f"provider {place}: name a disk; or a kernel, to which initrd and append belong")
    return GuestImage(**paths, append=append or GuestImage.append)


def _path(place: str, key: str, text: str | None) -> Path | None:
    path = Path(text).expanduser() if text is not None else None
    if path is not None and not path.is_absolute():
        raise InvalidRequestError(f"provider {place}: {key} is {text!r}; it must be an absolute path")
    return path


def _size(place: str, value: object) -> GuestSize:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"provider {place} is {value!r}; it must be {{cpus: 2, memory: 4096}} (in MiB)")
    reader = SettingsReader(place, value)
    cpus, memory, disk = reader.count("cpus"), reader.count("memory"), reader.number("disk", _DISK)
    reader.finish()
    if not cpus or not memory:
        raise InvalidRequestError(f"provider {place}: cpus and memory (in MiB) must be given, and at least 1")
    return GuestSize(cpus, memory, disk)

"""Machine images: by id, by the settings' names, or by EC2's own names among owners that are trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidRequestError
from ..provider import Image
from .api import Api
from .errors import code_of
from .settings import Ec2Settings
from .turns import Turns

_KEEP = 600.0  # seconds that a name stands for the same image; what an id stands for never changes


@dataclass(frozen=True)
class MachineImage:
    id: str
    name: str
    architecture: str
    root: str | None  # device of the root disk
    disks: Mapping[str, int | None]  # GiB of all EBS disks that it makes, by device


class Images:
    """Asks for one image at a time, never for all that there are."""

    def __init__(self, api: Api, settings: Ec2Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._turns = Turns()
        self._found: dict[str, tuple[float, MachineImage]] = {}

    def offered(self) -> list[Image]:
        """Those that the settings name."""
        named = [Image(name, image) for name, image in self._settings.images.items()]
        default = self._settings.image
        return ([Image(default)] if default is not None and default not in self._settings.images else []) + named

    def resolve(self, wanted: str) -> MachineImage:
        """Raises InvalidRequestError: there is no such image."""
        name = self._settings.images.get(wanted, wanted)
        with self._turns.take():  # fifty creates at once ask once
            kept = self._found.get(name)
            if kept is None or (not name.startswith("ami-") and self._clock() > kept[0] + _KEEP):
                kept = self._found[name] = (self._clock(), self._ask(wanted, name))
            return kept[1]

    def _ask(self, wanted: str, name: str) -> MachineImage:
        if name.startswith("ami-"):
            try:
                rows = self._api.ec2("describe_images", ImageIds=[name])["Images"]
            except InvalidRequestError as exc:
                raise self._refusal(wanted, code_of(exc) or str(exc)) from exc
        else:
            # only owners that are trusted: anybody may publish an image of any name
            owner, _, pattern = name.partition("/")
            owned = bool(pattern) and (owner.isdigit() or owner in ("self", "amazon"))
            owners, pattern = ([owner], pattern) if owned else (list(self._settings.image_owners), name)
            wanted_ones = [{"Name": "name", "Values": [pattern]}, {"Name": "state", "Values": ["available"]}]
            rows = self._api.ec2("describe_images", Owners=owners, Filters=wanted_ones)["Images"]
        if not rows:
            raise self._refusal(wanted, "EC2 lists none of that name or id")
        return _image(max(rows, key=lambda row: str(row.get("CreationDate", ""))))

    def _refusal(self, wanted: str, why: str) -> InvalidRequestError:
        known = ", ".join(image.name for image in self.offered()) or "nothing by name"
        return InvalidRequestError(
            f"provider {self._api.name} does not know the image {wanted!r} in {self._settings.region}: {why}; name an "
            f"ami-... of this region, OWNER/NAME, or one of `images` (the settings name {known})"
        )


def _image(row: dict[str, Any]) -> MachineImage:
    disks = [each for each in row.get("BlockDeviceMappings", ()) if "Ebs" in each]
    return MachineImage(
        id=row["ImageId"],
        name=row.get("Name", ""),
        architecture=row.get("Architecture", ""),
        root=row.get("RootDeviceName"),
        disks={each["DeviceName"]: each["Ebs"].get("VolumeSize") for each in disks},
    )

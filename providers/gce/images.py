"""Finding an image of Google's by the short name that people use."""

from __future__ import annotations

import re
from typing import Any

from libcloud.common.google import ResourceNotFoundError

from ..errors import InvalidRequestError

#: What a public image's name begins with -> the project that has it.
_PUBLIC = {
    "debian": "debian-cloud",
    "ubuntu": "ubuntu-os-cloud",
    "rocky-linux": "rocky-linux-cloud",
    "almalinux": "almalinux-cloud",
    "centos-stream": "centos-cloud",
    "fedora-cloud": "fedora-cloud",
    "opensuse": "opensuse-cloud",
    "rhel": "rhel-cloud",
    "sles": "suse-cloud",
}
#: Families, which stand for their newest image.
DISTRIBUTIONS = {
    "ubuntu-20.04": "ubuntu-2004-lts",
    "ubuntu-22.04": "ubuntu-2204-lts",
    "ubuntu-24.04": "ubuntu-2404-lts-amd64",
    "debian-11": "debian-11",
    "debian-12": "debian-12",
    "almalinux-9": "almalinux-9",
}
_PATH = re.compile(r"(?:https://[^/]+/compute/[^/]+/)?projects/([^/]+)(/global/images/(?:family/)?[^/]+)\Z")


def find_image(driver: Any, wanted: str, project: str, provider: str) -> str:
    """The path of an image for `sourceImage`; of a family, its newest. `wanted`: a path as Google writes it, or the
    name of an image or family in the project or among the public ones. Raises InvalidRequestError."""
    if matched := _PATH.match(wanted):
        places = [(matched[1], matched[2])]
    else:
        projects = [project] + [public for start, public in _PUBLIC.items() if wanted.startswith(start)]
        kinds = ("/global/images/", "/global/images/family/")
        places = [(where, kind + wanted) for where in projects for kind in kinds]
    for where, path in places:
        try:
            found = driver.ex_elsewhere(where, path)
        except ResourceNotFoundError:
            continue
        return f"projects/{where}/global/images/{found['name']}"
    raise InvalidRequestError(
        f"provider {provider} does not know the image {wanted!r}; name a family such as debian-12, or"
        " projects/PROJECT/global/images/IMAGE"
    )

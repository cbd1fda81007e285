"""What the settings of qemu may say."""

from pathlib import Path
from typing import Any

import pytest

from providers import HostKeys, InvalidRequestError, Provider, open_provider

BASE = {"baseDir": "/nowhere/vms", "image": "/images/debian.qcow2"}


def opened(**settings: Any) -> Provider:
    given = {key: value for key, value in {**BASE, **settings}.items() if value is not ...}
    return open_provider("vms", {"driver": "qemu", **given}, "dep", host_keys=HostKeys(bytes(32)))


def test_a_path_is_enough() -> None:
    provider = opened()
    assert [image.name for image in provider.images()] == ["/images/debian.qcow2"]
    assert {size.name: (size.cpus, size.memory_mib) for size in provider.sizes()} == {
        "qemu.small": (1, 1024),
        "qemu.medium": (2, 4096),
        "qemu.large": (4, 8192),
    }
    profile, can = provider.profile(), provider.capabilities()
    assert (profile.image, profile.boot_timeout) == ("/images/debian.qcow2", None)
    assert (can.isolation, can.console, can.user_data, can.low_priority, can.max_vms) == (False, True, True, True, None)
    assert not Path("/nowhere").exists(), "nothing is made before it is needed"


def test_everything_can_be_said() -> None:
    provider = opened(
        image="debian",
        images={"debian": "/images/debian.qcow2", "own": {"kernel": "/k", "initrd": "/i", "disk": "/d", "append": "a"}},
        sizes={"standard_d2s_v3": {"cpus": 2, "memory": 8192, "disk": 50}, "tiny": {"cpus": 1, "memory": 128}},
        size="tiny",
        accelerator="tcg",
        restrict=True,
        maxVms=3,
        bootTimeout=120,
        idleTimeout=None,
        sshUser="debian",
        nodeRoot="/srv/node",
        userData="#!/bin/sh\n",
        qemu="/opt/qemu/bin/qemu-system-x86_64",
        prices={"tiny": 0.01},
    )
    assert provider.images()[1].description == "/d, /k, /i"
    profile = provider.profile()
    assert (profile.image, profile.boot_timeout) == ("debian", 120.0)
    placed = [profile.placements(size)[0].size for size in ("standard_d2s_v3", "standard_a1", "tiny", "other")]
    assert placed == ["standard_d2s_v3", "tiny", "tiny", "other"]
    assert provider.capabilities().max_vms == 3 and provider.capabilities().isolation


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"baseDir": ...}, "set baseDir"),
        ({"image": ...}, "set image to the path of a cloud image"),
        ({"image": "debian"}, r"image is 'debian', which is not in images: none"),
        ({"image": "images/debian.qcow2"}, "'images/debian.qcow2'; it must be an absolute path"),
        ({"images": {"a": 7}}, r"images.a: setting disk is 7; it must be a text"),
        ({"images": {"a": {}}}, r"images.a: name a disk; or a kernel"),
        ({"images": {"a": {"initrd": "/i"}}}, r"images.a: name a disk; or a kernel"),
        ({"images": {"a": {"disk": "/d", "append": "quiet"}}}, r"images.a: name a disk; or a kernel"),
        ({"images": {"a": {"disc": "/d"}}}, r"images.a: unknown setting disc; did you mean disk\?"),
        ({"images": ["/d"]}, "images is .*; it must be a mapping of names"),
        ({"sizes": {"a": 4}}, r"sizes.a is 4; it must be \{cpus: 2, memory: 4096\}"),
        ({"sizes": {"a": {"cpus": 1}}}, "sizes.a: cpus and memory .* must be given"),
        ({"sizes": {"a": {"cpus": 1, "memory": "1G"}}}, "memory is '1G'; it must be a whole number"),
        ({"size": "small"}, "size is 'small', which is not in sizes: qemu.small, qemu.medium, qemu.large"),
        ({"accelerator": "hvf"}, "accelerator is 'hvf'; it must be auto or kvm or tcg"),
        ({"restrict": "yes"}, "restrict is 'yes'; it must be true or false"),
        ({"idleTimeout": 5}, r"idleTimeout is .*; it must be 0 \(off\) or at least 20 seconds"),
        ({"prices": {"huge": 1.0}}, "prices names the unknown size 'huge'"),
        ({"region": "here"}, "unknown setting region; it knows accelerator, baseDir, "),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said) as caught:
        opened(**settings)
    assert str(caught.value).startswith("provider vms")


def test_host_keys_are_needed() -> None:
    with pytest.raises(InvalidRequestError, match="host keys"):
        open_provider("vms", {"driver": "qemu", **BASE}, "dep")

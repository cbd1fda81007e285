"""The images that pools can ask for: those of Batch that the providers have, and those of the settings."""

import pytest

from providers import open_provider
from service.name_lists import grouped
from service.offers import offer
from service.supported_images import supported_images

EC2 = {"region": "us-east-1", "accessKeyId": "a", "secretAccessKey": "b"}


def offers(tmp_path, **providers):
    found = {}
    for name, options in providers.items():
        options = {"baseDir": str(tmp_path), **options} if options.get("driver", name) == "local" else options
        found[name] = offer(open_provider(name, options, "0123456789ab"), options)
    return found


def by_name(images):
    parts = ("publisher", "offer", "sku")
    return {"/".join(image["imageReference"][part] for part in parts): image for image in images}


JAMMY, HPC = "canonical/0001-com-ubuntu-server-jammy/22_04-lts", "microsoft-dsvm/ubuntu-hpc/2204"


def test_one_that_everybody_has(tmp_path):
    found = by_name(supported_images(offers(tmp_path, local={}, ec2=EC2)))
    assert found[JAMMY] == {
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
        "imageReference": {
            "publisher": "canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-lts",
            "version": "latest",
        },
        "osType": "linux",
        "capabilities": [],
        "verificationType": "verified",
        "providers": [
            {"name": "local", "image": "local"},
            {"name": "ec2", "image": "099720109477/ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"},
        ],
    }


@pytest.mark.parametrize(
    ("providers", "capabilities"),
    [
        ({"ec2": EC2}, ["DockerCompatible", "NvidiaTeslaDriverInstalled"]),
        ({"local": {}}, []),
        ({"local": {}, "ec2": EC2}, []),
        ({"ec2": {**EC2, "images": {HPC: "ami-1"}}}, []),
    ],
)
def test_only_what_is_so_at_every_provider_is_said_of_an_image(tmp_path, providers, capabilities):
    assert by_name(supported_images(offers(tmp_path, **providers)))[HPC]["capabilities"] == capabilities


def test_those_of_the_settings(tmp_path):
    own = {"my:own:image:1.2": "ami-1", "gpu": "ami-2", JAMMY.upper(): "ami-3", "*": "ami-4"}
    found = by_name(supported_images(offers(tmp_path, aws={"driver": "ec2", **EC2, "images": own})))
    mine, alias = found["my/own/image"], found["aws/images/gpu"]
    assert (mine["imageReference"]["version"], mine["verificationType"]) == ("1.2", "unverified")
    assert alias["imageReference"]["virtualMachineImageId"] == "gpu"
    assert alias["providers"] == [{"name": "aws", "image": "ami-2"}]
    assert found[JAMMY]["providers"] == [{"name": "aws", "image": "ami-3"}]
    assert not any("*" in name for name in found)
    assert len([name for name in found if name.lower() == JAMMY]) == 1


def test_each_can_be_asked_for(tmp_path):
    own = {"my/own/image": "ami-1", "gpu": "ami-2"}
    there = offers(tmp_path, local={}, aws={"driver": "ec2", **EC2, "images": own})
    for image in supported_images(there):
        for each in image["providers"]:
            assert there[each["name"]].image_of(image["imageReference"]) == each["image"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], []),
        (["a"], ["a"]),
        (["d2s_v3", "d4s_v3", "d2s_v4"], ["d{2,4}s_v3", "d2s_v4"]),
        (["a1", "b1", "a2"], ["a{1,2}", "b1"]),
    ],
)
def test_names_that_differ_in_a_number_are_one(names, found):
    assert grouped(names) == found

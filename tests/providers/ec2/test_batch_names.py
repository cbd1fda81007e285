"""What images and sizes of Azure's are on EC2."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
from libcloud.compute.constants.ec2_instance_types import INSTANCE_TYPES

from providers import BATCH_IMAGES, Placement
from providers.ec2.batch_names import IMAGES, OWN_SIZES, SIZES
from providers.ec2.prices import list_price
from tests.providers.ec2.conftest import Account

JAMMY = IMAGES["canonical/0001-com-ubuntu-server-jammy/22_04-lts"]


def machine(size: str) -> tuple[float, float, float]:
    """vCPUs, GiB of memory and GPUs of a size of EC2's, as libcloud's table has them."""
    row = cast(dict[str, Any], INSTANCE_TYPES[size])
    return float(row["extra"]["vcpu"]), row["ram"] / 1024, float(row["extra"].get("gpu") or 0)


def test_every_size_stands_for_sizes_that_ec2_has() -> None:
    for name, sizes in SIZES.items():
        assert name == name.lower() and sizes
        for size in sizes:
            assert size in INSTANCE_TYPES and re.fullmatch(OWN_SIZES, size), name


#: Azure's families that are named by vCPUs: GiB of memory for each of them.
RATIOS = {"d": 4, "e": 8, "f": 2, "l": 8}
_BY_CPUS = re.compile(r"standard_([defl])(\d+)([a-z]*_v[2-6])")


def test_a_size_of_a_family_is_as_large() -> None:
    found = [(match, sizes) for name, sizes in SIZES.items() if (match := _BY_CPUS.fullmatch(name))]
    found = [(match, sizes) for match, sizes in found if match[1] != "d" or match[3] not in ("_v2", "s_v2")]
    assert len(found) > 200
    for match, sizes in found:
        for size in sizes:
            assert machine(size)[:2] == (int(match[2]), int(match[2]) * RATIOS[match[1]]), (match[0], size)


@pytest.mark.parametrize("name", ["standard_d2s_v3", "standard_d8s_v5", "standard_f4s_v2"])
def test_the_next_best_size_costs_about_the_same(name: str) -> None:
    first, *others = (list_price(size, "us-east-1") for size in SIZES[name])
    assert first is not None and others
    assert all(price is not None and price <= 1.05 * first for price in others)


@pytest.mark.parametrize(
    ("name", "size", "gpus"),
    [
        ("standard_nc6s_v3", "p3.2xlarge", 1),
        ("standard_nc24s_v3", "p3.8xlarge", 4),
        ("standard_nc4as_t4_v3", "g4dn.xlarge", 1),
        ("standard_nc64as_t4_v3", "g4dn.12xlarge", 4),
        ("standard_nv36ads_a10_v5", "g5.8xlarge", 1),
        ("standard_nd96asr_v4", "p4d.24xlarge", 8),
        ("standard_nd96isr_h100_v5", "p5.48xlarge", 8),
    ],
)
def test_sizes_with_gpus(name: str, size: str, gpus: int) -> None:
    assert SIZES[name] == (size,)
    assert machine(size)[2] in (gpus, 0)  # the table does not tell of every size


def test_what_the_settings_say_goes_first(account: Account) -> None:
    own = account.open(sizes={"standard_d2s_v3": ["t3.large"]}, size=None).profile()
    assert own.placements("Standard_D2s_v3") == (Placement("t3.large"),)
    assert [place.size for place in own.placements("Standard_D4s_v3")] == ["m5.xlarge", "m6i.xlarge"]
    one = account.open(size="t3.small").profile()
    assert one.placements("standard_d4s_v3") == (Placement("t3.small"),)
    assert one.placements("m5.large") == (Placement("m5.large"),)


def test_every_image_names_its_owner() -> None:
    assert {image.name for image in BATCH_IMAGES} == set(IMAGES)
    for image in IMAGES.values():
        owner, _, name = image.partition("/")
        assert name and (owner == "amazon" or re.fullmatch(r"\d{12}", owner))


def test_an_image_whose_name_has_slashes_is_looked_for_at_its_owner(account: Account) -> None:
    account.open().create(account.spec(image=JAMMY))
    sent = account.params("DescribeImages")
    assert (sent["Owner.1"], sent["Filter.1.Value.1"]) == tuple(JAMMY.split("/", 1))
    assert "Owner.2" not in sent
    assert account.params("RunInstances")["ImageId"] == "ami-0e0bb71de00000003"


def test_the_document_names_them_all() -> None:
    text = (Path(__file__).parents[3] / "docs" / "clouds" / "ec2.md").read_text()
    section = text.partition("## Sizes and images of Azure\n")[2].partition("\n## ")[0]
    rows = [[re.findall("`([^`]+)`", cell) for cell in line.strip("|").split("|")] for line in section.splitlines()]
    told = {name: row[1] for row in rows if len(row) == 2 for each in row[0] for name in expanded(each)}
    assert set(SIZES) == {name for name in told if name.startswith("standard_")}
    for name, sizes in SIZES.items():
        assert [size.partition(".")[0] for size in sizes] == [each.partition(".")[0] for each in told[name]], name
    assert set(IMAGES.values()) == {image for name, images in told.items() if "/" in name for image in images}


def expanded(name: str) -> list[str]:
    """The names that a shell would make of it."""
    start, brace, rest = name.partition("{")
    numbers, _, end = rest.partition("}")
    return [f"{start}{number}{end}" for number in numbers.split(",")] if brace else [name]

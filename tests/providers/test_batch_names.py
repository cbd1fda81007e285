"""What the names of Azure Batch are at each provider, and that nobody is asked for it."""

import re

import pytest

from providers import BATCH_IMAGES, InvalidRequestError, open_provider

from .clouds.base import CloudUnderTest
from .clouds.local import LocalCloud


def test_a_size_that_there_is_looks_like_one(cloud: CloudUnderTest) -> None:
    profile, sizes = cloud.provider.profile(), [size.name for size in cloud.provider.sizes()]
    assert profile.all_sizes is None or set(profile.all_sizes) == set(sizes)
    if profile.own_sizes is not None:
        assert all(re.fullmatch(profile.own_sizes, size) for size in sizes)
        there_is = profile.batch_images == "azure"
        assert all(bool(re.fullmatch(profile.own_sizes, name)) == there_is for name in ("Standard_D2s_v3", "basic_a1"))


def test_azures_sizes_are_known_in_any_case(cloud: CloudUnderTest) -> None:
    profile = cloud.provider.profile()
    first, other = (profile.stands_for(name) for name in ("STANDARD_D2s_V3", "standard_d2s_v3"))
    assert [name.lower() for name in first] == [name.lower() for name in other]
    assert profile.stands_for(cloud.size) == (cloud.size,)


def test_its_images_are_named_as_batch_names_them(cloud: CloudUnderTest) -> None:
    profile = cloud.provider.profile()
    known = {image.name for image in BATCH_IMAGES}
    assert set(profile.usual_images) <= known
    assert all(profile.usual_images.values())
    assert profile.batch_images is None or not profile.usual_images


def test_the_images_of_batch() -> None:
    assert len({image.name for image in BATCH_IMAGES}) == len(BATCH_IMAGES) > 10
    for image in BATCH_IMAGES:
        assert image.name == image.name.lower() and image.name.count("/") == 2
        assert image.agent.startswith("batch.node.") and "windows" not in image.agent


@pytest.mark.parametrize(
    ("options", "size", "stands_for"),
    [
        ({}, "standard_d2s_v3", "local.small"),
        ({}, "Basic_A1", "local.small"),
        ({}, "local.large", "local.large"),
        ({"size": "local.medium"}, "standard_d2s_v3", "local.medium"),
        ({"sizes": {"Standard_D4s_v3": "local.large"}}, "standard_d4S_v3", "local.large"),
        ({"sizes": {"big": ["local.large", "local.medium"]}}, "big", "local.large"),
    ],
)
def test_sizes_of_local_nodes(local: LocalCloud, options: dict[str, object], size: str, stands_for: str) -> None:
    opened = open_provider("local", {"baseDir": str(local.base), **options}, local.deployment)
    assert opened.profile().stands_for(size)[0] == stands_for


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": "huge"}, "setting size names 'huge'; there is local.small, local.medium, local.large"),
        ({"sizes": {"big": ["local.large", "huge"]}}, "setting sizes names 'huge'"),
        ({"images": {"mine": "debian"}}, "setting images names 'debian'; there is local"),
        ({"images": ["mine"]}, "setting images is"),
    ],
)
def test_local_nodes_have_no_others(local: LocalCloud, options: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidRequestError, match=re.escape(text)):
        open_provider("local", {"baseDir": str(local.base), **options}, local.deployment)

"""Which image a pool gets, and what of a pool its provider cannot give."""

from pathlib import Path

import pytest

from pools import PoolSpec
from providers import open_provider
from service.offers import Offer, offer
from service.problems import InputError
from service.provider_options import open_one
from service.settings import Settings
from service.settings_file import load_settings
from service.workload_file import load_workload

from .offers import cloud, local, offers

UBUNTU = {"publisher": "Canonical", "offer": "ubuntu", "sku": "22_04-lts"}
OURS = {"canonical/ubuntu/22_04-LTS": "ami-1", "canonical:ubuntu:22_04-lts:2.0": "ami-2"}


@pytest.mark.parametrize(
    ("given", "reference", "image"),
    [
        (cloud(image="ami-0", images=OURS), None, "ami-0"),
        (cloud(image="ami-0", images=OURS), UBUNTU, "ami-1"),
        (cloud(image="ami-0", images=OURS), {**UBUNTU, "version": "2.0"}, "ami-2"),
        (cloud(image="ami-0", images=OURS), {**UBUNTU, "version": "1.0"}, "ami-1"),
        (cloud(image="ami-0", images=OURS), {**UBUNTU, "sku": "20"}, "ami-0"),
        (cloud(image="ami-0"), {"virtualMachineImageId": "ami-9"}, "ami-9"),
        (cloud(images=OURS), {"virtualMachineImageId": "ami-9", **UBUNTU}, "ami-9"),
        (cloud(images=OURS), None, None),
        (local("local.small"), UBUNTU, "local"),
        (local("local.small"), None, "local"),
    ],
)
def test_the_image_of_a_pool(given, reference, image):
    machine = {"imageReference": reference} if reference is not None else None
    assert given.image(PoolSpec(id="p", vm_size="s", virtual_machine_configuration=machine)) == image


def test_the_local_provider_tells_what_it_has(tmp_path):
    options = {"driver": "local", "baseDir": str(tmp_path)}
    found = offer(open_provider("here", options, "0123456789ab"), options)
    assert found.provider == "here"
    assert found.sizes == ("local.small", "local.medium", "local.large")
    assert found.usual is not None


def test_the_images_of_a_cloud_are_not_asked_for():
    class Cloud:
        name = "aws"

        def capabilities(self):
            return cloud().capabilities

        def profile(self):
            return cloud(image="ami-0").profile

    found = offer(Cloud(), {"driver": "ec2", "images": {"a/b/c": "ami-1"}})  # type: ignore[arg-type]
    assert found == Offer("aws", Cloud().capabilities(), Cloud().profile(), images={"a/b/c": "ami-1"})


def test_the_example_on_ec2():
    example = Path(__file__).resolve().parents[2] / "examples" / "recurrent"
    settings = load_settings(example / "settings-ec2.yaml", {})
    options = settings.providers["aws"]
    provider = open_one("aws", options, environment={"MY_ADDRESS": "203.0.113.7"})
    loaded = load_workload(example / "workload.yaml", settings, {"aws": offer(provider, options)})
    assert loaded.warnings == ()
    placements = provider.profile().placements(loaded.spec.pools[0].vm_size)
    assert [placement.size for placement in placements] == ["t3.small", "t3a.small"]


POOL = "pools:\n- {id: p, vmSize: %s, metadata: [{name: provider, value: %s}]%s}\n"
MACHINE = ", virtualMachineConfiguration: {imageReference: {publisher: A, offer: b, sku: c}}"


def told(tmp_path, text, *others):
    path = tmp_path / "w.yaml"
    path.write_text(text)
    try:
        loaded = load_workload(path, Settings(), offers(("local.small",), *others))
    except InputError as exc:
        return str(exc).replace(f"{tmp_path}/", "")
    return "\n".join(loaded.warnings).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("text", "other", "message"),
    [
        (POOL % ("anything", "aws", ""), cloud(image="i"), ""),
        (POOL % ("anything", "AWS", ""), cloud(image="i"), "pools[0].metadata[0].value: the settings have no "
         "provider 'AWS'; did you mean aws?"),
        (POOL % ("x", "aws", ""), cloud(), "w.yaml:2:3: pools[0]: which image its nodes start from is not known; name "
         "it in the settings: providers.aws.image"),
        (POOL % ("x", "aws", MACHINE), cloud(), "imageReference: which image its nodes start from is not known; name "
         "it in the settings: providers.aws.images: {a/b/c: ...}, or image"),
        (POOL % ("x", "aws", MACHINE), cloud(image="i"), "warning: pools[0].virtualMachineConfiguration.imageReference"
         ": the provider aws has no image of that name in its `images`; it takes i"),
        (POOL % ("x", "aws", MACHINE), cloud(images={"a/b/c": "i"}), ""),
        (POOL % ("x", "aws", ", networkConfiguration: {subnetId: s}"), cloud(image="i"), ""),
        (POOL % ("x", "aws", ", networkConfiguration: {subnetId: s}"), cloud(image="i", subnets=False), "pools[0]."
         "networkConfiguration.subnetId: the provider aws has no subnets; leave it out"),
        (POOL % ("x", "aws", ", targetLowPriorityNodes: 2"), cloud(image="i"), ""),
        (POOL % ("x", "aws", ", targetLowPriorityNodes: 2"), cloud(image="i", low_priority=False), "pools[0]."
         "targetLowPriorityNodes: the provider aws has no low-priority nodes; ask for dedicated ones"),
    ],
)  # fmt: skip
def test_what_a_provider_cannot_give(tmp_path, text, other, message):
    found = told(tmp_path, text, other)
    assert message in found if message else found == ""


def test_a_size_of_the_settings_must_stand_for_one_of_the_providers(tmp_path):
    lab = cloud("lab", sizes={"two": ("big", "small")}, default_size="small")
    lab = Offer(lab.provider, lab.capabilities, lab.profile, sizes=("small",), names=("only",))
    assert told(tmp_path, POOL % ("Standard_D2s_v3", "lab", ""), lab) == ""
    assert told(tmp_path, POOL % ("small", "lab", ""), lab) == ""
    found = told(tmp_path, POOL % ("two", "lab", ""), lab)
    assert "no size 'big' (two stands for big, small in the settings); it has small, two" in found
    assert "did you mean small?" in told(tmp_path, POOL % ("smal", "lab", ""), lab)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("[{name: Budget, value: 1}]", "pools[0].metadata[0].name: 'Budget' means nothing here; did you mean budget?"),
        ("[{name: fallBackAfter, value: 1}]", "did you mean fallbackAfter?"),
        ("[{name: budgetAction, value: warn}]", "budgetAction does nothing without budget"),
        ("[{name: fallbackFor, value: PT1M}]", "does nothing without fallbackAfter or fallbackAfterFailures"),
        ("[{name: maxPrice, value: 0.1}]", "the provider local takes no limit of the price"),
        ("[{name: team, value: blue}, {name: budget, value: 1}, {name: budgetAction, value: drain}]", ""),
    ],
)  # fmt: skip
def test_metadata_that_means_something(tmp_path, items, message):
    found = told(tmp_path, f"pools: [{{id: p, vmSize: local.small, metadata: {items}}}]\n")
    assert message in found if message else found == ""


def test_a_budget_of_a_schedule_is_one_of_its_jobs(tmp_path):
    text = """
pools: [{id: p, vmSize: local.small}]
jobSchedules:
- id: s
  schedule: {recurrenceInterval: PT5M}
  metadata: [{name: budget, value: 1}]
  jobSpecification: {poolInfo: {poolId: p}, jobManagerTask: {id: t, commandLine: x}}
"""
    assert "budget is for the jobs: it belongs into the metadata of jobSpecification" in told(tmp_path, text)

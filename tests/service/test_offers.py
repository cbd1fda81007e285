"""Which image a pool gets, and what of a pool its provider cannot give."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import PoolSpec
from providers import Profile, open_provider
from service.offers import NotOfferedError, Offer, offer
from service.problems import InputError
from service.provider_options import open_one
from service.settings import Settings
from service.settings_file import load_settings
from service.workload_file import load_workload

from .offers import cloud, local, offers

UBUNTU = {"publisher": "Canonical", "offer": "ubuntu", "sku": "22_04-lts"}
OURS = {"canonical/ubuntu/22_04-LTS": "ami-1", "canonical:ubuntu:22_04-lts:2.0": "ami-2"}


#: VMs of this machine: each image is a file that somebody has brought, and none stands for all.
VMS = Offer("vms", cloud().capabilities, Profile(image="deb"), names=("deb", "a/b/c"), images={"a/b/c": "a/b/c"})


@pytest.mark.parametrize(
    ("there", "reference", "image"),
    [
        (cloud(image="ami-0", images=OURS), None, "ami-0"),
        (cloud(image="ami-0", images=OURS), UBUNTU, "ami-1"),
        (cloud(image="ami-0", images=OURS), {**UBUNTU, "version": "2.0"}, "ami-2"),
        (cloud(image="ami-0", images=OURS), {**UBUNTU, "version": "1.0"}, "ami-1"),
        (cloud(image="ami-0"), {"virtualMachineImageId": "ami-9"}, "ami-9"),
        (cloud(images=OURS), {"virtualMachineImageId": "ami-9", **UBUNTU}, "ami-9"),
        (cloud(images={"Mine": "ami-7"}), {"virtualMachineImageId": "mine"}, "ami-7"),
        (cloud(images={"/subscriptions/S/mine": "ami-7"}), {"virtualMachineImageId": "/Subscriptions/s/mine"}, "ami-7"),
        (cloud(images={"*": "ami-8", **OURS}), {**UBUNTU, "sku": "20"}, "ami-8"),
        (cloud(images={"*": "ami-8", **OURS}), UBUNTU, "ami-1"),
        (cloud(images={"*": "ami-8"}), {"virtualMachineImageId": "ami-9"}, "ami-9"),
        (cloud(images={"*": "ami-8"}), {"virtualMachineImageId": "/subscriptions/s/mine"}, "ami-8"),
        (cloud(usual_images={"canonical/ubuntu/22_04-lts": "ami-5"}), UBUNTU, "ami-5"),
        (cloud(usual_images={"canonical/ubuntu/22_04-lts": "ami-5"}), {**UBUNTU, "version": "22.04.1"}, "ami-5"),
        (cloud(images=OURS, usual_images={"canonical/ubuntu/22_04-lts": "ami-5"}), UBUNTU, "ami-1"),
        (cloud(), {"publisher": "AWS", "offer": "Images", "sku": "ami-9"}, "ami-9"),
        (cloud(images={"mine": "ami-7"}), {"publisher": "aws", "offer": "images", "sku": "mine"}, "ami-7"),
        (cloud(batch_images="azure"), UBUNTU, "Canonical:ubuntu:22_04-lts:latest"),
        (cloud(batch_images="azure"), {**UBUNTU, "version": "1.2"}, "Canonical:ubuntu:22_04-lts:1.2"),
        (cloud(batch_images="azure"), {"virtualMachineImageId": "/subscriptions/s/mine"}, "/subscriptions/s/mine"),
        (cloud(batch_images="azure"), {"sharedGalleryImageId": "/sharedGalleries/g/i"}, "/sharedGalleries/g/i"),
        (VMS, {"publisher": "A", "offer": "B", "sku": "c"}, "a/b/c"),
        (VMS, {"virtualMachineImageId": "deb"}, "deb"),
        (VMS, None, "deb"),
        (local("local.small"), UBUNTU, "local"),
        (local("local.small"), {"publisher": "any", "offer": "linux", "sku": 7}, "local"),
        (local("local.small"), {"virtualMachineImageId": "local"}, "local"),
        (local("local.small"), {}, "local"),
        (local("local.small"), None, "local"),
    ],
)
def test_the_image_of_a_pool(there, reference, image):
    machine = {"imageReference": reference} if reference is not None else None
    assert there.image(PoolSpec(id="p", vm_size="s", virtual_machine_configuration=machine)) == image


KNOWN = cloud(images={"a/b/c": "ami-1", "mine": "ami-2", "*x": "i"}, usual_images={"debian/debian-12/12": "ami-3"})


@pytest.mark.parametrize(
    ("there", "reference", "path", "message"),
    [
        (VMS, UBUNTU, "imageReference", "the provider vms has no image canonical/ubuntu/22_04-lts; it has a/b/c, "
         "deb. Or say what it stands for"),
        (cloud(), None, "", "which image its nodes start from is not known; name it in the settings: "
         "providers.aws.image"),
        (cloud(image="ami-0"), UBUNTU, "imageReference", "the provider aws has no image canonical/ubuntu/22_04-lts; it "
         "has none by name. Or say what it stands for in the settings: providers.aws.images: "
         "{canonical/ubuntu/22_04-lts: ...}"),
        (KNOWN, UBUNTU, "imageReference", "it has *x, a/b/c, debian/debian-12/12, mine. Or say"),
        (KNOWN, {"publisher": "debian", "offer": "debian-12", "sku": "13"}, "imageReference",
         "did you mean debian/debian-12/12? it has"),
        (KNOWN, {"publisher": "debian", "sku": "13"}, "imageReference", "publisher, offer and sku together"),
        (KNOWN, {"virtualMachineImageId": "/subscriptions/s/mine"}, "imageReference.virtualMachineImageId",
         "the provider aws has no image '/subscriptions/s/mine'; it has"),
        (local("local.small"), {"virtualMachineImageId": "ami-9"}, "imageReference.virtualMachineImageId",
         "the provider local has no image 'ami-9'; it has local. Or say"),
        (KNOWN, "debian", "imageReference", "must be a group"),
        (KNOWN, {"publisher": ["debian"]}, "imageReference.publisher", "must be a text"),
    ],
)  # fmt: skip
def test_an_image_that_there_is_not(there, reference, path, message):
    with pytest.raises(NotOfferedError, match=re.escape(message)) as caught:
        there.image_of(reference)
    assert caught.value.path == path


NAMES = st.sampled_from(["publisher", "offer", "sku", "version", "virtualMachineImageId", "x"])


@given(st.dictionaries(NAMES, st.none() | st.text(max_size=5) | st.integers() | st.booleans() | st.lists(st.text())))
def test_whatever_is_asked_for_there_is_an_image_or_a_reason(reference):
    for each in (KNOWN, local("local.small"), cloud(batch_images="azure")):
        try:
            assert each.image_of(reference)
        except NotOfferedError as exc:
            assert str(exc)


AZURES = {"standard_d2s_v3": ("m5.large", "m6i.large"), "standard_d4s_v3": ("m5.xlarge",)}
EC2 = {"own_sizes": r"[a-z0-9]+\.[a-z0-9]+", "usual_sizes": AZURES}


@pytest.mark.parametrize(
    ("there", "size", "stands_for", "fault"),
    [
        (cloud(**EC2), "t3.small", ("t3.small",), None),
        (cloud(**EC2), "STANDARD_D2s_v3", ("m5.large", "m6i.large"), None),
        (cloud(**EC2, default_size="t3.nano"), "standard_d2s_v3", ("t3.nano",), None),
        (cloud(**EC2, default_size="t3.nano"), "Basic_A1", ("t3.nano",), None),
        (cloud(**EC2, sizes={"Standard_D2s_v3": ("c5.large",)}), "standard_d2S_v3", ("c5.large",), None),
        (cloud(**EC2, sizes={"gpu": ("p3.2xlarge",)}), "gpu", ("p3.2xlarge",), None),
        (cloud(batch_images="azure", default_size="Standard_D2s_v3"), "Standard_NC6", ("Standard_NC6",), None),
        (cloud(**EC2), "standard_d9s_v3", ("standard_d9s_v3",), "the provider aws has no size 'standard_d9s_v3'; did "
         "you mean standard_d4s_v3? it has standard_d{2,4}s_v3, and the cloud's own sizes. Or say what it stands for "
         "in the settings: providers.aws.sizes: {standard_d9s_v3: ...}"),
        (cloud(**EC2, sizes={"gpu": ("p3.2xlarge",)}), "gpus", ("gpus",), "did you mean gpu? it has gpu, standard_d{"),
        (cloud(), "whatever", ("whatever",), None),
        (cloud(), "", ("",), "no size ''"),
        (cloud(all_sizes=("big",)), "big", ("big",), None),
        (local("local.small"), "local.tiny", ("local.tiny",), "no size 'local.tiny'; it has local.small"),
    ],
)  # fmt: skip
def test_the_size_of_a_pool(there, size, stands_for, fault):
    assert there.profile.stands_for(size) == stands_for
    found = there.size_fault(size)
    assert found is None if fault is None else fault in (found or "")


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
WINDOWS = ", virtualMachineConfiguration: {imageReference: {publisher: MicrosoftWindowsServer, offer: b, sku: 2022}}"
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
        (POOL % ("x", "aws", MACHINE), cloud(image="i"), ": pools[0].virtualMachineConfiguration."
         "imageReference: the provider aws has no image a/b/c; it has none by name. Or say what it stands for in the "
         "settings: providers.aws.images: {a/b/c: ...}"),
        (POOL % ("x", "aws", WINDOWS), cloud(image="i"), "pools[0].virtualMachineConfiguration.imageReference: nodes "
         "run Linux, and MicrosoftWindowsServer/b/2022 is an image of Windows; use canonical/"),
        (POOL % ("x", "aws", ", startTask: {commandLine: cmd /c ver}"), cloud(image="i"), "pools[0].startTask."
         "commandLine: nodes run Linux, where there is no cmd; write it for a shell, such as /bin/sh -c 'ver'"),
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

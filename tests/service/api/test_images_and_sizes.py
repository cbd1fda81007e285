"""Images and sizes of pools over the API: what the settings map, what is refused, and the list of what there is."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from service.settings import Settings

from .served import Served, served

MINE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/mine"
#: Nobody listens there: what is asked of it fails, and nothing needs to be asked.
EC2 = {
    "driver": "ec2",
    "region": "us-east-1",
    "endpoint": "http://127.0.0.1:9",
    "accessKeyId": "a",
    "secretAccessKey": "b",
    "timeout": 0.2,
    "images": {"mine": "ami-1"},
}
LINUX = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}
UBUNTU_18 = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
WINDOWS = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter"}


_NUMBERS = count()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    local = {"images": {MINE: "local"}, "sizes": {"big": "local.large"}}
    providers: dict[str, dict[str, Any]] = {"local": local, "aws": EC2}
    with served(tmp_path_factory.mktemp("served"), Settings(providers=providers)) as ask:
        yield ask


def pool(name: str, size: str, reference: Any = None, agent: str = "batch.node.ubuntu 22.04", aws: bool = False) -> Any:
    machine = {"virtualMachineConfiguration": {"imageReference": reference, "nodeAgentSKUId": agent}}
    where = [{"name": "provider", "value": "aws"}] if aws else []
    return {"id": name, "vmSize": size, "metadata": where, **(machine if reference is not None else {})}


@pytest.mark.parametrize(
    ("size", "reference", "aws", "image"),
    [
        ("STANDARD_D2s_v3", LINUX, False, "local"),
        ("basic_a1", UBUNTU_18, False, "local"),
        ("big", {"virtualMachineImageId": MINE.upper()}, False, "local"),
        ("local.small", None, False, "local"),
        ("standard_d2s_v3", LINUX, True, "099720109477/ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"),
        ("Standard_NC6s_v3", {"virtualMachineImageId": "mine"}, True, "ami-1"),
        ("t3.small", {"virtualMachineImageId": "ami-9"}, True, "ami-9"),
        ("t3.small", {"publisher": "aws", "offer": "images", "sku": "ami-9", "version": "latest"}, True, "ami-9"),
    ],
)
def test_a_pool_gets_its_provider_and_image(ask: Served, size: str, reference: Any, aws: bool, image: str) -> None:
    name = f"p-{next(_NUMBERS)}"
    assert ask("POST", "/pools", pool(name, size, reference, aws=aws)).status_code == 201
    record = ask.controller.journal.pool(name)
    assert record is not None and (record.provider, record.image) == ("aws" if aws else "local", image)
    assert ask.get(f"/pools/{name}")["vmSize"] == size  # as it was asked for


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (pool("q", "standard_d9s_v3", LINUX, aws=True), ["vmSize: ", "did you mean standard_d", "standard_d{2,4,8,"]),
        (pool("q", "local.tiny", LINUX), ["vmSize: ", "it has big, local.large, local.medium, local.small"]),
        (pool("q", "t3.small", UBUNTU_18, aws=True), ["imageReference: ", "debian/debian-12/12", "canonical/0001-com"]),
        (pool("q", "local.small", {"virtualMachineImageId": "x"}), ["virtualMachineImageId: ", f" {MINE}, local"]),
        (pool("q", "t3.small", {"virtualMachineImageId": MINE}, aws=True), ["virtualMachineImageId: ", "it has "]),
        (pool("q", "t3.small", None, aws=True), ["which image its nodes start from", "providers.aws.image"]),
        (pool("q", "local.small", {"publisher": "canonical"}), ["publisher, offer and sku together"]),
        (pool("q", "local.small", "jammy"), ["imageReference"]),
        (pool("q", "standard_d2s_v3", WINDOWS), ["nodes run Linux", "canonical/0001-com-ubuntu-server-jammy/22"]),
        (pool("q", "standard_d2s_v3", WINDOWS, aws=True), ["nodes run Linux", "batch.node.ubuntu 22.04"]),
        (pool("q", "standard_d2s_v3", LINUX, "batch.node.windows amd64"), ["nodeAgentSKUId: nodes run Linux"]),
        ({"id": "q", "vmSize": "small", "cloudServiceConfiguration": {"osFamily": "5"}},
         ["cloudServiceConfiguration: ", "virtualMachineConfiguration"]),
        ({**pool("q", "local.small"), "certificateReferences": [{"thumbprint": "a", "thumbprintAlgorithm": "sha1"}]},
         ["certificateReferences: "]),
        ({**pool("q", "local.small"), "startTask": {"commandLine": "cmd /c echo %AZ_BATCH_NODE_ID%"}},
         ["startTask.commandLine: nodes run Linux", "/bin/sh -c 'echo $AZ_BATCH_NODE_ID'"]),
        ({**pool("q", "local.small"), "metadata": [{"name": "provider", "value": "gcp"}]},
         ["the settings have no provider 'gcp'; there is local, aws"]),
        ({**pool("q", "local.small"), "metadata": [{"name": "budget", "value": "much"}]}, ["'budget' is 'much'"]),
        ({**pool("q", "local.small"), "networkConfiguration": {"subnetId": "/subscriptions/s/subnets/closed"}},
         ["networkConfiguration.subnetId: the provider local has no subnets"]),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_with_what_there_is(ask: Served, body: Any, texts: list[str]) -> None:
    answer = ask("POST", "/pools", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
    said = answer.json()["message"]["value"]
    assert all(text in said for text in texts), said
    assert ask("GET", "/pools/q").status_code == 404


def test_tasks_for_windows_are_refused(ask: Served) -> None:
    assert ask("POST", "/pools", pool("w", "local.small")).status_code == 201
    assert ask("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "w"}}).status_code == 201
    task = {"id": "t", "commandLine": r"C:\Windows\System32\cmd.exe /c dir"}
    for path, body in (("/jobs/j/tasks", task), ("/jobs", {"id": "k", "poolInfo": {"poolId": "w"},
                                                           "jobPreparationTask": task})):  # fmt: skip
        answer = ask("POST", path, body)
        assert answer.status_code == 400 and "/bin/sh -c 'dir'" in answer.json()["message"]["value"]
    both = [task, {"id": "u", "commandLine": "true"}]
    added = ask("POST", "/jobs/j/addtaskcollection", {"value": both}).json()["value"]
    assert {each["taskId"]: each["status"] for each in added} == {"t": "clienterror", "u": "success"}


def test_an_auto_pool_is_held_to_the_same(ask: Served) -> None:
    def job(size: str, reference: Any) -> Any:
        like = {name: value for name, value in pool("", size, reference).items() if name != "id"}
        return {"id": "auto", "poolInfo": {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": like}}}

    for body, text in ((job("local.tiny", LINUX), "vmSize"), (job("local.small", WINDOWS), "nodes run Linux")):
        answer = ask("POST", "/jobs", body)
        assert answer.status_code == 400 and text in answer.json()["message"]["value"]
    assert ask("POST", "/jobs", job("standard_a1_v2", LINUX)).status_code == 201


def test_the_list_of_images(ask: Served) -> None:
    images = ask.get("/supportedimages")["value"]
    assert len(images) > 10 and all(image["osType"] == "linux" for image in images)
    some = ask.get("/supportedimages?$filter=verificationType eq 'unverified'")["value"]
    assert [image["imageReference"]["sku"] for image in some] == [MINE, "mine"]
    ubuntu = ask.get("/supportedimages?$filter=imageReference/publisher eq 'canonical' and startswith(nodeAgentSKUId,"
                     " 'batch.node.ubuntu 22')")["value"]  # fmt: skip
    assert {image["imageReference"]["offer"] for image in ubuntu} == {"0001-com-ubuntu-server-jammy"}
    first = ask.get("/supportedimages?maxresults=4")
    assert first["value"] == images[:4] and "skiptoken" in first["odata.nextLink"]


def test_a_subnet_is_taken_where_there_are_some(ask: Served) -> None:
    body = {**pool("subnet", "t3.small", {"virtualMachineImageId": "mine"}, aws=True), "targetDedicatedNodes": 0}
    assert ask("POST", "/pools", {**body, "networkConfiguration": {"subnetId": "subnet-1"}}).status_code == 201
    assert ask("PATCH", "/pools/subnet", {"networkConfiguration": {"subnetId": "subnet-2"}}).status_code == 200
    assert ask.get("/pools/subnet")["networkConfiguration"] == {"subnetId": "subnet-2"}


@pytest.mark.parametrize("path", ["/certificates", "/certificates(thumbprintAlgorithm=sha1,thumbprint=ab)"])
def test_certificates_name_what_there_is_instead(ask: Served, path: str) -> None:
    answer = ask("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (400, "OperationNotSupported")
    assert "files as resource files" in answer.json()["message"]["value"]

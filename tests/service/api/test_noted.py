"""What has no effect is told in the answer, in the log, and by the object from then on; the rest is refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from .served import Served, served

POOL = {"vmSize": "local.small"}
TAGS = "resourceTags: is kept with the pool; VMs do not carry it"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        yield found


@pytest.mark.parametrize(
    ("number", "given", "told"),
    [
        (0, {}, []),
        (1, {"resourceTags": {"a": "b"}}, ["resourceTags"]),
        (2, {"resourceTags": {}}, []),
        (3, {"targetNodeCommunicationMode": "Simplified"}, ["targetNodeCommunicationMode"]),
        (4, {"targetNodeCommunicationMode": "Default"}, []),
        (
            5,
            {"networkConfiguration": {"enableAcceleratedNetworking": True}},
            ["networkConfiguration.enableAcceleratedNetworking"],
        ),
        (6, {"networkConfiguration": {"enableAcceleratedNetworking": False}}, []),
        (7, {"taskSchedulingPolicy": {"jobDefaultOrder": "creationtime"}}, ["taskSchedulingPolicy.jobDefaultOrder"]),
        (8, {"taskSchedulingPolicy": {"jobDefaultOrder": "none"}}, []),
        (
            9,
            {"taskSchedulingPolicy": {"jobDefaultOrder": "creationtime"}, "resourceTags": {"a": "b"}},
            ["resourceTags", "taskSchedulingPolicy.jobDefaultOrder"],
        ),
    ],
)
def test_of_a_pool(
    api: Served, caplog: pytest.LogCaptureFixture, number: int, given: dict[str, Any], told: list[str]
) -> None:
    path = f"/pools/noted{number}"
    with caplog.at_level(logging.WARNING, "service.api.answers"):
        answer = api("POST", "/pools", {"id": f"noted{number}", **POOL, **given})
    assert answer.status_code == 201
    names = [each.partition(":")[0] for each in answer.headers.get("ebbtide-warning", "").split("; ") if ":" in each]
    assert names == told
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == told
    found = api.get(path)
    assert [each.partition(":")[0] for each in found.get("warnings", [])] == told
    if told:
        assert api.get(f"{path}?$select=warnings").keys() == {"odata.metadata", "warnings"}


def test_it_goes_with_what_it_is_about(api: Served) -> None:
    api("POST", "/pools", {"id": "tagged", **POOL, "resourceTags": {"a": "b"}})
    answer = api("PATCH", "/pools/tagged", {"displayName": "x"})
    assert "ebbtide-warning" not in answer.headers, "nothing was said of it now"
    assert api.get("/pools/tagged")["warnings"] == [TAGS]
    assert api("PATCH", "/pools/tagged", {"resourceTags": {}}).status_code == 200
    assert "warnings" not in api.get("/pools/tagged")


def test_of_jobs_and_schedules(api: Served) -> None:
    auto = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": {**POOL, "resourceTags": {"a": "b"}}}}
    path = "poolInfo.autoPoolSpecification.pool."
    answer = api("POST", "/jobs", {"id": "j", "poolInfo": auto})
    assert answer.headers["ebbtide-warning"] == path + TAGS
    assert api.get("/jobs/j")["warnings"] == [path + TAGS]
    specification = {"poolInfo": auto}
    body = {"id": "s", "schedule": {"doNotRunUntil": "2099-01-01T00:00:00Z"}, "jobSpecification": specification}
    answer = api("POST", "/jobschedules", body)
    assert answer.headers["ebbtide-warning"] == f"jobSpecification.{path}{TAGS}"
    assert api.get("/jobschedules/s")["warnings"] == [f"jobSpecification.{path}{TAGS}"]
    answer = api("PATCH", "/jobschedules/s", {"jobSpecification": specification})
    assert answer.headers["ebbtide-warning"] == f"jobSpecification.{path}{TAGS}"
    assert "ebbtide-warning" not in api("PATCH", "/jobschedules/s", {"metadata": []}).headers


REFUSED = [
    ("pools", {**POOL, "mountConfiguration": [{"nfsMountConfiguration": {"source": "x"}}]}, "mountConfiguration"),
    ("pools", {**POOL, "certificateReferences": [{"thumbprint": "0"}]}, "certificateReferences"),
    ("pools", {**POOL, "cloudServiceConfiguration": {"osFamily": "4"}}, "cloudServiceConfiguration"),
    ("pools", {**POOL, "upgradePolicy": {"mode": "automatic"}}, "upgradePolicy"),
    ("pools", {**POOL, "identity": {"type": "UserAssigned"}}, "identity"),
    ("pools", {**POOL, "applicationLicenses": ["maya"]}, "applicationLicenses"),
    *(
        ("pools", {**POOL, "virtualMachineConfiguration": {name: value}}, f"virtualMachineConfiguration.{name}")
        for name, value in (
            ("dataDisks", [{"lun": 0, "diskSizeGB": 10}]),
            ("diskEncryptionConfiguration", {"targets": ["osdisk"]}),
            ("extensions", [{"name": "x"}]),
            ("licenseType", "Windows_Server"),
            ("nodePlacementConfiguration", {"policy": "zonal"}),
            ("osDisk", {"diskSizeGB": 100}),
            ("securityProfile", {"encryptionAtHost": "true"}),
            ("serviceArtifactReference", {"id": "/x"}),
            ("windowsConfiguration", {"enableAutomaticUpdates": True}),
        )
    ),
    *(
        ("pools", {**POOL, "networkConfiguration": {name: value}}, f"networkConfiguration.{name}")
        for name, value in (
            ("dynamicVNetAssignmentScope", "job"),
            ("endpointConfiguration", {"inboundNATPools": [{"name": "ssh"}]}),
            ("publicIPAddressConfiguration", {"provision": "nopublicipaddresses"}),
        )
    ),
    (
        "pools",
        {**POOL, "userAccounts": [{"name": "a", "linuxUserConfiguration": {"sshPrivateKey": "k"}}]},
        "userAccounts[0].linuxUserConfiguration.sshPrivateKey",
    ),
    (
        "pools",
        {**POOL, "startTask": {"commandLine": "x", "resourceFiles": [{"httpUrl": "x", "identityReference": {"a": 1}}]}},
        "startTask.resourceFiles[0].identityReference",
    ),
    ("jobs", {"poolInfo": {"poolId": "p"}, "networkConfiguration": {"subnetId": "x"}}, "networkConfiguration"),
]


@pytest.mark.parametrize(("kind", "body", "path"), REFUSED, ids=[path for _, _, path in REFUSED])
def test_what_is_refused_is_named_with_what_there_is_instead(
    api: Served, kind: str, body: dict[str, Any], path: str
) -> None:
    answer = api("POST", f"/{kind}", {"id": "refused", **body})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
    assert f"{path}: is not supported; " in answer.json()["message"]["value"]
    assert {"key": "PropertyName", "value": path} in answer.json()["values"]
    assert api("GET", f"/{kind}/refused").status_code == 404


def test_what_asks_for_nothing_is_let_through(api: Served) -> None:
    body: dict[str, Any] = {
        **POOL,
        "id": "neutral",
        "certificateReferences": [],
        "mountConfiguration": None,
        "upgradePolicy": {"mode": "Manual"},
        "networkConfiguration": {
            "dynamicVNetAssignmentScope": "None",
            "publicIPAddressConfiguration": {"provision": "BatchManaged", "ipAddressIds": []},
        },
        "virtualMachineConfiguration": {
            "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
            "nodeAgentSKUId": "batch.node.ubuntu 24.04",
            "nodePlacementConfiguration": {"policy": "Regional"},
            "osDisk": {"caching": "none", "writeAcceleratorEnabled": False},
            "dataDisks": [],
        },
    }
    answer = api("POST", "/pools", body)
    assert (answer.status_code, "ebbtide-warning" in answer.headers) == (201, False)

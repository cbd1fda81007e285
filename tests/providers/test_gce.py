"""What only Google is like: operations that fail later, preemption, narrow names, signing in by a key file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import paramiko
import pytest

from providers import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
    VmState,
)

from .clouds.gce import GceCloud
from .conftest import opened
from .fakes.gce import ACCOUNT, PROJECT
from .waiting import wait_until


@pytest.fixture
def cloud(tmp_path: Path, key: paramiko.PKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[GceCloud]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    yield from cast(Iterator[GceCloud], opened("gce", tmp_path, key))
    assert list((tmp_path / "home").iterdir()) == [], "a token was written to the home directory"


def instance(cloud: GceCloud) -> dict[str, Any]:
    [found] = cloud.api.instances.values()
    return found


def test_a_zone_without_room_is_a_capacity_error_and_another_has_some(cloud: GceCloud) -> None:
    cloud.api.exhausted.add("europe-west1-b")
    with pytest.raises(CapacityError, match="does not have enough resources"):
        cloud.create("n1", zone="europe-west1-b")
    assert cloud.api.instances == {}
    assert cloud.create("n2", zone="europe-west1-c").zone == "europe-west1-c"


def test_an_operation_that_takes_long_is_left_to_itself(cloud: GceCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.gce.mapping._OPERATION_WITHIN", 0.2)
    cloud.api.operation_delay = 60.0
    assert cloud.create().state in (VmState.PENDING, VmState.RUNNING)


def test_a_zone_that_cannot_be_looked_into_is_no_empty_zone(cloud: GceCloud) -> None:
    cloud.create()
    cloud.api.unreachable.add("europe-west1-c")
    with pytest.raises(TransientError, match="europe-west1-c"):
        cloud.provider.list_owned()
    cloud.api.unreachable.clear()


def test_a_spot_vm_is_asked_for_as_one(cloud: GceCloud) -> None:
    cloud.create()
    scheduling = instance(cloud)["scheduling"]
    assert scheduling["provisioningModel"] == "SPOT" and scheduling["instanceTerminationAction"] == "STOP"
    assert scheduling["automaticRestart"] is False


def test_one_that_powered_itself_off_was_not_preempted(cloud: GceCloud) -> None:
    vm = cloud.create()
    cloud.boot()
    instance(cloud)["status"] = "TERMINATED"
    assert cloud.states() == {"n1": VmState.TERMINATED}
    cloud.provider.list_owned()
    assert len(cloud.api.asked("GET .*/operations")) - len(cloud.api.asked("GET .*/operations/")) == 1, "asked once"
    assert cloud.one(vm.name).reason == "the instance is terminated"


def test_the_same_request_makes_no_second_instance(cloud: GceCloud) -> None:
    """Google keeps the id of a request: what was lost on the way there and back is one instance."""
    cloud.create()
    [first] = cloud.api.asked(r"POST .*/instances\Z")
    other = cloud.reopen()
    cloud.api.fail("GET .*/aggregated/instances", 200, {"items": {}})
    other.create(cloud.spec())
    [_, second] = cloud.api.asked(r"POST .*/instances\Z")
    assert first.query["requestId"] == second.query["requestId"]
    assert len(cloud.api.instances) == 1


def test_a_name_that_somebody_else_has_is_refused(cloud: GceCloud) -> None:
    vm = cloud.create()
    instance(cloud).update(labels={"ebbtide-deployment": "other"}, description="")
    cloud.api.by_request.clear()
    with pytest.raises(InvalidRequestError, match="is not ours"):
        cloud.create()
    cloud.provider.destroy(vm.name, vm.provider_id)
    assert instance(cloud)["gone"] is None
    cloud.api.disks.clear()  # it is theirs too


def test_an_instance_gets_everything_that_was_asked_for(cloud: GceCloud) -> None:
    provider = cloud.reopen(
        networkTags=["ssh-only"], subnet="nodes", sshAddress="private", serviceAccount=ACCOUNT, diskSize=20
    )
    tags = {"Owner": "Somebody Ä", "x": "y" * 100}
    vm = provider.create(cloud.spec(low_priority=False, tags=tags))
    made = instance(cloud)
    [interface] = made["networkInterfaces"]
    assert interface["accessConfigs"] == [] and "203.0.113" not in str(vm.address)
    [posted] = cloud.api.asked(r"POST .*/instances\Z")
    assert posted.body["networkInterfaces"][0]["subnetwork"] == "regions/europe-west1/subnetworks/nodes"
    assert posted.body["tags"] == {"items": ["ssh-only"]} and posted.body["serviceAccounts"][0]["email"] == ACCOUNT
    [disk] = made["disks"]
    assert disk["autoDelete"] is True and disk["initializeParams"]["diskSizeGb"] == "20"
    assert disk["initializeParams"]["sourceImage"] == "projects/debian-cloud/global/images/debian-12-bookworm-v20261101"
    assert vm.tags["Owner"] == "Somebody Ä" and vm.tags["x"] == "y" * 100
    metadata = {item["key"]: item["value"] for item in made["metadata"]["items"]}
    assert metadata["enable-oslogin"] == "FALSE" and metadata["ssh-keys"].startswith("ebbtide:")
    assert metadata["startup-script"].split("\n")[1].startswith("[ -e /var/lib/ebbtide-node ] && exit 0")


def test_the_price_is_libclouds(cloud: GceCloud) -> None:
    spot, usual = cloud.create("n1"), cloud.create("n2", low_priority=False)
    assert usual.price_per_hour == pytest.approx(0.5 * 0.02399337 + 2 * 0.00321588, rel=0.05)
    assert spot.price_per_hour is not None and 0 < spot.price_per_hour < 0.5 * (usual.price_per_hour or 0)


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (403, "quotaExceeded", QuotaError),
        (403, "rateLimitExceeded", ThrottledError),
        (403, "forbidden", AuthError),
        (401, "authError", AuthError),
        (400, "invalid", InvalidRequestError),
        (503, "backendError", TransientError),
    ],
)
def test_errors_have_types(cloud: GceCloud, status: int, reason: str, error: type[ProviderError]) -> None:
    cloud.provider = cloud.reopen()
    cloud.provider._retrying._limit = 0.0  # type: ignore[attr-defined]
    cloud.api.fail(r"POST .*/instances\Z", status, cloud.api.refusal(status, "of the test", reason))
    with pytest.raises(error, match="of the test") as caught:
        cloud.create()
    assert type(caught.value) is error
    assert cloud.api.instances == {}


def test_the_host_key_can_be_read_from_the_serial_port(cloud: GceCloud) -> None:
    cloud.provider = cloud.reopen(hostKeys="console")
    vm = cloud.create()
    instance(cloud)["up"] = 0
    assert cloud.states() == {"n1": VmState.PENDING}
    key = f"ssh-ed25519 {'A' * 68}"
    instance(cloud)["console"] = (
        f"-----BEGIN SSH HOST KEY KEYS-----\n{key} root@n1\n-----END SSH HOST KEY KEYS-----\n"
    )
    assert cloud.one(vm.name).host_key == key
    assert key in (cloud.provider.console(vm.name) or "")


def test_a_deleted_one_goes_on_being_listed_until_it_is_gone(cloud: GceCloud) -> None:
    cloud.api.delete_delay = 0.3
    vm = cloud.create()
    cloud.boot()
    cloud.provider.destroy(vm.name)
    assert cloud.states() == {"n1": VmState.TERMINATED}
    wait_until(lambda: cloud.states() == {})
    assert cloud.api.disks == {}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, "cannot be read"),
        ("no json", "cannot be read"),
        (json.dumps({"type": "authorized_user", "refresh_token": "x"}), "service account"),
        (json.dumps({"type": "service_account", "project_id": PROJECT}), "cannot be read"),
    ],
)
def test_a_key_file_that_is_none_is_refused(cloud: GceCloud, tmp_path: Path, content: str | None, match: str) -> None:
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidRequestError, match=match):
        cloud.reopen(credentials=str(path))


@pytest.mark.parametrize("change", [{"client_email": "gone@a-project.iam.gserviceaccount.com"}, {"private_key": "?"}])
def test_a_key_that_google_does_not_take_is_an_auth_error(cloud: GceCloud, tmp_path: Path, change: dict) -> None:
    told = json.loads(cloud.credentials.read_text())
    path = tmp_path / "other.json"
    path.write_text(json.dumps({**told, **change}))
    with pytest.raises(AuthError, match="setting credentials"):
        cloud.reopen(credentials=str(path)).list_owned()


def test_the_key_file_may_be_named_by_the_environment(cloud: GceCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(InvalidRequestError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        cloud.reopen(credentials=None)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(cloud.credentials))
    assert cloud.reopen(credentials=None).list_owned() == []


@pytest.mark.parametrize(
    "wrong", [{"zones": []}, {"securityGroups": ["a"]}, {"keyPair": "a"}, {"maxPrice": 0.1}, {"endpoint": ""}]
)
def test_settings_that_google_has_not_are_refused(cloud: GceCloud, wrong: dict) -> None:
    with pytest.raises(InvalidRequestError):
        cloud.reopen(**wrong)

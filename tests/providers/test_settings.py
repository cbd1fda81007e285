"""Opening a provider: settings that cannot work are refused before anything exists."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers import InvalidRequestError, SimulatedProvider, open_provider


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("local", {}, "set baseDir"),
        ("local", {"baseDir": "{dir}", "runAs": "root"}, "runAs is 'root'; it must be self or poolUser"),
        ("local", {"baseDir": ""}, "baseDir is ''; it must be a text"),
        ("local", {"baseDir": "{dir}", "maxVMs": 3}, "unknown setting maxVMs; did you mean maxVms?"),
        ("local", {"baseDir": "{dir}", "image": "x"}, "unknown setting image; did you mean images?"),
        ("local", {"baseDir": "{dir}", "region": "x"}, "unknown setting region; it knows baseDir, idleTimeout, images"),
        ("ec2", {"region": "r", "imgae": "x", "zzz": 1}, "unknown setting imgae, zzz; did you mean image?"),
        ("mine", {"driver": "azur"}, r"unknown driver 'azur'; did you mean azure\?"),
        ("local", {"baseDir": "{dir}", "maxVms": -1}, "maxVms is -1; it must be a whole number"),
        ("local", {"baseDir": "{dir}", "maxVms": True}, "maxVms is True"),
        (
            "local",
            {"baseDir": "{dir}", "idleTimeout": 0.5},
            "idleTimeout is 0.5; it must be a number, at least 1",
        ),
        ("local", {"baseDir": "{dir}", "idleTimeout": float("nan")}, "idleTimeout is nan"),
        ("local", {"baseDir": "{dir}", "idleTimeout": "10"}, "idleTimeout is '10'"),
        ("local", {"baseDir": "{dir}", "prices": {"local.small": "x"}}, "prices is .*US dollars per hour"),
        (
            "local",
            {"baseDir": "{dir}", "prices": {"local.tiny": 1}},
            "unknown size 'local.tiny'; it knows local.small",
        ),
        ("local", {"baseDir": "{dir}", "idleTimeout": float("inf")}, "idleTimeout is inf"),
        ("local", {"baseDir": "{dir}", "prices": {"local.small": float("inf")}}, "prices is .*US dollars per hour"),
        ("ec2", {"region": "r", "sshPort": 65536}, "sshPort is 65536; it must be a whole number from 1 to 65535"),
        ("ec2", {"region": "r", "sshPort": 22.5}, "sshPort is 22.5; it must be a whole number"),
        ("ec2", {"region": "r", "maxPrice": 0}, "maxPrice is 0; it must be a number above 0; leave it out"),
        ("azure", {"maxPrice": 0}, "maxPrice is 0; it must be a number above 0"),
        ("digitalocean", {"token": "t", "sshPort": 0}, "sshPort is 0; it must be a whole number from 1 to 65535"),
        ("simulated", {"bootDelay": -1}, "bootDelay is -1"),
        ("simulated", {"prices": {"local.small": 1}}, "unknown size 'local.small'; it knows simulated.small"),
        ("nimbus", {}, "unknown driver 'nimbus'; it can be local, static"),
        ("mine", {"driver": "nimbus"}, "provider mine: unknown driver 'nimbus'"),
        ("mine", {"driver": ["ec2"]}, r"provider mine: unknown driver \['ec2'\]; it can be local"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    name: str, settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    filled = {k: str(tmp_path) if v == "{dir}" else v for k, v in settings.items()}
    with pytest.raises(InvalidRequestError, match=message):
        open_provider(name, filled, "dep")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("driver", "settings"),
    [
        ("ec2", {"region": "r", "accessKeyId": "a", "secretAccessKey": ["hush"]}),
        ("ec2", {"region": "r", "sessionToken": {"a": "hush"}}),
        ("digitalocean", {"token": ["hush"]}),
        ("openstack", {"password": ["hush"]}),
        ("azure", {"clientSecret": ["hush"]}),
        ("gce", {"credentials": ["hush"]}),
        ("gce", {"zones": ["z"], "credentials": '{"private_key": "hush"}'}),
        ("gce", {"zones": ["z"], "credentials": '\n {"private_key": "hush"'}),
    ],
)
def test_what_is_secret_is_never_shown(driver: str, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        open_provider("p", {"driver": driver, **settings}, "dep")
    assert "hush" not in str(refused.value)


def test_a_cloud_where_nothing_is_known_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it lost sight of could not be found again, and would run for ever."""
    can = SimulatedProvider.capabilities
    monkeypatch.setattr(SimulatedProvider, "capabilities", lambda self: replace(can(self), known_by=None))
    with pytest.raises(InvalidRequestError, match="can neither name nor tag VMs"):
        open_provider("simulated", {}, "dep")


def test_a_provider_has_the_name_it_was_given(tmp_path: Path) -> None:
    provider = open_provider("here", {"driver": "local", "baseDir": str(tmp_path)}, "dep")
    assert provider.name == "here"
    with pytest.raises(InvalidRequestError, match=r"deployment id .\.\./up"):
        open_provider("simulated", {}, "../up")


@pytest.mark.parametrize("driver", ["ec2", "gce", "azure", "openstack", "digitalocean"])
@pytest.mark.parametrize(
    "endpoint", ["lala", "10.0.0.1:80", "ftp://a", "http://", "http://a:b", "http://a:0", "http://[::1", "http://a b"]
)
def test_an_endpoint_that_is_no_address_is_refused_by_name(driver: str, endpoint: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"setting endpoint is .*; it must be a URL such as https://"):
        open_provider("mine", {"driver": driver, "endpoint": endpoint}, "dep")


@pytest.mark.parametrize("driver", ["gce", "azure"])
def test_so_is_the_address_of_the_sign_in(driver: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"setting tokenEndpoint .*; it must be a URL such as https://"):
        open_provider("mine", {"driver": driver, "tokenEndpoint": "lala"}, "dep")


def test_so_is_the_variable_of_openstack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", "keystone:5000")
    with pytest.raises(InvalidRequestError, match="variable OS_AUTH_URL is 'keystone:5000'; it must be a URL"):
        open_provider("mine", {"driver": "openstack"}, "dep")

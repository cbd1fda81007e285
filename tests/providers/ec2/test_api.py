"""Credentials and connections: where they come from, and when they are renewed."""

from typing import Any

import pytest

from providers import AuthError, HostKeys, InvalidRequestError, TransientError, open_provider
from providers.ec2.api import Api
from providers.ec2.driver import Driver
from providers.ec2.settings import read_settings
from tests.rig import CloudRig

from .conftest import SECRET, Account

_CHAIN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """A machine without any AWS credentials."""
    for name in _CHAIN:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def bare(rig: CloudRig) -> dict[str, Any]:
    options = rig.settings(visibilityDelay=0.1)
    return {key: value for key, value in options.items() if key not in ("accessKeyId", "secretAccessKey")}


def test_without_credentials(account: Account, nobody: pytest.MonkeyPatch) -> None:
    provider = open_provider("aws", bare(account.rig), "d1", host_keys=HostKeys(SECRET))
    with pytest.raises(AuthError, match="accessKeyId"):
        provider.list_owned()
    with pytest.raises(AuthError, match="accessKeyId"):
        provider.create(account.spec())
    assert account.rig.calls == []


def test_awss_own_chain(account: Account, nobody: pytest.MonkeyPatch) -> None:
    nobody.setenv("AWS_ACCESS_KEY_ID", "testing")
    nobody.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    nobody.setenv("AWS_SESSION_TOKEN", "a-token")
    provider = open_provider("aws", bare(account.rig), "d1", host_keys=HostKeys(SECRET))
    provider.create(account.spec())
    assert len(provider.list_owned()) == 1


def test_renewed_credentials_are_used_from_then_on(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api("aws", read_settings("aws", {k: v for k, v in account.rig.settings().items() if k != "driver"}))
    seen: list[Driver] = [api.compute(lambda driver: driver) for _ in range(2)]
    assert seen[0] is seen[1]
    chain = api._session.get_credentials()
    monkeypatch.setattr(chain, "token", "another")
    renewed = api.compute(lambda driver: driver)
    assert renewed is not seen[0] and renewed.connection.token == "another"


def test_expired_credentials_say_so(account: Account) -> None:
    provider = account.open()
    for action in ("DescribeInstances", "RunInstances"):
        account.rig.fail(action, "RequestExpired")
    with pytest.raises(AuthError, match="clock"):
        provider.list_owned()
    with pytest.raises(AuthError, match="clock"):
        provider.create(account.spec())


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired"])
def test_credentials_that_somebody_renews_in_their_file_are_read_anew(
    account: Account, nobody: pytest.MonkeyPatch, tmp_path: Any, code: str
) -> None:
    file = tmp_path / "AWS_SHARED_CREDENTIALS_FILE"

    def renew(key: str) -> None:
        file.write_text(f"[default]\naws_access_key_id={key}\naws_secret_access_key=s\naws_session_token=t\n")

    renew("first")
    provider = open_provider("aws", bare(account.rig), "d1", host_keys=HostKeys(SECRET))
    provider.create(account.spec())
    provider.list_owned()
    assert account.params("DescribeInstances")["AWSAccessKeyId"] == "first"
    renew("second")
    account.rig.fail("DescribeInstanceStatus", code)
    with pytest.raises(AuthError):
        provider.list_owned()
    provider.list_owned()
    assert account.params("DescribeInstanceStatus")["AWSAccessKeyId"] == "second"
    renew("third")
    account.rig.fail("TerminateInstances", code)  # libcloud's
    with pytest.raises(AuthError):
        provider.destroy("d1-n1")
    provider.destroy("d1-n1")
    assert account.living() == [] and account.params("TerminateInstances")["AWSAccessKeyId"] == "third"


def test_nobody_answers() -> None:
    options = {"region": "us-east-1", "endpoint": "http://127.0.0.1:9", "accessKeyId": "a", "secretAccessKey": "b"}
    provider = open_provider("aws", {"driver": "ec2", **options}, "d1", host_keys=HostKeys(SECRET))
    with pytest.raises(TransientError):
        provider.list_owned()
    with pytest.raises(TransientError):
        provider.destroy("d1-n1")


def test_a_region_that_libcloud_has_not_heard_of() -> None:
    settings = read_settings("aws", {"region": "eu-moon-1", "accessKeyId": "a", "secretAccessKey": "b"})
    driver = Api("aws", settings).compute(lambda driver: driver)
    assert (driver.connection.host, driver.connection.port) == ("ec2.eu-moon-1.amazonaws.com", 443)
    assert driver.connection.secure and driver.region_name == "eu-moon-1"


def test_parameters_of_one_call_do_not_reach_the_next(account: Account) -> None:
    api = Api("aws", read_settings("aws", {k: v for k, v in account.rig.settings().items() if k != "driver"}))

    def failing(driver: Driver) -> None:
        with driver.more({"Filter.1.Name": "nonsense"}):
            driver.ex_list_security_groups()

    account.rig.fail("DescribeSecurityGroups", "InvalidParameterValue")
    with pytest.raises(InvalidRequestError):
        api.compute(failing)
    api.compute(lambda driver: driver.ex_list_security_groups())
    assert "Filter.1.Name" not in account.params("DescribeSecurityGroups")

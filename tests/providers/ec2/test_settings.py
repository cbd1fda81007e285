"""Settings: what is taken, what is refused, what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from providers import InvalidRequestError, Placement, open_provider
from providers.ec2.settings import read_settings

KEYS = {"region": "us-east-1", "accessKeyId": "testing", "secretAccessKey": "secret"}
DOCS = Path(__file__).parents[3] / "docs" / "clouds" / "ec2.md"


def test_the_example_opens_and_asks_nobody() -> None:
    provider = open_provider(
        "aws",
        {
            "driver": "ec2",
            "region": "us-east-1",
            "endpoint": "http://127.0.0.1:1",
            "accessKeyId": "testing",
            "secretAccessKey": "testing",
            "image": "ami-0123",
            "size": "t3.small",
            "sshUser": "admin",
            "sshAddress": "private",
        },
        "d1",
    )
    assert provider.name == "aws"
    assert provider.profile().image == "ami-0123" and provider.profile().notices == "ec2"
    assert provider.profile().placements("standard_d2s_v3") == (Placement("t3.small"),)
    assert provider.capabilities().low_priority and not provider.capabilities().preempt


def test_sizes_and_zones_are_placements() -> None:
    parsed = read_settings("aws", {**KEYS, "sizes": {"small": ["t3.small", "t3a.small"]}, "zones": ["a", "b"]})
    assert parsed.profile_of_pools.placements("small") == (
        Placement("t3.small", "a"),
        Placement("t3.small", "b"),
        Placement("t3a.small", "a"),
        Placement("t3a.small", "b"),
    )
    assert parsed.configured_sizes == ("t3.small", "t3a.small")
    assert parsed.idle_timeout == 1800.0 and read_settings("aws", {**KEYS, "idleTimeout": 0}).idle_timeout is None


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(read_settings("aws", KEYS)).replace("secret_access_key", "")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"accessKeyId": None}, "go together"),
        ({"sessionToken": "x", "accessKeyId": None, "secretAccessKey": None}, "sessionToken needs"),
        ({"profile": "work"}, "either profile or accessKeyId"),
        ({"endpoint": "127.0.0.1:5000"}, "setting endpoint is '127.0.0.1:5000'; it must be a URL such as https://"),
        ({"subnet": "s", "zones": ["a", "b"]}, "give `subnets"),
        ({"subnet": "s", "subnets": {"a": "s"}}, "give `subnets"),
        ({"subnets": {"a": "s"}, "zones": ["a", "b"]}, "none for the zone b"),
        ({"userData": "echo"}, "#!"),
        ({"sshFrom": ["10.0.0.1/8"]}, "host bits"),
        ({"sshAddress": "public"}, "sshFrom must say"),
        ({"sshAddress": "both"}, "private or public"),
        ({"tags": {"ebbtide-vm": "x"}}, "not yours"),
        ({"tags": {"Name": "x"}}, "not yours"),
        ({"tags": {"": "x"}}, "the tag '' is none that EC2 takes"),
        ({"tags": {"k" * 129: "x"}}, "up to 128"),
        ({"tags": {"team": "x" * 257}}, "the tag 'team' is none"),
        ({"tags": {"team": "a\nb"}}, "printable"),
        ({"tags": {f"k{n}": "x" for n in range(46)}}, "46 tags are too many"),
        ({"hostKeys": "trust"}, "userData or console"),
        ({"flavour": "x"}, r"unknown setting flavour; it knows .*visibilityDelay"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], text: str) -> None:
    options = {key: value for key, value in {**KEYS, **changes}.items() if value is not None}
    with pytest.raises(InvalidRequestError, match=text):
        read_settings("aws", options)


def test_the_region_may_come_from_awss_own_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidRequestError, match="set region"):
        read_settings("aws", {})
    with pytest.raises(InvalidRequestError, match="nobody"):
        read_settings("aws", {"profile": "nobody"})
    assert read_settings("aws", {"profile": "work"}).region == "eu-central-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert read_settings("aws", {}).region == "eu-west-1"


def test_the_docs_name_every_setting() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_settings("aws", {"flavour": "x"})
    known = str(caught.value).partition("it knows ")[2].split(", ")
    assert len(known) > 30
    text = DOCS.read_text()
    assert [key for key in known if f"`{key}`" not in text] == []

"""Reading the settings that clouds share."""

from typing import Any

import pytest

from providers import HostKeys, InvalidRequestError, VmSpec
from providers.cloud_settings import CloudSettings, read_cloud_settings
from providers.settings import SettingsReader


def read(consoles: bool = True, **settings: Any) -> CloudSettings:
    reader = SettingsReader("cloud", settings)
    found = read_cloud_settings(reader, consoles=consoles)
    reader.finish()
    return found


def test_what_is_not_set_has_a_default() -> None:
    found = read()
    assert (found.user, found.port, found.public, found.node_root) == ("ebbtide", 22, True, "/mnt/batch/tasks")
    assert (found.dead_man, found.boot_timeout, found.timeout, found.max_vms) == (1800.0, None, 30.0, None)


@pytest.mark.parametrize(
    ("settings", "attribute", "value"),
    [
        ({"zones": "a"}, "zones", ("a",)),
        ({"zones": ["a", "b"]}, "zones", ("a", "b")),
        ({"sizes": {"small": "s", "large": ["l", "m"]}}, "sizes", {"small": ("s",), "large": ("l", "m")}),
        ({"images": {"a/b/c": "x"}}, "images", {"a/b/c": "x"}),
        ({"idleTimeout": 0}, "dead_man", None),
        ({"idleTimeout": None}, "dead_man", None),
        ({"idleTimeout": 60}, "dead_man", 60.0),
        ({"bootTimeout": 300}, "boot_timeout", 300.0),
        ({"sshAddress": "private"}, "public", False),
        ({"hostKeys": "console"}, "console_keys", True),
        ({"endpoint": "https://a:8443/v3/"}, "endpoint", "https://a:8443/v3"),
        ({"maxPrice": 0.5}, "max_price", 0.5),
        ({"prices": {"any": 0}}, "prices", {"any": 0.0}),
    ],
)
def test_what_is_set_is_read(settings: dict[str, Any], attribute: str, value: object) -> None:
    assert getattr(read(**settings), attribute) == value


@pytest.mark.parametrize(
    "settings",
    [
        {"zones": [1]},
        {"zones": ""},
        {"sizes": {"small": []}},
        {"sizes": ["small"]},
        {"images": {"a": 1}},
        {"idleTimeout": 5},
        {"idleTimeout": -1},
        {"idleTimeout": True},
        {"sshAddress": "both"},
        {"hostKeys": "trust"},
        {"prices": {"a": -1}},
        {"timeout": 0},
        {"maxVms": 1.5},
    ],
)
def test_what_is_wrong_is_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=f"setting {next(iter(settings))}"):
        read(**settings)


def test_consoles_are_read_only_where_there_are_some() -> None:
    with pytest.raises(InvalidRequestError, match="hostKeys"):
        read(consoles=False, hostKeys="console")


def test_user_data_that_is_no_script_is_refused() -> None:
    spec = VmSpec("d-n", "d", "p", "n", "s", "i", False, "ssh-ed25519 AAAA", user_data="echo no script")
    with pytest.raises(InvalidRequestError, match=r"VM d-n: .*#!"):
        read().script(spec, HostKeys(b"x" * 32))
    with pytest.raises(InvalidRequestError, match="no secret"):
        read().script(spec, None)

"""Settings of an inventory: what cannot work is refused with the place, and nothing is connected to."""

from pathlib import Path
from typing import Any

import pytest

from providers import InvalidRequestError, open_provider

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNvbnRyb2xsZXIncyBvd24ga2V5IGZvciB0ZXN0cyEh"
HOST = {"address": "h1", "user": "u", "hostKey": KEY}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "provider lab: set hosts to a list"),
        ({"hosts": []}, "set hosts to a list"),
        ({"hosts": "h1"}, "setting hosts is 'h1'; it must be a list"),
        ({"hosts": [7]}, r"provider lab, hosts\[0\] is 7; it must be a mapping with an address"),
        ({"hosts": [HOST, {"user": "u"}]}, r"hosts\[1\]: set address"),
        ({"hosts": ["h1"]}, r"hosts\[0\]: set user"),
        ({"hosts": [{**HOST, "adress": "h"}]}, r"hosts\[0\]: unknown setting adress; did you mean address\?"),
        ({"hosts": [{**HOST, "port": 70000}]}, "port is 70000; it must be a whole number from 1 to 65535"),
        ({"hosts": [{**HOST, "hostKey": "ssh-ed25519"}]}, "hostKey is 'ssh-ed25519'; it must be what"),
        ({"hosts": [{**HOST, "hostKey": "SHA256:abc"}]}, "hostKey is 'SHA256:abc'"),
        ({"hosts": [{**HOST, "nodeRoot": "../up"}]}, r"nodeRoot is '\.\./up'"),
        ({"hosts": [{**HOST, "nodeRoot": "/"}]}, "nodeRoot is '/'"),
        ({"hosts": [HOST, HOST]}, r"hosts\[1\]: u@h1:22 is listed twice"),
        ({"hosts": [HOST], "prices": {"big": 1}}, "unknown size 'big'; it knows static"),
        ({"hosts": [HOST], "sizes": {"standard_d2": "big"}}, "sizes.standard_d2 names 'big', and no host has"),
        ({"hosts": [HOST], "baseDir": None}, "set baseDir"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        open_provider("lab", {"driver": "static", "baseDir": str(tmp_path), **settings}, "dep")
    assert list(tmp_path.iterdir()) == []


def test_sizes_of_pools_stand_for_those_of_the_hosts(tmp_path: Path) -> None:
    hosts = [{**HOST, "size": "big"}, {**HOST, "address": "h2", "size": "small", "lowPriority": True}]
    common = {"driver": "static", "baseDir": str(tmp_path)}
    both = open_provider("lab", {**common, "hosts": hosts, "sizes": {"standard_d8": ["big", "small"]}}, "dep")
    assert [place.size for place in both.profile().placements("standard_d8")] == ["big", "small"]
    assert [place.size for place in both.profile().placements("standard_a1")] == ["standard_a1"]  # refused by create
    assert both.capabilities().low_priority and both.capabilities().max_vms == 2
    one = open_provider("lab", {**common, "hosts": hosts[:1]}, "dep")
    assert [place.size for place in one.profile().placements("standard_a1")] == ["big"]
    usual = open_provider("lab", {**common, "hosts": [*hosts, {**HOST, "address": "h3"}]}, "dep")
    assert [place.size for place in usual.profile().placements("standard_a1")] == ["static"]
    assert not one.capabilities().low_priority


@pytest.mark.parametrize(("user", "said", "expected"), [
    ("batch", None, (False, False)), ("root", None, (False, True)),
    ("root", "self", (False, False)), ("root", "poolUser", (True, False)),
])  # fmt: skip
def test_who_tasks_run_as(user: str, said: str | None, expected: tuple[bool, bool], tmp_path: Path) -> None:
    options = {"driver": "static", "baseDir": str(tmp_path), "hosts": [HOST, {**HOST, "address": "h2", "user": user}]}
    profile = open_provider("lab", options if said is None else {**options, "runAs": said}, "dep").profile()
    assert (profile.pool_user, profile.unasked_root) == expected

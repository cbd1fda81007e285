"""What is wrong with the settings of a provider is told with its place; who only looks does not wait for long."""

from typing import Any

import pytest

from providers import InvalidRequestError
from service.provider_options import hasty, open_providers, try_open
from service.settings_file import load_settings
from service.state import StateDirectory

ID = "0123456789ab"


@pytest.fixture
def state(tmp_path):
    directory = StateDirectory(tmp_path / "state")
    directory.create(lambda: ID)
    return directory


def load(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return load_settings(path, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("providers:\n  lab: {driver: local, maxVMs: 3}\n", r"s\.yaml:2:24: .*setting maxVMs; did you mean maxVms\?"),
        ("providers:\n  local: {agentStartTimeout: 0}\n", r"s\.yaml:2:11: .*agentStartTimeout is 0"),
        ("providers:\n  nimbus: {maxVms: 3}\n", r"s\.yaml:2:3: .*unknown driver 'nimbus'"),
        (
            "providers:\n  lab: {driver: static, port: 1, hosts: [{adress: h}]}\n",
            r"s\.yaml:2:3: .*hosts\[0\]: unknown setting adress; did you mean address\?",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(state, tmp_path, text, told):
    settings = load(tmp_path, text)
    with pytest.raises(InvalidRequestError, match=told):
        open_providers(state, settings)


def test_so_it_is_in_toml(state, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('[providers.lab]\ndriver = "local"\nmaxVMs = 3\n')
    with pytest.raises(InvalidRequestError, match=r"s\.toml:3:1: provider lab: unknown setting maxVMs"):
        open_providers(state, load_settings(path, {}))


@pytest.mark.parametrize(
    ("name", "options", "timeout"),
    [
        ("aws", {"driver": "ec2"}, 10.0),
        ("gce", {"timeout": 30}, 10.0),
        ("gce", {"timeout": 3}, 3),
        ("gce", {"timeout": "x"}, "x"),
        ("local", {}, None),
        ("lab", {"driver": "static"}, None),
    ],
)
def test_who_only_looks_does_not_wait_for_long(name, options, timeout):
    assert hasty(name, options).get("timeout") == timeout
    assert set(hasty(name, options)) <= {*options, "timeout"}


def test_so_it_is_with_those_that_are_opened_in_haste(tmp_path):
    settings = load(tmp_path, "providers: {ocean: {driver: digitalocean, token: t, region: fra1}}")
    for in_haste, timeout in ((True, 10.0), (False, 30.0)):
        opened: Any = try_open(None, settings, in_haste=in_haste)["ocean"]
        assert opened._mapping.settings.timeout == timeout

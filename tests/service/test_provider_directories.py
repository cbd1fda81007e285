"""Providers that keep what they know of their VMs in a directory need one each."""

import pytest

from providers import InvalidRequestError
from service.provider_options import check_directories, open_providers
from service.settings_file import load_settings
from service.state import StateDirectory


@pytest.fixture
def state(tmp_path):
    directory = StateDirectory(tmp_path / "state")
    directory.create(lambda: "0123456789ab")
    return directory


def load(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return load_settings(path, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("providers: {a: {driver: local, baseDir: n}, b: {driver: local, baseDir: n}}", r":\d+:\d+: provider b: "),
        ("providers: {a: {driver: local, baseDir: n}, b: {driver: local, baseDir: ./link}}", "as of provider a: each"),
        (
            "providers: {a: {driver: local, baseDir: '${PLACE}'}, "
            "b: {driver: static, baseDir: n, hosts: [{address: h, user: u}]}}",
            "as of provider a: each",
        ),
        ("providers: {a: {driver: local, baseDir: state/nodes}}", "as of provider (local|a): "),
        ("providers: {b: {driver: local, baseDir: /old}}", "old is of an earlier run: once none of its VMs is left"),
        ("providers: {a: {driver: local, baseDir: n}, b: {driver: local, baseDir: n/b}}", None),
    ],
)
def test_no_two_providers_keep_their_vms_in_one_directory(state, tmp_path, monkeypatch, text, told):
    """They would take each other's for orphans. What is there can be looked at, and ended, all the same."""
    monkeypatch.setenv("PLACE", str(tmp_path / "n"))
    (tmp_path / "n").mkdir()
    (tmp_path / "link").symlink_to("n")
    if "/old" in text:
        state.remember_providers({"old": {"driver": "local", "baseDir": "/old"}})
    settings = load(tmp_path, text)
    if told is None:
        check_directories(state, settings)
    else:
        with pytest.raises(InvalidRequestError, match=told) as refused:
            check_directories(state, settings)
        assert "give each a directory of its own" in str(refused.value)
    assert {"local", *settings.providers} <= open_providers(state, settings).keys()

"""Where the options of providers come from, what is kept of them, and what is put in at the last moment."""

import json
import stat
from typing import Any

import pytest

from providers import InvalidRequestError, Profile
from service.problems import InputError
from service.provider_options import (
    NOBODY,
    boot_doubts,
    check_idle_timeouts,
    link_timeouts,
    open_one,
    open_providers,
    provider_options,
    try_open,
)
from service.settings import Settings
from service.settings_file import load_settings
from service.state import StateDirectory, StateError

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


# -- variables of the environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("${PLACE}/nodes", "/there/nodes"),
        ("${PLACE}${PLACE}", "/there/there"),
        ("/plain/$PLACE", "/plain/$PLACE"),
        ("/a/$${PLACE}", "/a/${PLACE}"),
    ],
)
def test_a_variable_stands_for_its_text(monkeypatch, written, base):
    monkeypatch.setattr("service.provider_options.open_provider", lambda name, options, *rest, **more: options)
    opened: Any = open_one("local", {"baseDir": written, "maxVms": 3}, environment={"PLACE": "/there"})
    assert opened == {"baseDir": base, "maxVms": 3}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${ABSENT}", r"provider local: baseDir is \$\{ABSENT\}, and the environment variable ABSENT is not set"),
        ("${EMPTY}", "environment variable EMPTY is not set"),
        ("${}", "without the name of a variable"),
        ("${a b}", "without the name of a variable"),
        ("${ABSENT", "without the name of a variable"),
    ],
)
def test_what_is_no_variable_is_refused(written, told):
    with pytest.raises(InvalidRequestError, match=told):
        open_one("local", {"baseDir": written}, environment={"EMPTY": ""})


def test_the_place_of_a_variable_is_told_however_deep_it_stands():
    options = {"driver": "local", "hosts": [{"identityFile": "${ABSENT}"}]}
    with pytest.raises(InvalidRequestError, match=r"provider mine: hosts\.identityFile is \$\{ABSENT\}"):
        open_one("mine", options, environment={})


def test_what_was_written_is_kept_and_not_what_it_stood_for(state, tmp_path, monkeypatch):
    settings = load(tmp_path, "providers: {local: {baseDir: '${SECRET_PLACE}'}}")
    monkeypatch.setenv("SECRET_PLACE", str(tmp_path / "hidden"))
    open_providers(state, settings)
    state.remember_providers(provider_options(state, settings))
    text = state.providers_file.read_text()
    assert "${SECRET_PLACE}" in text
    assert "hidden" not in text
    assert stat.S_IMODE(state.providers_file.stat().st_mode) == 0o600


def test_user_data_is_the_shells_own_language(tmp_path):
    settings = load(tmp_path, "providers: {local: {userData: '#!/bin/sh\n\n  echo ${HOME}'}}")
    with pytest.raises(InvalidRequestError, match="unknown setting userData"):  # and not: HOME is not set
        open_one("local", settings.providers["local"], environment={})


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("providers: {aws: {driver: ec2, idleTimeout: 24}}", False),
        ("providers: {aws: {driver: ec2, idleTimeout: 25}}", True),
        ("keepAliveInterval: PT1S\nproviders: {aws: {driver: ec2, idleTimeout: 7}}", True),
        ("providers: {aws: {driver: ec2, idleTimeout: 0}}", True),
        ("providers: {aws: {driver: ec2}}", True),
        ("providers: {local: {idleTimeout: 3}}", True),
    ],
)
def test_nodes_must_not_end_themselves_between_two_words_of_ours(tmp_path, text, good):
    settings = load(tmp_path, text)
    if good:
        check_idle_timeouts(settings)
    else:
        with pytest.raises(InvalidRequestError, match="give 25 or more, or 0 for never"):
            check_idle_timeouts(settings)


@pytest.mark.parametrize(
    ("text", "boot", "told"),
    [
        ("bootTimeout: PT10S", None, "given up after 10 s (bootTimeout), and one try to connect to it may take 10 s"),
        ("bootTimeout: PT11S", None, None),
        ("bootTimeout: PT6S", 60.0, None),
        ("connectTimeout: PT10S", 6.0, "provider aws: a node is given up after 6 s"),
        ("providers: {aws: {connectTimeout: 3}}", 6.0, None),
        ("providers: {aws: {connectTimeout: 30}}", 20.0, "may take 30 s (connectTimeout)"),
    ],
)
def test_a_boot_that_is_given_less_time_than_one_try_to_connect_is_doubted(tmp_path, text, boot, told):
    settings = load(tmp_path, text)
    doubt = boot_doubts(settings, "aws", settings.providers.get("aws", {}), Profile(boot_timeout=boot))
    assert (doubt is None) if told is None else (told in str(doubt))


# -- what settings, state and provider say ---------------------------------------------------------------------


def test_providers_that_keep_records_have_a_directory_each(state, tmp_path):
    settings = load(tmp_path, "providers: {local: {}, more: {driver: local}, own: {driver: local, baseDir: /own}}")
    options = provider_options(state, settings)
    assert [options[name]["baseDir"] for name in ("local", "more", "own")] == [
        str(state.path / "nodes"), str(state.path / "providers" / "more"), "/own"
    ]  # fmt: skip
    assert options["local"]["idleTimeout"] == 600


def test_settings_go_before_what_is_remembered(state, tmp_path):
    state.remember_providers({"old": {"driver": "local", "baseDir": "/o"}, "local": {"baseDir": "/n", "maxVms": 1}})
    options = provider_options(state, load(tmp_path, "providers: {local: {maxVms: 3}}"))
    assert options["old"] == {"driver": "local", "baseDir": "/o"}
    assert options["local"]["maxVms"] == 3


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"driver": "ec2", "region": "a"}, "{driver: ec2, region: b}", "had region 'a' in earlier runs of this state"),
        ({"driver": "ec2"}, "{driver: gce}", "had driver 'ec2' in earlier runs"),
        ({"driver": "ec2"}, "{driver: x, region: b}", "had driver 'ec2' in earlier runs of this state, and 'x' in"),
        ({"driver": "ec2", "endpoint": "http://a"}, "{driver: ec2}", "and the cloud's own in the settings"),
        ({"driver": "ec2"}, "{driver: ec2, endpoint: 'http://a'}", "had endpoint the cloud's own in earlier runs"),
        ({"driver": "local", "baseDir": "/a"}, "{driver: local, baseDir: /b}", "under another name"),
        ({"driver": "ec2", "region": "a", "image": "i"}, "{driver: ec2, region: a, image: j}", None),
        ({"driver": "local", "baseDir": "/a"}, "{driver: local}", None),
    ],
)
def test_a_provider_stays_where_it_was(state, tmp_path, before, now, told):
    """Its VMs would not be found any more."""
    state.remember_providers({"x": before})
    settings = load(tmp_path, f"providers: {{x: {now}}}")
    if told is None:
        assert provider_options(state, settings)["x"]["driver"] == before["driver"]
        return
    with pytest.raises(StateError, match=told):
        provider_options(state, settings)


def test_a_default_that_nobody_describes(state):
    with pytest.raises(InvalidRequestError, match="it is the defaultProvider; providers of the settings: none"):
        open_providers(state, Settings(default_provider="moon"))


def test_a_provider_of_an_earlier_run_that_can_be_opened_no_more(state):
    state.remember_providers({"old": {"driver": "local", "baseDir": "${GONE}"}})
    with pytest.raises(InvalidRequestError, match=r"GONE is not set \(of an earlier run; once none of its VMs is left"):
        open_providers(state, Settings())
    opened = try_open(state, Settings())
    assert isinstance(opened["old"], InvalidRequestError)
    assert not isinstance(opened["local"], InvalidRequestError)


def test_without_a_state_a_provider_is_nobodys(tmp_path):
    opened: Any = try_open(None, load(tmp_path, "providers: {s: {driver: simulated}}"))
    assert opened["s"]._deployment == NOBODY
    assert isinstance(opened["local"], InvalidRequestError)  # it has no directory


def test_the_secret_of_host_keys_is_the_deployments_own(state, tmp_path):
    other = StateDirectory(tmp_path / "other")
    other.create(lambda: ID)
    for each in (state, other):
        each.key.make(nodes=0)
    secret = state.key.host_key_secret()
    assert len(secret) == 32
    assert secret == StateDirectory(state.path).key.host_key_secret()
    assert secret != other.key.host_key_secret()
    assert secret not in (state.path / "id_ed25519").read_bytes()


# -- files that options name -----------------------------------------------------------------------------------


def test_paths_are_relative_to_the_settings_file(tmp_path):
    settings = load(
        tmp_path,
        "providers: {s: {driver: static, knownHosts: k, baseDir: /b, hosts: [{address: a, identityFile: keys/id}],\n"
        "  credentials: '${HOME}/c'}}",
    )
    options = settings.providers["s"]
    assert (options["knownHosts"], options["baseDir"]) == (str(tmp_path / "k"), "/b")
    assert options["hosts"] == [{"address": "a", "identityFile": str(tmp_path / "keys/id")}]
    assert options["credentials"] == "${HOME}/c"


def test_images_of_vms_on_this_machine_are_files(tmp_path):
    settings = load(
        tmp_path,
        "providers: {qemu: {image: ./d.img, images: {a: a.img, b: {kernel: k, initrd: /i}}, sizes: {s: {disk: 8}}},\n"
        "  gce: {image: projects/p/i, images: {a: b}}}",
    )
    here = settings.providers["qemu"]
    assert here["image"] == str(tmp_path / "d.img")
    assert here["images"]["a"] == {"disk": str(tmp_path / "a.img")}
    assert here["images"]["b"] == {"kernel": str(tmp_path / "k"), "initrd": "/i"}
    assert here["sizes"] == {"s": {"disk": 8}}
    assert settings.providers["gce"] == {"image": "projects/p/i", "images": {"a": "b"}}


def test_a_script_is_taken_in(tmp_path):
    (tmp_path / "first.sh").write_text("#!/bin/sh\necho ${HOME}\n")
    settings = load(tmp_path, "providers: {aws: {driver: ec2, userData: first.sh}}")
    assert settings.providers["aws"]["userData"] == "#!/bin/sh\necho ${HOME}\n"
    json.dumps(settings.providers)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"echo", "is no script: it must begin with #!"),
        (b"#!\xff", "is not UTF-8"),
        (b"#!/bin/sh\n" + b"#" * 70_000, "is longer than 64 KiB"),
    ],
)
def test_a_script_that_cannot_be_one(tmp_path, content, told):
    if content is not None:
        (tmp_path / "first.sh").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(tmp_path, "providers:\n  aws: {driver: ec2, userData: first.sh}")
    assert f"s.yaml:2:32: providers.aws.userData: {tmp_path / 'first.sh'} {told}" in str(caught.value)


def test_names_of_providers(tmp_path):
    with pytest.raises(InputError, match=r"2:10: providers.a/b: its name may hold 1 to 64 letters"):
        load(tmp_path, "providers:\n  'a/b': {driver: local}")


# -- the way to the nodes --------------------------------------------------------------------------------------


def test_time_outs_of_a_provider():
    options = {"baseDir": "/n", "connectTimeout": 3, "agentStartTimeout": 0.5}
    open_one("local", options)
    assert link_timeouts("local", options) == {"connect": 3.0, "start": 0.5}
    assert link_timeouts("local", {}) == {}


@pytest.mark.parametrize("value", [0, -1, "PT5S", True, float("inf"), float("nan")])
def test_time_outs_that_are_none(value):
    with pytest.raises(InvalidRequestError, match="setting handshakeTimeout is "):
        open_one("local", {"baseDir": "/n", "handshakeTimeout": value})

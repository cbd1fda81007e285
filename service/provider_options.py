"""The options of the providers, as the settings and earlier runs of a state have them, and opening them.

What is kept is what was written: `${NAME}` stands for an environment variable until a provider is opened, so that a
secret of the environment never gets into the state.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers import HostKeys, InvalidRequestError, Profile, Provider, ProviderError, SettingError, open_provider

from .settings import Settings, Written
from .state import StateDirectory, StateError

Options = dict[str, Any]

#: Stands in the place of a deployment's id where nothing is created and nothing listed.
NOBODY = "0" * 12
#: Drivers whose nodes come from this machine, or from machines that are asked one by one.
AT_HOME = frozenset(("local", "qemu", "simulated", "static"))
#: Drivers that keep what they know of their VMs in a directory, `baseDir`.
_WITH_DIRECTORY = frozenset(("local", "qemu", "static"))
#: Options whose text is somebody else's language, in which `${...}` means something of its own.
_VERBATIM = frozenset(("userData",))

#: Options of every provider that are about the way to its nodes, in seconds; which time-out each one is.
LINK_OPTIONS = {"agentStartTimeout": "start", "connectTimeout": "connect", "handshakeTimeout": "handshake"}

#: Seconds that one call of a cloud may take while somebody looks on and nothing depends on it.
_PATIENCE = 10.0
#: Seconds between two notes of a node that it was spoken to.
_NOTED = 5.0
#: Options that say where a provider is.
_PLACE = ("driver", "region", "endpoint", "project", "subscriptionId", "resourceGroup", "baseDir")

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def provider_options(state: StateDirectory | None, settings: Settings) -> dict[str, Options]:
    """The options of each provider by name: of the settings, and of earlier runs of this state. Raises StateError."""
    names = (settings.default_provider, *settings.providers)
    options = {name: dict(settings.providers.get(name, {})) for name in names}
    for name, each in options.items():
        if state is not None and driver_of(name, each) in _WITH_DIRECTORY:
            each.setdefault("baseDir", str(state.of_provider(name).resolve()))
        if driver_of(name, each) == "local":
            each.setdefault("idleTimeout", settings.node_idle_timeout.total_seconds())
    remembered = state.remembered_providers() if state is not None else {}
    for name in remembered.keys() & settings.providers.keys():
        _stays(name, remembered[name], settings.providers[name])
    return {**remembered, **options}


def _stays(name: str, before: Options, now: Options) -> None:
    """What a state has made would be lost from sight if the name stood for another place. Raises StateError."""
    # what is not said of these is said all the same: the driver of that name, the cloud's own endpoint
    before = {"endpoint": None, **before, "driver": driver_of(name, before)}
    now = {"endpoint": None, **now, "driver": driver_of(name, now)}
    for key in _PLACE:
        if key in before and key in now and before[key] != now[key]:
            was, told = (repr(each[key]) if each[key] is not None else "the cloud's own" for each in (before, now))
            raise StateError(
                f"provider {name} had {key} {was} in earlier runs of this state, and {told} in the settings: "
                "what is left there would be forgotten. Describe the other place under another name"
            )


def driver_of(name: str, options: Mapping[str, Any]) -> str:
    return str(options.get("driver", name))


def hasty(name: str, options: Mapping[str, Any]) -> Options:
    """The options for a provider that is only looked at: somebody waits for what a cloud says, or does not."""
    timeout = options.get("timeout")
    if driver_of(name, options) in AT_HOME or (timeout is not None and not _longer(timeout)):
        return dict(options)
    return {**options, "timeout": _PATIENCE}


def _longer(timeout: object) -> bool:
    return isinstance(timeout, int | float) and timeout > _PATIENCE


def open_one(
    name: str,
    options: Mapping[str, Any],
    deployment: str = NOBODY,
    secret: bytes | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Provider:
    """The provider, bound to `deployment`; its VMs get host keys made of `secret`. Raises InvalidRequestError, also if
    it names an environment variable that is not set."""
    resolved = {
        key: _resolved(f"provider {name}: {key}", key, value, environment)
        for key, value in options.items()
        if key not in LINK_OPTIONS
    }
    link_timeouts(name, options)
    return open_provider(name, resolved, deployment, host_keys=HostKeys(secret or bytes(32)))


def link_timeouts(name: str, options: Mapping[str, Any]) -> dict[str, float]:
    """The time-outs (seconds) of connections to nodes of this provider that differ from the general ones. Raises
    InvalidRequestError."""
    found = {}
    for key, field in LINK_OPTIONS.items():
        value = options.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise SettingError(name, key, f"setting {key} is {value!r}; it must be seconds, more than 0")
        found[field] = float(value)
    return found


def check_idle_timeouts(settings: Settings) -> None:
    """Nodes to which we speak every `keepAliveInterval`, and which note it every few seconds, must not think us dead.
    Raises InvalidRequestError. For those who create nodes: what is there must be reached with any settings."""
    pause = settings.keep_alive_interval.total_seconds()
    least = 2 * pause + _NOTED
    for name, options in settings.providers.items():
        value = options.get("idleTimeout")
        if driver_of(name, options) != "local" and isinstance(value, int | float) and 0 < value < least:
            raise InvalidRequestError(
                f"provider {name}: idleTimeout is {value:g} s, and the controller speaks to a node every {pause:g} s "
                f"(keepAliveInterval): nodes would end themselves meanwhile; give {least:g} or more, or 0 for never"
            )


def check_directories(state: StateDirectory, settings: Settings) -> None:
    """Of two providers with one directory, each would take the VMs of the other for orphans, and end them. Raises
    InvalidRequestError, StateError. For those who create nodes, as above."""
    found = dict[Path, str]()
    for name, each in provider_options(state, settings).items():
        if driver_of(name, each) not in _WITH_DIRECTORY:
            continue
        try:
            base = Path(_resolved(f"provider {name}: baseDir", "baseDir", each["baseDir"], os.environ)).resolve()
        except InvalidRequestError:
            continue  # whoever asks that provider for something tells it, and where it is described
        other = found.setdefault(base, name)
        if other == name:
            continue
        text = f"baseDir is {base}, as of provider {other}: each would end the VMs of the other"
        cure = "give each a directory of its own"
        described = (*settings.providers, settings.default_provider)
        for left in (each for each in (other, name) if each not in described):
            file = state.providers_file
            cure += f"; {left} is of an earlier run: once none of its VMs is left, remove it from {file}"
        raise _placed(SettingError(name, "baseDir", f"{text}; {cure}"), name, settings)


def boot_doubts(settings: Settings, name: str, options: Options, profile: Profile) -> str | None:
    """Whether a node of that provider may be given up before the first try to connect to it is over."""
    general = settings.boot_timeout.total_seconds()
    boot = general if profile.boot_timeout is None else profile.boot_timeout
    connect = link_timeouts(name, options).get("connect", settings.connect_timeout.total_seconds())
    if boot > connect:
        return None
    return (
        f"provider {name}: a node is given up after {boot:g} s (bootTimeout), and one try to connect to it may take "
        f"{connect:g} s (connectTimeout): give it time for several"
    )


def open_providers(state: StateDirectory, settings: Settings) -> dict[str, Provider]:
    """The providers that nodes may come from, by name. Raises InvalidRequestError, StateError."""
    options, opened = provider_options(state, settings), dict[str, Provider]()
    deployment = state.deployment().id if state.exists() else NOBODY
    identity = deployment, None if state.key.lost() else state.key.host_key_secret()
    for name, each in options.items():
        if driver_of(name, each) == "simulated":
            raise InvalidRequestError(f"provider {name}: simulated machines run no tasks; use the provider `local`")
        try:
            opened[name] = open_one(name, each, *identity)
        except InvalidRequestError as exc:
            if name in settings.providers:
                raise _placed(exc, name, settings) from None
            raise InvalidRequestError(f"{exc}{_origin(name, state, settings)}") from None
    return opened


def try_open(
    state: StateDirectory | None, settings: Settings, deployment: str | None = None, *, in_haste: bool = False
) -> dict[str, Provider | ProviderError]:
    """For those who look and end, and create nothing: providers of any kind, bound to `deployment` (None: that of the
    state, else nobody's). In the place of one that cannot be opened stands why. Raises StateError. `in_haste`: for
    those who only look."""
    if deployment is None:
        deployment = state.deployment().id if state is not None and state.exists() else NOBODY
    found: dict[str, Provider | ProviderError] = {}
    for name, each in provider_options(state, settings).items():
        try:
            found[name] = open_one(name, hasty(name, each) if in_haste else each, deployment)
        except ProviderError as exc:
            found[name] = _placed(exc, name, settings)
    return found


def _placed(error: ProviderError, name: str, settings: Settings) -> ProviderError:
    """The same with its place, if it is about something that stands in a file."""
    options = settings.providers.get(name)
    if not isinstance(error, SettingError) or not isinstance(options, Written):
        return error
    inside = error.provider != name  # of one of several things that an option describes
    return InvalidRequestError(f"{options.place('' if inside else error.setting)}: {error}")


def _origin(name: str, state: StateDirectory, settings: Settings) -> str:
    """Why a provider is asked for that the settings do not describe."""
    if name == settings.default_provider:
        names = ", ".join(settings.providers) or "none"
        return f" (it is the defaultProvider; providers of the settings: {names})"
    return f" (of an earlier run; once none of its VMs is left, remove it from {state.providers_file})"


def _resolved(place: str, key: str, value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _resolved(f"{place}.{name}", name, each, environment) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(place, key, each, environment) for each in value]
    if not isinstance(value, str) or key in _VERBATIM:
        return value
    return _REFERENCE.sub(lambda match: _variable(place, match, environment), value)


def _variable(place: str, match: re.Match[str], environment: Mapping[str, str]) -> str:
    name = match.group(1)
    if name is None:
        return "${"  # it was written `$${`
    if not _VARIABLE.fullmatch(name) or not match.group().endswith("}"):
        cure = "write ${NAME} for an environment variable, and $${ for the text ${"
        raise InvalidRequestError(f"{place} holds ${{ without the name of a variable and }}; {cure}")
    text = environment.get(name)
    if not text:
        raise InvalidRequestError(f"{place} is ${{{name}}}, and the environment variable {name} is not set")
    return text

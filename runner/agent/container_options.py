"""`containerRunOptions`: which of them anybody may give, and which take the rights of the engine.

An engine that root has started does whatever its options say: mount any folder of the node, run as any user, write
files. So all that are not known to be harmless are for those who are root on the node anyway.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

#: Set by us: the container is named and watched.
OURS = ("name", "cidfile", "detach")
_SHORT = {
    "c": "cpu-shares", "d": "detach", "e": "env", "h": "hostname", "i": "interactive", "l": "label", "m": "memory",
    "t": "tty", "u": "user", "v": "volume", "w": "workdir",
}  # fmt: skip
_FLAGS = frozenset(("detach", "init", "interactive", "no-healthcheck", "oom-kill-disable", "read-only", "rm", "tty"))
_HARMLESS = frozenset((
    "add-host", "cap-drop", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus",
    "cpuset-cpus", "cpuset-mems", "dns", "dns-option", "dns-search", "entrypoint", "env", "gpus", "hostname", "init",
    "interactive", "label", "memory", "memory-reservation", "memory-swap", "memory-swappiness", "net", "network",
    "no-healthcheck", "oom-kill-disable", "pids-limit", "platform", "pull", "read-only", "rm", "shm-size",
    "stop-signal", "stop-timeout", "tmpfs", "tty", "ulimit", "workdir",
))  # fmt: skip
#: Not `container:`, which is somebody else's, nor `ns:`, a path.
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class OptionRefused(ValueError):
    """The message names the option and says what would help."""


def check(options: list[str], admin: bool) -> None:
    """`admin`: the command has the rights of the engine outside of the container too. Raises OptionRefused."""
    for name, value, word in _read(options):
        if name in OURS:
            raise OptionRefused(f"{word} may not be among them: the container is named and watched already")
        if admin:
            continue
        if name not in _HARMLESS:
            raise OptionRefused(f"{word} gives rights that the task does not have: {_CURE}")
        if name in ("net", "network") and not _NETWORK.match(value or ""):
            raise OptionRefused(f"{word} {value!r}: only networks by their names: {_CURE}")


_CURE = "leave it out, or run it as admin (userIdentity: {autoUser: {elevationLevel: admin}})"


def passed(options: list[str]) -> list[str]:
    """Without `--rm`: we remove the container ourselves, when we have seen how it ended."""
    return [option for option in options if option.partition("=")[0] != "--rm"]


def _read(options: list[str]) -> Iterator[tuple[str, str | None, str]]:
    """(full name, value, as it was written) of each. Raises OptionRefused for a word that is none: the engine would
    take it for the image."""
    words = list(options)
    while words:
        word = words.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, given, value = word[2:].partition("=")
            if given or name in _FLAGS:
                yield name, value, f"--{name}"
            elif name in _HARMLESS:
                yield name, _value(words, f"--{name}"), f"--{name}"
            else:
                if words and not words[0].startswith("-"):
                    words.pop(0)  # its value, most likely
                yield name, None, f"--{name}"
        elif word.startswith("-") and len(word) > 1:
            rest = word[1:]
            while rest:
                letter, rest = rest[0], rest[1:]
                name = _SHORT.get(letter, letter)
                if name in _FLAGS:
                    yield name, None, f"-{letter}"
                else:
                    yield name, rest or _value(words, f"-{letter}"), f"-{letter}"
                    rest = ""
        else:
            raise OptionRefused(f"{word[:80]!r} is no option; they are those of `docker create`, such as --init")


def _value(words: list[str], option: str) -> str:
    """The next word. One that looks like an option may be one for another version of an engine."""
    value = words.pop(0) if words else ""
    if value.startswith("-") and not value[1:].isdigit():
        raise OptionRefused(f"{option} {value[:80]!r}: write {option}=VALUE, or leave it out")
    return value

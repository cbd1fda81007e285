"""Command lines run without a shell; this is how they are split, and how a user is told that a shell is
missing."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

from .agent.not_started import OF_SHELLS

#: Plain and quoted pieces of words, and what stands between words.
_PART = re.compile(r"""[^\s'"]+|'[^']*'|"[^"]*"|[ \t\r\n]+""", re.ASCII)
_QUOTES, _BLANKS = ("'", '"'), (" ", "\t", "\r", "\n")

#: What only a shell understands, and what it does there. Names of files it finds only where they are not quoted, and
#: neither is what stands between commands; but who gives words, not a line, has to quote that in the own shell.
_EXPANDED = re.compile(r"\$\w+|\$\{\w+\}|\$\(|`")
_BETWEEN = re.compile(r"&&|\|\||[|<>;]")
_NAMES = re.compile(r"(?:^|\s)(~(?:/\S*)?|[^\s\\]*\*\S*)(?=\s|$)")
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_COMMAND_OPTION = re.compile(r"-[a-z]*c[a-z]*")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
#: Without any of these a line holds nothing that a shell would be needed for.
_SIGNS = re.compile(rf"[$&|<>;`*~=]|-\w*c|^\s*(?:{'|'.join(map(re.escape, sorted(OF_SHELLS)))})\s")


class CommandLineError(ValueError):
    """The command line cannot be split."""


@lru_cache(4096)
def split(command_line: str) -> tuple[str, ...]:
    """Split by the POSIX shell's quoting rules, without expansion: blanks separate, ' and " quote, \\
    escapes.

    Raises CommandLineError for an empty line, an open quote or a NUL.
    """
    if "\0" in command_line:
        raise CommandLineError("the command line holds a NUL character")
    try:
        words = _plain_words(command_line) or shlex.split(command_line, posix=True)
    except ValueError as exc:
        raise CommandLineError(f"{exc} in command line {command_line!r}") from None
    if not words or not words[0]:
        raise CommandLineError("the command line is empty")
    return tuple(words)


def _plain_words(line: str) -> list[str] | None:
    """As shlex splits, ten times as fast, a line without `\\` whose blanks are the usual ones; None for all others."""
    if "\\" in line or not line.isascii():
        return None
    if "'" not in line and '"' not in line and line.isprintable():
        return line.split()
    parts = _PART.findall(line)
    if sum(map(len, parts)) != len(line):
        return None  # an open quote, a form feed: shlex knows
    words: list[str] = []
    word: str | None = None
    for part in parts:
        if part.startswith(_BLANKS):
            if word is not None:
                words.append(word)
            word = None
        else:
            piece = part[1:-1] if part.startswith(_QUOTES) else part
            word = piece if word is None else word + piece
    return words if word is None else [*words, word]


def shell_hint(command_line: str) -> str | None:
    """A hint if the line looks as if it needs a shell and starts none, else None."""
    if _SIGNS.search(command_line) is None:
        return None
    try:
        words = split(command_line)
    except CommandLineError:
        return None
    program = words[0].rsplit("/", 1)[-1]
    if program in _SHELLS:
        return _cut_off(words)
    if program in ("env", "busybox"):
        return None
    cure = 'if a shell should read it, write: /bin/sh -c "..."'
    if words[0] in OF_SHELLS:
        return f"{words[0]!r} is a command of the shell, and command lines run without one; {cure}"
    if _ASSIGNMENT.match(words[0]):
        return (
            f"{words[0]!r} sets a variable in a shell only, and command lines run without one; "
            f'name it in environmentSettings, or write: /bin/sh -c "..."'
        )
    bare = _QUOTED.sub("_", command_line)
    signs = [_EXPANDED.search(word) or _BETWEEN.fullmatch(word) for word in words]
    sign = next(filter(None, signs), None) or _BETWEEN.search(bare) or _NAMES.search(bare)
    if sign is None:
        return None
    found = sign.group(sign.lastindex or 0)
    return f"{found!r} is passed on as it stands, because command lines run without a shell; {cure}"


def _cut_off(words: tuple[str, ...]) -> str | None:
    """Of `bash -c echo $HOME` the shell reads `echo` alone: a hint if a line is written so."""
    for at, word in enumerate(words[1:], 1):
        if not word.startswith("-"):
            return None  # a script
        if _COMMAND_OPTION.fullmatch(word):
            command, rest = words[at + 1 : at + 2], words[at + 2 :]
            if not rest or not command or any(sign in command[0] for sign in " \t\r\n;$"):
                return None
            return (
                f"{words[0]} reads {command[0]!r} alone as its command, and {rest[0]!r} as its $0; "
                f'quote the whole command: {words[0]} {word} "{command[0]} ..."'
            )
    return None

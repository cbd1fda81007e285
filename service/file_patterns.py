"""Which files of a task a pattern means, by their names below the task's folder: as patterns of output files, `*`, `?`,
`[abc]`, `[!abc]` within a name, `**` for any folders; a leading dot must be written out. Relative to the working
directory `wd`; `../` leads to the task's folder. Pure."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

_WORKING = "wd"
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
_WILD = re.compile(r"[*?\[]")
#: Stands for a variable, whose value only the node knows.
_ANYTHING = "\0"


class PatternError(ValueError):
    """The pattern leads out of the task's folder."""


@lru_cache(1024)
def parts_of(pattern: str) -> tuple[str, ...]:
    """Relative to the task's folder. Raises PatternError."""
    if pattern.startswith("/") or "\0" in pattern or not pattern:
        raise PatternError(f"{pattern!r} is no pattern here; write it relative to the working directory")
    parts = [_WORKING]
    for part in _VARIABLE.sub(_ANYTHING, pattern).split("/"):
        if part == "..":
            if not parts or _WILD.search(parts[-1]):
                raise PatternError(f"{pattern!r} leads out of the folder of the task")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return (*parts, "*") if parts and parts[-1] == "**" else tuple(parts)


def means(pattern: str, name: str) -> bool:
    """Raises PatternError."""
    return _means(parts_of(pattern), tuple(name.split("/")))


def below(pattern: str) -> tuple[str, bool]:
    """The folder that all lie in which the pattern means, and whether some may lie in folders of that one. Raises
    PatternError."""
    parts = parts_of(pattern)
    known = 0
    while known < len(parts) - 1 and not _WILD.search(parts[known]) and _ANYTHING not in parts[known]:
        known += 1
    rest = parts[known:]
    return "/".join(parts[:known]), len(rest) > 1 or any(_ANYTHING in part for part in rest)


def _means(parts: tuple[str, ...], names: tuple[str, ...]) -> bool:
    for at, part in enumerate(parts):
        if part == "**":
            return any(
                _means(parts[at + 1 :], names[behind:])
                for behind in range(at, len(names))
                if not any(each.startswith(".") for each in names[at:behind])
            )
        if at == len(names) or not _is_meant(part, names[at]):
            return False
    return len(parts) == len(names)


def _is_meant(part: str, name: str) -> bool:
    if _ANYTHING in part or _WILD.search(part):
        hidden = part.startswith((".", _ANYTHING))
        return (hidden or not name.startswith(".")) and _compiled(part).match(name) is not None
    return part == name


@lru_cache(1024)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part.replace(_ANYTHING, "*")))

"""Which files a pattern of output files means, as Azure Batch writes them: `*`, `?`, `[abc]`, `[!abc]` within a name,
`**` for any folders; a leading dot must be written out. Nothing outside the task's folder is found."""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, Mapping

_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
_WILD = re.compile(r"[*?\[]")
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class PatternError(ValueError):
    """The pattern leads out of the task's folder."""


def expand(pattern: str, env: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` in place; those that are not set stay as they are."""
    return _VARIABLE.sub(lambda found: env.get(found.group(1).strip("{}"), found.group(0)), pattern)


def is_wild(pattern: str) -> bool:
    return _WILD.search(pattern) is not None


def found(pattern: str, top: str, failed: Callable[[str, OSError], None]) -> Iterator[tuple[str, str]]:
    """(path, name): each file that the pattern means, by its real path, and its name: below the working directory
    (`top` + "/wd") if the pattern stays in it, else below `top`, so that no two have the same. Sorted. `failed` is
    called with what could not be looked at, and why. Raises PatternError."""
    parts = _parts(pattern, top)
    above = "wd/" if parts[:1] == ["wd"] else ""
    real = os.path.realpath(top)
    for relative in sorted(_walk(real, parts, failed)):
        path = os.path.join(real, relative)
        try:
            regular = stat.S_ISREG(os.stat(path).st_mode)
        except OSError as error:
            if error.errno not in _NOT_THERE and _inside(path, real):
                failed(relative, error)
            continue
        if regular and _inside(path, real):
            yield os.path.realpath(path), relative[len(above) :]


def _inside(path: str, top: str) -> bool:
    """Does no link lead out?"""
    return os.path.realpath(path).startswith(top + "/")


def _parts(pattern: str, top: str) -> list[str]:
    """The pattern relative to `top`, part by part."""
    if pattern.startswith("/"):
        for each in (top, os.path.realpath(top)):
            if pattern.startswith(each + "/"):
                pattern = pattern[len(each) + 1 :]
                break
        else:
            raise PatternError(f"{pattern!r} leads out of the folder of the task")
        parts: list[str] = []
    else:
        parts = ["wd"]
    for part in pattern.split("/"):
        if part == "..":
            if not parts or is_wild(parts[-1]):
                raise PatternError(f"{pattern!r} leads out of the folder of the task")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if parts and parts[-1] == "**":
        parts.append("*")
    return parts


def _walk(top: str, parts: list[str], failed: Callable[[str, OSError], None]) -> set[str]:
    """Paths of what the parts mean, relative to `top`. Wildcards do not lead through links to folders."""
    meant: set[str] = set()
    todo = [("", 0)]  # a folder or file, and how many of the parts lead to it
    seen: set[tuple[str, int]] = set()
    while todo:
        above, count = step = todo.pop()
        if step in seen:
            continue
        seen.add(step)
        if count == len(parts):
            meant.add(above)
            continue
        part = parts[count]
        if part == "**":
            todo.append((above, count + 1))
            folders = (entry for entry in _entries(top, above, failed) if entry.is_dir(follow_symlinks=False))
            todo += [(os.path.join(above, entry.name), count) for entry in folders if not entry.name.startswith(".")]
        elif is_wild(part):
            matches = re.compile(fnmatch.translate(part)).match
            names = [entry.name for entry in _entries(top, above, failed) if matches(entry.name)]
            hidden = part.startswith(".")
            todo += [(os.path.join(above, name), count + 1) for name in names if hidden or not name.startswith(".")]
        else:
            todo.append((os.path.join(above, part), count + 1))
    return meant


def _entries(top: str, above: str, failed: Callable[[str, OSError], None]) -> list[os.DirEntry[str]]:
    folder = os.path.join(top, above)
    try:
        return [] if os.path.islink(folder) else list(os.scandir(folder))
    except OSError as error:
        if error.errno not in _NOT_THERE:
            failed(above, error)
        return []

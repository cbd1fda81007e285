"""Which files a pattern of output files means, as Azure Batch writes them: `*`, `?`, `[abc]`, `[!abc]` within a name,
`**` for any folders; a leading dot must be written out. Nothing outside the task's folder is found."""

from __future__ import annotations

import fnmatch
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Mapping

_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
_WILD = re.compile(r"[*?\[]")


class PatternError(ValueError):
    """The pattern leads out of the task's folder."""


def expand(pattern: str, env: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` in place; those that are not set stay as they are."""
    return _VARIABLE.sub(lambda found: env.get(found.group(1).strip("{}"), found.group(0)), pattern)


def is_wild(pattern: str) -> bool:
    return _WILD.search(pattern) is not None


def found(pattern: str, top: str) -> Iterator[tuple[str, str]]:
    """(path, name): each file that the pattern means, by its real path, and its name below the working directory
    (`top` + "/wd"), or below `top` if it is not there. Sorted. Raises PatternError."""
    parts = _parts(pattern, top)
    real = os.path.realpath(top)
    seen = set()
    for relative in sorted(_walk(real, "", parts)):
        path = os.path.realpath(os.path.join(real, relative))
        if not path.startswith(real + "/") or not os.path.isfile(path):
            continue  # a link that leads out, a folder, a pipe
        name = relative[3:] if relative.startswith("wd/") else relative
        if name not in seen:
            seen.add(name)
            yield path, name


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


def _walk(top: str, above: str, parts: list[str]) -> Iterator[str]:
    """Paths of what the parts mean, relative to `top`. Links to folders are not entered."""
    if not parts:
        if above:
            yield above
        return
    first, rest = parts[0], parts[1:]
    folder = os.path.join(top, above)
    if first != "**" and not is_wild(first):
        path = os.path.join(above, first)
        if os.path.lexists(os.path.join(top, path)):
            yield from _walk(top, path, rest)
        return
    try:
        entries = list(os.scandir(folder)) if not os.path.islink(folder) else []
    except OSError:
        return
    if first == "**":
        yield from _walk(top, above, rest)
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield from _walk(top, os.path.join(above, entry.name), parts)
        return
    matches = re.compile(fnmatch.translate(first)).match
    for entry in entries:
        if matches(entry.name) and (first.startswith(".") or not entry.name.startswith(".")):
            yield from _walk(top, os.path.join(above, entry.name), rest)

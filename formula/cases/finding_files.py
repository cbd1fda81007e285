"""The case files below the paths that somebody names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .case import SUFFIX, CaseFileError


def case_files(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given, and of directories every case file below, hidden directories left out.

    Raises CaseFileError for what does not exist, and if there is none at all.
    """
    found: dict[Path, None] = {}
    problems: list[str] = []
    named = list(paths)
    for path in named:
        if path.is_dir():
            below = (file for file in sorted(path.rglob(f"*{SUFFIX}")) if not _is_hidden(file.relative_to(path)))
            found.update(dict.fromkeys(below))
        elif path.exists():
            found[path] = None
        else:
            problems.append(f"{path}: there is no such file or directory")
    if problems:
        raise CaseFileError(problems)
    if not found:
        raise CaseFileError([f"{', '.join(map(str, named))}: there is no case file; their names end in {SUFFIX}"])
    return list(found)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts[:-1])

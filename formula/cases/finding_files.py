"""The case files below the paths that somebody names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .case import SUFFIX, CaseFileError


def case_files(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given, and of directories every case file below, hidden directories left out.

    Raises CaseFileError for what does not exist or cannot be listed, and if there is none at all.
    """
    found: dict[Path, None] = {}
    problems: list[str] = []
    named = list(paths)
    for path in named:
        if path.is_dir():
            found.update(dict.fromkeys(_below(path, problems)))
        elif path.exists():
            found[path] = None
        else:
            problems.append(f"{path}: there is no such file or directory")
    if problems:
        raise CaseFileError(problems)
    if not found:
        raise CaseFileError([f"{', '.join(map(str, named))}: there is no case file; their names end in {SUFFIX}"])
    return list(found)


def _below(path: Path, problems: list[str]) -> Iterator[Path]:
    def unlisted(exc: OSError) -> None:
        problems.append(f"{exc.filename}: cannot be listed: {exc.strerror or exc}")

    for folder, folders, files in os.walk(path, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIX))

"""The Python that runs what the agent does as other users."""

from __future__ import annotations

import os
import re
import stat
import sys

_SYSTEM = ("/usr/bin/python3", "/usr/local/bin/python3")
_VERSION = re.compile(r"python3\.(\d+)")
_OLDEST = 8  # of Python 3

_found = ""


def of_everybody() -> str:
    """Our own if every user can reach it (one in root's home cannot be), else the system's; without one, our own."""
    global _found
    if not _found:
        _found = next((each for each in (sys.executable, *_SYSTEM) if _serves(each)), sys.executable)
    return _found


def _serves(path: str) -> bool:
    real = os.path.realpath(path)
    version = _VERSION.match(os.path.basename(real))
    new_enough = path == sys.executable or (version is not None and int(version.group(1)) >= _OLDEST)
    return new_enough and is_open(path) and is_open(real)


def is_open(path: str) -> bool:
    """May everybody execute the file, as far as the modes of it and of the folders above it say?"""
    try:
        while path:
            if not os.stat(path).st_mode & stat.S_IXOTH:
                return False
            path = "" if path == "/" else os.path.dirname(path)
    except OSError:
        return False
    return True

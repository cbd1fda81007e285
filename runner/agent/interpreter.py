"""The Python that runs what the agent does as other users."""

from __future__ import annotations

import os
import stat
import sys

_SYSTEM = ("/usr/bin/python3", "/usr/local/bin/python3")
_NAME = "python3."
_OLDEST = 8  # of Python 3

_found = ""


def of_everybody() -> str:
    """Our own if every user can reach it (one in root's home cannot be), else the system's; without one, our own.

    Who is not root becomes no other user.
    """
    global _found
    if not _found:
        others = _SYSTEM if os.geteuid() == 0 and not _serves(sys.executable) else ()
        _found = next((each for each in others if _is_new_enough(each) and _serves(each)), sys.executable)
    return _found


def _is_new_enough(path: str) -> bool:
    name = os.path.basename(os.path.realpath(path))
    minor = name[len(_NAME) :]
    return name.startswith(_NAME) and minor.isdigit() and int(minor) >= _OLDEST


def _serves(path: str) -> bool:
    return is_open(path) and is_open(os.path.realpath(path))


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

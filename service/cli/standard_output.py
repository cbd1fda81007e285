"""Standard output that takes what is written whole, or says that it is standard output that does not."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _Output(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = "standard output"
            if not isinstance(error, BrokenPipeError):  # see `tell.hush`
                # what is left in the buffers goes nowhere: Python would complain of it once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise


def replace() -> None:
    """Also with PYTHONUNBUFFERED there is a buffer then, and every line goes out at once all the same: without one,
    Python forgets what a pipe or a disk does not take."""
    out = sys.stdout
    if out is None:  # it was closed before we began
        return
    at_once = bool(out.line_buffering) or isinstance(out.buffer, io.RawIOBase)
    raw = _Output(out.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), out.encoding, out.errors, line_buffering=at_once)

"""The bytes of a trace, which may be compressed by gzip, and what a format makes of them."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ..problems import InputError, Place, Problem

#: Of the trace itself, not of its compressed file: the largest public ones have 0.2 GB.
MOST_BYTES = 2**30
#: Times from here on (1985-11-05) are Instants; smaller ones are counted from the trace's beginning.
FIRST_INSTANT = 500_000_000.0
#: No log reaches beyond the year 2286, and none is longer.
LAST_INSTANT = 10_000_000_000.0
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class TracedTasks:
    """Columns of the same length, in the order of the file. `times`: seconds since the trace's beginning, or Instants
    if they are that large. `began`: the Instant of second 0, if the trace says so; `notes`: lines for people."""

    times: Sequence[float]
    durations: Sequence[float]
    slots: Sequence[int]
    began: float | None = None
    notes: tuple[str, ...] = ()


class TraceError(ValueError):
    """What is wrong in one line of a trace (counted from 1; 0 stands for the whole file), and the cure."""

    def __init__(self, line: int, text: str, column: int = 1) -> None:
        super().__init__(text)
        self.place = Place(line, column) if line else Place()

    def of(self, file: str) -> InputError:
        return InputError(file, [Problem(self.place, "", str(self))])


def read_bytes(path: Path) -> bytes:
    """Raises TraceError."""
    try:
        mode = path.stat().st_mode
        data = _unpacked(path) if stat.S_ISREG(mode) else b""  # whoever opens a pipe may wait for ever
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise TraceError(0, f"is not wholly there, or no file of gzip: {exc}; fetch it again") from None
    except FileNotFoundError as exc:
        raise TraceError(0, f"cannot be read: {exc.strerror}; name it relative to the scenario's folder") from None
    except (OSError, ValueError) as exc:  # the second: a name with a NUL character
        raise TraceError(0, f"cannot be read: {getattr(exc, 'strerror', None) or exc}") from None
    if stat.S_ISDIR(mode):
        raise TraceError(0, "is a folder; name the file in it")
    if not stat.S_ISREG(mode):
        raise TraceError(0, "is not a regular file; write what comes from there into one, and name that")
    if len(data) > MOST_BYTES:
        raise TraceError(0, f"is larger than {MOST_BYTES // 2**30} GiB; cut it into several files")
    return data


def _unpacked(path: Path) -> bytes:
    with open(path, "rb") as stream:
        packed = stream.read(2) == _GZIP
        stream.seek(0)
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream) if packed else stream).read(MOST_BYTES + 1)


def counted(reasons: Mapping[str, int], what: str) -> tuple[str, ...]:
    """Notes on what was left out, by reason: `12 jobs left out: no run time is known`."""
    return tuple(
        f"{count} {what if count == 1 else what + 's'} left out: {reason}" for reason, count in reasons.items() if count
    )

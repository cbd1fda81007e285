"""Recordings from files, JSON or CSV."""

from __future__ import annotations

from ..samples_csv import SampleTable
from ..samples_files import parse_samples
from ..samples_json import samples_from_json
from .recording import Recording


def read_recording(file_name: str, content: str | bytes) -> Recording:
    """All that a file of samples holds (see `read_samples`). Raises ValueError that names the file, the place in it
    and the cure."""
    try:
        found = parse_samples(file_name, content)
        if isinstance(found, SampleTable):
            return Recording.of_table(found)
        return Recording.of(samples_from_json(found)[0])
    except ValueError as reason:
        raise ValueError(f"{file_name}: {reason}") from None

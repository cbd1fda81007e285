"""Files of samples, JSON or CSV. What they hold: `samples_json`, `samples_csv`."""

from __future__ import annotations

import json
from dataclasses import replace

from .samples import Samples, TimeSeries
from .samples_csv import SampleTable, read_table
from .samples_json import samples_from_json


def read_samples(file_name: str, content: str | bytes, now: float | None = None) -> tuple[Samples, float | None]:
    """The samples of a file and the time to evaluate at: `now` if given, else that of the file, else None.

    The name ends in `.json` or `.csv`; without such an ending what begins with `{` is JSON. Samples taken after that
    time are left out. Raises ValueError that names the file, the place in it and the cure.
    """
    try:
        found = parse_samples(file_name, content)
        if isinstance(found, SampleTable):
            return found.samples(now)
        samples, now = samples_from_json(found, now)
        return samples if now is None else _until(now, samples), now
    except ValueError as reason:
        raise ValueError(f"{file_name}: {reason}") from None


def _until(now: float, samples: Samples) -> Samples:
    series = {
        name: TimeSeries(pair for pair in zip(whole.times, whole.values, strict=True) if pair[0] <= now)
        for name, whole in samples.series.items()
    }
    return replace(samples, series=series)


def parse_samples(file_name: str, content: str | bytes) -> SampleTable | object:
    """CSV as a table, JSON as objects. Raises ValueError that names the place."""
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError("is not UTF-8; save the file as UTF-8") from None
    text = content.removeprefix("\ufeff")
    name = file_name.lower()
    if name.endswith(".json") or (not name.endswith((".csv", ".tsv")) and text.lstrip()[:1] == "{"):
        try:
            return json.loads(text)  # type: ignore[no-any-return]  # whatever JSON holds
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        except ValueError as reason:
            raise ValueError(f"is not JSON: {reason}") from None
    return read_table(text)

"""Data as the page carries it: JSON, compressed, in base64, which no text of a user can break out of."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from gzip import compress
from itertools import chain, pairwise
from math import floor, log10
from typing import Any

import msgspec

from ..outcome import AutoscaleRuns, RecordedSamples, Run, Series

#: Finer than this no chart shows a time.
_MILLISECOND = 0.001


def packed(data: Any) -> str:
    # The same data gives the same page: no time in the header.
    return b64encode(compress(msgspec.json.encode(data), 6, mtime=0)).decode("ascii")


def column(values: Iterable[float], unit: float = 1.0) -> dict[str, Any]:
    """A column as whole multiples of `unit`, each as the difference to the one before: the same differences again and
    again take next to no room."""
    whole = [round(value / unit) for value in values]
    return {"unit": unit, "differences": [later - earlier for earlier, later in pairwise(chain((0,), whole))]}


def packed_run(run: Run) -> str:
    """All that is drawn of a run, but for its samples and explanations."""
    series, made = run.series, run.autoscale
    units = {"times": _MILLISECOND, "cost": _sixth_digit(run.figures.cost)}
    return packed(
        {
            "end": series.end,
            "series": _columns(series, units, ("end",)),
            "runs": _columns(made, units, ("errors",)),
            "errors": made.errors,
        }
    )


def packed_samples(samples: RecordedSamples) -> str:
    values = {name: [_short(value) for value in given] for name, given in samples.values.items()}
    return packed({"start": samples.start, "period": samples.period, "values": values})


def _columns(table: Series | AutoscaleRuns, units: dict[str, float], others: Sequence[str]) -> dict[str, Any]:
    names = zip(table.__struct_fields__, table.__struct_encode_fields__, strict=True)
    return {told: column(getattr(table, name), units.get(name, 1.0)) for name, told in names if name not in others}


def _sixth_digit(most: float) -> float:
    """Finer than this no chart shows a value of up to `most`."""
    return 10.0 ** (floor(log10(most)) - 5) if most > 0 else 1.0


def _short(value: float | None) -> float | None:
    return int(value) if value is not None and value.is_integer() else value

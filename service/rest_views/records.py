"""What is answered of every record: where it is, its version, and the state that it is in."""

from __future__ import annotations

from typing import Any

from pools import Record

from .specifications import instant


def etag(record: Record) -> str:
    """Another one for each version of a record, and for a new one in the place of one that went. Without quotes."""
    return f"0x{round(record.created * 1e6):X}{record.version:08X}"


def head(record: Record, url: str | None) -> dict[str, Any]:
    """May hold None."""
    return {
        "url": url,
        "eTag": etag(record),
        "lastModified": instant(record.modified),
        "creationTime": instant(record.created),
    }


def state(record: Record) -> dict[str, Any]:
    """May hold None: before it changed for the first time there was no other."""
    return {
        "state": str(record.state),  # type: ignore[attr-defined]
        "stateTransitionTime": instant(record.state_time),
        "previousState": None if record.previous_state is None else str(record.previous_state),
        "previousStateTransitionTime": instant(record.previous_state_time),
    }

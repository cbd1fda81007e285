"""Conditional headers: an answer only if the object is as the client believes, or is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .errors import ApiError

_HEADERS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Etags without quotes; None: not asked for. Times are Instants."""

    match: tuple[str, ...] | None = None
    none_match: tuple[str, ...] | None = None
    modified_since: float | None = None
    unmodified_since: float | None = None

    def check(self, etag: str, modified: float, *, reads: bool) -> None:
        """Raises ApiError: ConditionNotMet, or NotModified where something was only to be read (RFC 9110, 13.2)."""
        changed = int(modified)  # what HTTP dates hold
        if self.match is not None:
            met = "*" in self.match or etag in self.match
        else:
            met = self.unmodified_since is None or changed <= self.unmodified_since
        if not met:
            raise ApiError("ConditionNotMet", "the object has changed; read it again, and then decide")
        if self.none_match is not None:
            other = "*" not in self.none_match and etag not in self.none_match
        else:
            other = self.modified_since is None or changed > self.modified_since
        if not other:
            raise ApiError("NotModified" if reads else "ConditionNotMet", "the object has not changed")


def conditions(headers: Mapping[str, str]) -> Conditions | None:
    """What the request asks; None: nothing. Raises ApiError."""
    if not any(name in headers for name in _HEADERS):
        return None
    return Conditions(
        _etags(headers.get("if-match")),
        _etags(headers.get("if-none-match")),
        _time("If-Modified-Since", headers.get("if-modified-since")),
        _time("If-Unmodified-Since", headers.get("if-unmodified-since")),
    )


def _etags(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(each.strip().removeprefix("W/").strip('"') for each in text.split(","))


def _time(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        raise ApiError("InvalidHeaderValue", f"{name} must be a date as RFC 1123 has it, not {text!r}") from None

"""Reading a provider's settings: unknown keys and wrong types are refused, with the cure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .errors import InvalidRequestError


class SettingsReader:
    """Takes known keys out of a settings mapping; `finish` refuses what is left over.

    Every method raises InvalidRequestError.
    """

    def __init__(self, provider: str, settings: Mapping[str, Any]) -> None:
        self._provider = provider
        self._left = dict(settings)
        self._known: list[str] = []

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._left.pop(key, None)

    def _refuse(self, key: str, value: object, wanted: str) -> InvalidRequestError:
        return InvalidRequestError(f"provider {self._provider}: setting {key} is {value!r}; it must be {wanted}")

    def text(self, key: str) -> str | None:
        value = self._take(key)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self._refuse(key, value, "a text")

    def number(self, key: str, default: float, least: float = 0.0) -> float:
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
            raise self._refuse(key, value, f"a number, at least {least:g}")
        return float(value)

    def count(self, key: str) -> int | None:
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._refuse(key, value, "a whole number, at least 0")
        return value

    def prices(self, key: str, sizes: Collection[str]) -> dict[str, float]:
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(
            isinstance(k, str) and isinstance(v, int | float) and not isinstance(v, bool) and v >= 0
            for k, v in value.items()
        ):
            raise self._refuse(key, value, "a mapping of size name to US dollars per hour")
        for size in value:
            if size not in sizes:
                known = ", ".join(sizes)
                raise InvalidRequestError(
                    f"provider {self._provider}: {key} names the unknown size {size!r}; it knows {known}"
                )
        return {k: float(v) for k, v in value.items()}

    def finish(self) -> None:
        if self._left:
            unknown, known = ", ".join(sorted(map(str, self._left))), ", ".join(sorted(self._known))
            raise InvalidRequestError(f"provider {self._provider}: unknown setting {unknown}; it knows {known}")

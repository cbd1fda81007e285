"""Reading a provider's settings: unknown keys and wrong types are refused, with the cure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .errors import InvalidRequestError, SettingError

#: what an address of an API must be
URL = "a URL such as https://api.example.org:8443"
_INFINITE = float("inf")  # TOML has it, and it is never meant
#: What the names of settings hold whose values are never shown.
_SECRETS = ("secret", "password", "token", "credential")


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
        hidden = any(word in key.lower() for word in _SECRETS)
        shown = "cannot be used (what it is is not shown)" if hidden else f"is {value!r}"
        return SettingError(self._provider, key, f"setting {key} {shown}; it must be {wanted}")

    def text(self, key: str) -> str | None:
        value = self._take(key)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self._refuse(key, value, "a text")

    def url(self, key: str) -> str | None:
        """Where an API is, without a slash at the end."""
        value = self.text(key)
        if value is None or is_url(value):
            return value and value.rstrip("/")
        raise self._refuse(key, value, URL)

    def number(self, key: str, default: float, least: float = 0.0) -> float:
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < _INFINITE:
            raise self._refuse(key, value, f"a number, at least {least:g}")
        return float(value)

    def port(self, key: str, default: int) -> int:
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
            raise self._refuse(key, value, "a whole number from 1 to 65535")
        return value

    def limit(self, key: str) -> float | None:
        """The most that something may cost; a limit of 0 would be no limit, or none at all: nobody can tell."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _INFINITE:
            raise self._refuse(key, value, "a number above 0; leave it out for no limit")
        return float(value)

    def count(self, key: str) -> int | None:
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._refuse(key, value, "a whole number, at least 0")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._refuse(key, value, "true or false")
        return value

    def choice(self, key: str, known: Collection[str], default: str) -> str:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, str) or value not in known:
            raise self._refuse(key, value, " or ".join(known))
        return value

    def run_as(self, root: bool) -> tuple[bool, bool]:
        """`pool_user` and `unasked_root` of a Profile. `root`: nodes are reached as root."""
        said = self.choice("runAs", ("self", "poolUser"), "")
        return said == "poolUser", root and not said

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text stands for a list of one."""
        value = self._take(key)
        texts = _texts(value)
        if texts is None:
            raise self._refuse(key, value, "a text or a list of texts")
        return texts

    def mapping(self, key: str) -> dict[str, str]:
        """Names to texts."""
        value = self._take(key) or {}
        texts = isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)
        if not texts:
            raise self._refuse(key, value, "a mapping of names to texts")
        return dict(value)

    def table(self, key: str) -> dict[str, Any]:
        """Names to whatever the caller takes apart."""
        value = self._take(key) or {}
        if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
            raise self._refuse(key, value, "a mapping of names")
        return dict(value)

    def lists(self, key: str) -> dict[str, tuple[str, ...]]:
        """Names to texts or lists of texts, none of them empty."""
        value = self._take(key) or {}
        lists = {k: _texts(v) for k, v in value.items()} if isinstance(value, Mapping) else {"": None}
        if not all(isinstance(k, str) and texts for k, texts in lists.items()):
            raise self._refuse(key, value, "a mapping of names to texts or lists of texts")
        return {k: texts for k, texts in lists.items() if texts}

    def listing(self, key: str) -> list[Any]:
        """A list of anything; [] without one."""
        value = self._take(key)
        if value is not None and not isinstance(value, list | tuple):
            raise self._refuse(key, value, "a list")
        return list(value or ())

    def seconds(self, key: str, default: float | None, least: float = 0.0) -> float | None:
        """A duration; 0 switches off what it is for, which is told as None."""
        if key in self._left and self._left[key] is None:  # null, not absent
            self._take(key)
            return None
        value = self.number(key, -1.0 if default is None else default, least=0.0)
        if 0 < value < least:
            raise self._refuse(key, value, f"0 (off) or at least {least:g} seconds")
        return value if value > 0 else None

    def prices(self, key: str, sizes: Collection[str] | None) -> dict[str, float]:
        """`sizes`: all that there are, if that is known."""
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(
            isinstance(k, str) and isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v < _INFINITE
            for k, v in value.items()
        ):
            raise self._refuse(key, value, "a mapping of size name to US dollars per hour")
        for size in value:
            if sizes is not None and size not in sizes:
                known = ", ".join(sizes)
                raise InvalidRequestError(
                    f"provider {self._provider}: {key} names the unknown size {size!r}; it knows {known}"
                )
        return {k: float(v) for k, v in value.items()}

    def finish(self) -> None:
        if self._left:
            unknown = sorted(map(str, self._left))
            cure = did_you_mean(unknown[0], self._known) or f"it knows {', '.join(sorted(self._known))}"
            raise SettingError(self._provider, unknown[0], f"unknown setting {', '.join(unknown)}; {cure}")


def did_you_mean(written: str, known: Collection[str]) -> str | None:
    """A question for somebody who has probably mistyped one of the known names."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(written.lower()[:80], by_lower, n=1, cutoff=0.75)
    return f"did you mean {by_lower[near[0]]}?" if near else None


def is_url(text: str) -> bool:
    """True for the address of an API: http or https, a host, perhaps a port and a path; no blanks and no query."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
    return good and not parts.query and not parts.fragment and not any(char.isspace() for char in text)


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value else None
    if isinstance(value, list | tuple) and all(isinstance(text, str) and text for text in value):
        return tuple(value)
    return None

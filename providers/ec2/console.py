"""What VMs print on their consoles, and the host keys that cloud-init prints there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from ..console_keys import console_host_key
from ..errors import InvalidRequestError, NotFoundError, ProviderError
from .api import Api
from .fleet import Entry

log = logging.getLogger(__name__)

_AT_A_TIME = 20  # consoles that one look reads at most
_AGAIN = 5.0  # seconds between two looks at the same console


class Consoles:
    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._asked: dict[str, float] = {}

    def text(self, id: str) -> str | None:
        """None if there is nothing yet. Raises ProviderErrors."""
        try:
            try:
                answer = self._api.ec2("get_console_output", InstanceId=id, Latest=True)
            except InvalidRequestError:  # sizes of earlier generations tell no later than at boot
                answer = self._api.ec2("get_console_output", InstanceId=id)
        except NotFoundError:
            return None
        return answer.get("Output") or None

    def host_keys(self, waiting: Iterable[Entry]) -> Iterator[tuple[Entry, str]]:
        """Of those that have printed theirs by now. A console that cannot be read is told in the log: what else is
        known of our VMs does not wait for it."""
        now = self._clock()
        due = [entry for entry in waiting if now >= self._asked.get(entry.instance.id, now)][:_AT_A_TIME]
        for entry in due:
            self._asked[entry.instance.id] = now + _AGAIN
            try:
                key = console_host_key(self.text(entry.instance.id) or "")
            except ProviderError as exc:
                log.warning("the host key of %s is not known yet: %s", entry.instance.id, exc)
                if exc.retryable:  # the others would wait as long in vain
                    return
                continue
            if key is not None:
                del self._asked[entry.instance.id]
                yield entry, key

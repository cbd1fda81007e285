"""Faults to inject into the fake EC2, by the action of the call, and the record of all calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import ONLY_FOR_REAL

Params = Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One call of the API. `time`: Instant of its arrival. `code`: of the error that answered it; `lost`: nobody heard
    the answer. `seconds`: from its arrival to the answer. Params as they were sent ("Filter.1.Name", ...)."""

    time: float
    action: str
    params: Params
    code: str | None = None
    lost: bool = False
    seconds: float = 0.0


@dataclass(eq=False)
class Fault:
    """`action`: "*" is any. `times`: how many calls it strikes, math.inf: all. `hits`: those that it has struck.

    With a `code` the call is not executed. With `lose_response` the connection breaks instead of an answer: after the
    execution, or, with a `code` too, in its place. `latency` seconds pass before anything of this.
    """

    action: str
    code: str | None = None
    times: float = 1
    latency: float = 0.0
    lose_response: bool = False
    when: Callable[[Params], bool] | None = None
    message: str = ""
    hits: int = 0

    def cancel(self) -> None:
        self.times = 0

    def strikes(self, action: str, params: Params) -> bool:
        if self.hits >= self.times or self.action not in ("*", action):
            return False
        if self.code in ONLY_FOR_REAL and params.get("DryRun", "").lower() == "true":
            return False
        return self.when is None or self.when(params)


@dataclass
class Faults:
    """Those in force, in the order of their making: the first that strikes a call is the only one."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, action: str, params: Params) -> Fault | None:
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.hits < fault.times]
            for fault in self._faults:
                if fault.strikes(action, params):
                    fault.hits += 1
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

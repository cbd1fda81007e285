"""Requests of a state, whether a controller works on it or not: over its socket, or by being the controller for a
moment, without nodes and without clouds. What they have to do with it happens when the next one works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from .clock import now
from .settings import Settings
from .state import StateDirectory, StateInUse

if TYPE_CHECKING:
    import httpx

    from runner import Core, Event, Journal

#: Seconds that somebody else may hold the state without answering: a controller that begins, or another command.
PATIENCE = 10.0
_PAUSE = 0.05
#: Seconds that an answer may take.
_ANSWER = 120.0


class RequestRefused(Exception):
    """`code` as the Batch REST API spells it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ControllerSilent(Exception):
    """The running controller was asked, and it is not known whether it has done it."""


@dataclass(frozen=True)
class Ask:
    """Called with an event, it returns when that is committed, and raises RequestRefused if it changes nothing."""

    _way: Callable[[Event], None]
    #: a controller works on the state, so that nodes hear of it at once
    live: bool

    def __call__(self, event: Event) -> None:
        self._way(event)


def request(state: StateDirectory, event: Event, settings: Settings | None = None) -> None:
    """See `asking`; for one request."""
    with asking(state, settings) as ask:
        ask(event)


@contextmanager
def asking(state: StateDirectory, settings: Settings | None = None) -> Iterator[Ask]:
    """`settings` bound formulas and intervals if no controller runs; providers are opened in no case.

    Raises StateError, JournalError, ControllerSilent.
    """
    state.require()
    with ExitStack() as stack:
        controller = _controller(state, stack)
        if controller is not None:
            yield Ask(partial(_post, controller, state), live=True)
        else:
            yield Ask(stack.enter_context(_opened(state, settings or Settings())), live=False)


def _controller(state: StateDirectory, stack: ExitStack) -> httpx.Client | None:
    """One that speaks to the running controller; None: there is none, and we hold the state's lock."""
    import httpx

    from .controller_socket import client

    end = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.ConnectError):
            return stack.enter_context(client(state.path, timeout=_ANSWER))
        try:
            stack.enter_context(state.lock())
        except StateInUse:
            if time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return None


# -- a controller runs -----------------------------------------------------------------------------------------


def _post(controller: httpx.Client, state: StateDirectory, event: Event) -> None:
    import httpx

    body = {"kind": type(event).__name__, "arguments": msgspec.to_builtins(event)}
    try:
        answer = controller.post("/requests", json=body)
    except httpx.HTTPError as exc:
        text = f"the controller of the state {state.path} could not be asked, or ended before it answered: {exc}"
        raise ControllerSilent(f"{text}; look at what is there, then ask again") from None
    if answer.status_code >= 300:
        told = answer.json()
        raise RequestRefused(told["code"], told["message"])


# -- none does -------------------------------------------------------------------------------------------------


@contextmanager
def _opened(state: StateDirectory, settings: Settings) -> Iterator[Callable[[Event], None]]:
    """Hold the lock."""
    from pools import RandomIds
    from runner import Core, CoreSettings, open_journal

    journal = open_journal(state.database_url)
    try:
        core_settings = CoreSettings(
            pools=settings.pool_settings(),
            account=settings.account,
            minimum_recurrence_interval=settings.minimum_recurrence_interval.total_seconds(),
            auto_user_scope=settings.auto_user_scope,
        )
        core = Core(core_settings, state.deployment(), RandomIds())
        core.load(journal.load(now() - settings.sample_retention.total_seconds()), now())
        yield partial(_handle, core, journal)
    finally:
        journal.close()


def _handle(core: Core, journal: Journal, event: Event) -> None:
    from pools import PoolError
    from runner import JobError, handle_unattended

    key = core.missing(event)
    task: Any = journal.task(key) if key is not None else None
    if task is not None:
        core.recall(task)
    try:
        changes = handle_unattended(core, event, now())
    except (JobError, PoolError) as exc:
        raise RequestRefused(exc.code, str(exc)) from None
    journal.commit(changes)

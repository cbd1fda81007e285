"""Requests of a state, whether a controller works on it or not: over its socket, or by being the controller for a
moment, without nodes and without clouds. What they have to do with it happens when the next one works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from .clock import now
from .rest_objects import RequestRefused, Unanswered, Way
from .settings import Settings
from .state import StateDirectory, StateInUse

if TYPE_CHECKING:
    import httpx

    from pools import PoolSpec
    from runner import Core, Event, Journal, PackageStore

    from .pool_places import PoolPlaces

#: Seconds that somebody else may hold the state without answering: a controller that begins, or another command.
PATIENCE = 10.0
_PAUSE = 0.05
#: Seconds that an answer may take.
_ANSWER = 120.0


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

    Raises StateError, JournalError, Unanswered.
    """
    state.require()
    with ExitStack() as stack:
        controller = _controller(state, stack)
        if controller is not None:
            yield Ask(partial(_post, controller, state), live=True)
        else:
            unattended = stack.enter_context(_opened(state, settings or Settings()))
            yield Ask(partial(_tell, unattended), live=False)


@contextmanager
def writing_way(
    state: StateDirectory, settings: Settings, warn: Callable[[str], None]
) -> Iterator[tuple[Way, bool]]:
    """The Batch REST API of a state, and whether a controller works on it. Of providers only those of a pool that is
    made are opened. `warn`: is told what of a request has no effect.

    Raises StateError, JournalError, Unanswered.
    """
    from .rest_in_records import records_way
    from .rest_over_http import http_way

    state.require()
    with ExitStack() as stack:
        controller = _controller(state, stack)
        if controller is not None:
            yield http_way(controller, f"the controller of the state {state.path}", warn), True
        else:
            unattended = stack.enter_context(_opened(state, settings))
            yield stack.enter_context(records_way(unattended.journal, unattended, warn)), False


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
        raise Unanswered(f"{text}; look at what is there, then ask again") from None
    if answer.status_code >= 300:
        told = answer.json()
        raise RequestRefused(told["code"], told["message"])


# -- none does -------------------------------------------------------------------------------------------------


class Unattended:
    """What handlers that change something have of a controller. Hold the lock."""

    #: as of an engine: what cannot be written is told at once here
    blocked: str | None = None

    def __init__(self, state: StateDirectory, settings: Settings, journal: Journal) -> None:
        from pools import RandomIds
        from runner import Core, CoreSettings, Vault, unattended_changes

        core_settings = CoreSettings(
            pools=settings.pool_settings(),
            account=settings.account,
            minimum_recurrence_interval=settings.minimum_recurrence_interval.total_seconds(),
            auto_user_scope=settings.auto_user_scope,
        )
        #: as of an engine: here nobody has to wait for answers
        self.on_answered: list[Callable[[], None]] = []
        self._state, self._settings = state, settings
        self.journal = journal
        self.vault = Vault(state.secret("passwords"))
        self._core = Core(core_settings, state.deployment(), RandomIds(), self.place)
        self._core.load(journal.load(now() - settings.sample_retention.total_seconds()), now())
        # what loading notes comes first: else the eTags that are read here are not those that changes are held against
        journal.commit(unattended_changes(self._core))

    @property
    def engine(self) -> Unattended:
        return self

    def now(self) -> float:
        return now()

    @property
    def settings(self) -> Settings:
        return self._settings

    @cached_property
    def packages(self) -> PackageStore:
        from runner import PackageStore

        return PackageStore(self._state.packages, self._settings.storage_reserve)

    @cached_property
    def places(self) -> PoolPlaces:
        from .pool_places import PoolPlaces
        from .provider_options import open_providers, provider_options

        providers = open_providers(self._state, self._settings)
        options = provider_options(self._state, self._settings)
        return PoolPlaces(providers, options, self._settings.default_provider)

    def place(self, pool: PoolSpec) -> tuple[str, str]:
        """Raises PoolError."""
        return self.places.place(pool)

    def request(self, event: Event, guard: Callable[[Core], None] | None = None) -> Future[Any]:
        """As of an engine; what it holds is done already."""
        from pools import PoolError
        from runner import JobError, answer_unattended

        future: Future[Any] = Future()
        key = self._core.missing(event)
        task: Any = self.journal.task(key) if key is not None else None
        if task is not None:
            self._core.recall(task)
        try:
            if guard is not None:
                guard(self._core)
            answer, changes = answer_unattended(self._core, event, now())
        except (JobError, PoolError) as exc:
            future.set_exception(exc)
        else:
            self.journal.commit(changes)
            future.set_result(answer)
        return future


@contextmanager
def _opened(state: StateDirectory, settings: Settings) -> Iterator[Unattended]:
    """Hold the lock."""
    from runner import open_journal

    journal = open_journal(state.database_url)
    try:
        yield Unattended(state, settings, journal)
    finally:
        journal.close()


def _tell(unattended: Unattended, event: Event) -> None:
    from pools import PoolError
    from runner import JobError

    try:
        unattended.request(event).result()
    except (JobError, PoolError) as exc:
        raise RequestRefused(exc.code, str(exc)) from None

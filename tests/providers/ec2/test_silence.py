"""An endpoint that takes every connection and never answers: how long a call may last."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from providers import ProviderError, ThrottledError, TransientError
from providers.ec2 import Ec2Provider
from providers.ec2.turns import Turns

from ..waiting import wait_until
from .conftest import Account

TIMEOUT = 0.5
PATIENCE = 10.0  # seconds on a busy machine; far less than a client's own time-outs and repetitions would take


@dataclass
class Silent:
    """`taken`: a connection for each call that it was to answer."""

    url: str
    taken: list[socket.socket]


@pytest.fixture
def silent() -> Iterator[Silent]:
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = threading.Thread(target=take)
        thread.start()
        yield Silent("http://{}:{}".format(*server.getsockname()), taken)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in taken:
            each.close()


@pytest.fixture
def provider(account: Account, silent: Silent) -> Ec2Provider:
    opened = account.open(endpoint=silent.url, timeout=TIMEOUT)
    opened._api.warm_up()
    return opened


def seconds(call: Callable[[], object]) -> float:
    start = time.monotonic()
    with pytest.raises(TransientError):
        call()
    return time.monotonic() - start


def test_a_call_is_over_after_the_timeout(account: Account, provider: Ec2Provider, silent: Silent) -> None:
    vm = account.name("n1")
    calls: list[Callable[[], object]] = [
        provider.list_owned,
        lambda: provider.create(account.spec()),
        lambda: provider.destroy(vm),
        lambda: provider.destroy(vm, "i-0ab1"),
        lambda: provider.console(vm),
    ]
    for call in calls:
        before = len(silent.taken)
        assert TIMEOUT <= seconds(call) < PATIENCE
        assert 1 <= len(silent.taken) - before <= 2


def test_a_check_tells_it_with_the_cure_and_asks_no_more(provider: Ec2Provider, silent: Silent) -> None:
    [finding] = provider.check()
    assert len(silent.taken) <= 2
    assert (finding.topic, str(finding.severity)) == ("credentials", "error")
    assert "Read timeout" in finding.text and "check `region` and `endpoint`" in (finding.cure or "")


def test_creates_wait_side_by_side_and_not_one_after_the_other(account: Account, provider: Ec2Provider) -> None:
    with ThreadPoolExecutor(32) as pool:
        lasted = list(pool.map(lambda n: seconds(lambda: provider.create(account.spec(f"n{n}"))), range(32)))
    assert max(lasted) < PATIENCE  # one after the other: 16 s


def test_a_throttled_console_keeps_no_list_waiting(account: Account) -> None:
    """One is asked for until the limit of throttling is over, and not each of eight."""
    provider = account.open(hostKeys="console")
    provider._api._retrying._limit = 0.3
    for number in range(8):
        provider.create(account.spec(f"n{number}"))
    account.rig.fail("GetConsoleOutput", "RequestLimitExceeded", times=10**6)
    before = len(account.rig.calls)

    def asked() -> set[str]:
        calls = account.rig.calls[before:]
        return {call.params["InstanceId"] for call in calls if call.action == "GetConsoleOutput"}

    wait_until(lambda: len(provider.list_owned()) == 8 and asked(), within=20)  # not before they run
    assert len(asked()) == 1


def test_who_waited_hears_the_error_and_who_comes_later_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, waiting = Turns(), threading.Event()
    heard: list[ProviderError] = []

    def monotonic() -> float:
        if threading.current_thread() is thread:
            waiting.set()
        return time.monotonic()

    def wait() -> None:
        try:
            with turns.take():
                pytest.fail("it got a turn")
        except ProviderError as exc:
            heard.append(exc)

    cause = OSError("busy")
    thread = threading.Thread(target=wait)
    monkeypatch.setattr("providers.ec2.turns.time", SimpleNamespace(monotonic=monotonic))
    with pytest.raises(ThrottledError) as caught, turns.take():
        thread.start()
        assert waiting.wait(10)
        raise ThrottledError("slowly", 7.0) from cause
    thread.join()
    [error] = heard
    assert isinstance(error, ThrottledError) and error is not caught.value
    assert (str(error), error.retry_after, error.__cause__) == ("slowly", 7.0, cause)
    with turns.take():
        pass

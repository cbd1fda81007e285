"""Back-off on throttling, and the brake that callers share. In virtual time."""

import random
import threading
from collections.abc import Callable

import pytest

from providers import ThrottledError, TransientError
from providers.retrying import Retrying


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def retrying(time: Time, limit: float = 10.0, seed: int = 1) -> Retrying:
    return Retrying(limit, sleep=time.sleep, chance=random.Random(seed), clock=lambda: time.now)


def throttled(times: int, error: ThrottledError | None = None) -> Callable[[], str]:
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise error or ThrottledError("slow down")
        return "done"

    return call


def test_a_good_call_is_made_once_and_at_once():
    time = Time()
    assert retrying(time)(lambda: 7) == 7
    assert time.slept == []


@pytest.mark.parametrize("seed", range(20))
def test_a_throttled_call_is_made_again_within_the_limit(seed):
    time = Time()
    assert retrying(time, seed=seed)(throttled(4)) == "done"
    assert 0 < time.now <= 10.0


def test_it_gives_up_when_the_limit_is_over():
    time = Time()
    with pytest.raises(ThrottledError):
        retrying(time)(throttled(10**6))
    assert 3.0 < time.now <= 10.0


def test_waits_have_full_jitter():
    first = []
    for seed in range(50):
        time = Time()
        retrying(time, seed=seed)(throttled(1))
        first.append(time.slept[0])
    assert min(first) < 0.05 and max(first) > 0.15 and max(first) <= 0.2


def test_the_cloud_s_own_wish_is_obeyed():
    time = Time()
    retrying(time)(throttled(1, ThrottledError("slow down", 4.0)))
    assert time.slept[0] >= 4.0
    with pytest.raises(ThrottledError):
        retrying(time)(throttled(1, ThrottledError("slow down", 60.0)))  # longer than we may


def test_other_errors_are_not_repeated():
    calls = []

    def call() -> None:
        calls.append(1)
        raise TransientError("lost")

    with pytest.raises(TransientError):
        retrying(Time())(call)
    assert len(calls) == 1


def test_all_callers_slow_down_after_one_was_throttled_and_speed_up_again():
    time = Time()
    brake = retrying(time)
    brake(throttled(6))
    assert brake.pause > 0.5
    time.slept.clear()
    for _ in range(40):
        brake(lambda: None)  # another caller, who did nothing wrong
    assert time.slept and max(time.slept) <= 3.0
    assert brake.pause == 0.0
    time.slept.clear()
    brake(lambda: None)
    assert time.slept == []


def test_a_queue_at_one_kind_of_call_keeps_nobody_from_another():
    time = Time()
    brake = retrying(time)
    brake(throttled(6), "order")
    before = brake.pause
    time.slept.clear()
    for _ in range(40):
        brake(lambda: None, "look")
    assert time.slept == [] and brake.pause == before > 0.5  # nor does it speed up what is counted apart
    brake(lambda: None, "order")
    assert len(time.slept) == 1


def test_many_threads_share_it():
    real = Retrying(limit=5.0)
    left, lock = [10], threading.Lock()

    def call() -> int:
        with lock:
            left[0] -= 1
            if left[0] >= 0:
                raise ThrottledError("slow down")
        return 1

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(real(call))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [1] * 20

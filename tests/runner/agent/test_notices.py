"""The agent tells when its cloud takes the machine back, and nothing that a metadata service says harms it."""

import json
import os
import resource
import select
import time
from collections.abc import Iterator

import pytest

from runner.agent import clock, notices
from runner.agent.notices import Watch, azure, ec2, gce

from .metadata import NONE, MetadataService
from .node import Node, wait_until

AT = 1505809320.0  # 2017-09-19T08:22:00Z
EC2 = '{"action": "%s", "time": "2017-09-19T08:22:00Z"}'
EVENT = {
    "EventId": "602d9444-d2cd-49c7-8624-8643e7171297",
    "EventType": "Preempt",
    "ResourceType": "VirtualMachine",
    "Resources": ["FrontEnd_IN_0"],
    "EventStatus": "Scheduled",
    "NotBefore": "Tue, 19 Sep 2017 08:22:00 GMT",
}


def events(*changes: dict[str, object]) -> str:
    return json.dumps({"DocumentIncarnation": 1, "Events": [{**EVENT, **change} for change in changes]})


@pytest.mark.parametrize(
    ("read", "body", "at"),
    [
        (ec2, EC2 % "terminate", AT),
        (ec2, EC2 % "stop", AT),
        (ec2, EC2 % "hibernate", AT),
        (ec2, EC2 % "rebalance", None),
        (ec2, '{"action": "terminate"}', 1120.0),
        (ec2, '{"action": "terminate", "time": "soon"}', 1120.0),
        (gce, "TRUE", 1030.0),
        (gce, "true\n", 1030.0),
        (gce, "FALSE", None),
        (gce, "", None),
        (azure, events({}), AT),
        (azure, events(), None),
        (azure, events({"EventType": "Reboot"}, {"EventType": "Freeze"}), None),
        (azure, events({"EventType": "Reboot", "NotBefore": ""}, {}), AT),
        (azure, events({"NotBefore": "Tue, 19 Sep 2017 08:23:00 GMT"}, {}), AT),
        (azure, events({"NotBefore": "", "EventStatus": "Started"}), 1000.0),
    ],
)
def test_what_the_clouds_say(read, body, at):
    assert read(body, 1000.0) == at


@pytest.fixture
def service() -> Iterator[MetadataService]:
    service = MetadataService()
    yield service
    service.close()


class Watcher:
    """A watch in a poll loop of its own."""

    def __init__(self, kind: str) -> None:
        self._poll = select.poll()
        self._watch = Watch(kind, self._poll)
        self.told: list[float] = []

    def until(self, condition) -> None:
        def turned() -> bool:
            self._poll.poll(min(50, self._watch.patience()))
            at = self._watch.turn()
            self.told += [] if at is None else [at]
            return bool(condition())

        wait_until(turned)

    def close(self) -> None:
        self._watch._rest(0.0)

    def asks(self, service: MetadataService, times: int = 3) -> None:
        """Until it has asked so many times more, and has had the answers but for the last."""
        wanted = len(service.asked) + times
        self.until(lambda: len(service.asked) >= wanted)


@pytest.fixture
def kind() -> str:
    return "ec2"


@pytest.fixture
def watcher(service: MetadataService, monkeypatch: pytest.MonkeyPatch, kind: str) -> Iterator[Watcher]:
    monkeypatch.setenv(notices.OVERRIDE, service.url)
    monkeypatch.setattr(notices, "PERIOD", 0.01)
    watcher = Watcher(kind)
    yield watcher
    watcher.close()


def test_a_notice_is_told_once(service: MetadataService, watcher: Watcher) -> None:
    watcher.asks(service)
    assert watcher.told == []
    service.answer = (200, EC2 % "terminate")
    watcher.asks(service)
    assert watcher.told == [AT]
    service.answer = (200, EC2.replace("08:22", "09:22") % "terminate")
    watcher.asks(service)
    assert watcher.told == [AT, AT + 3600.0]
    methods = [method for method, _, _ in service.asked]
    assert methods[0] == "PUT" and methods.count("PUT") == 1, "a token is asked for once"
    assert {path for method, path, _ in service.asked if method == "GET"} == {"/latest/meta-data/spot/instance-action"}


def test_a_token_is_renewed(service: MetadataService, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher.asks(service)
    service.valid = "token-2"  # the old one has ended
    service.answer = (200, EC2 % "terminate")
    watcher.until(lambda: watcher.told)
    assert service.asked[-1][2] == "token-2"
    monkeypatch.setattr(notices, "TOKEN_LIFE", 0)
    watcher._watch._token_until = 0.0  # its time has come
    before = len(service.asked)
    watcher.asks(service, 6)
    assert [method for method, _, _ in service.asked[before:]].count("PUT") >= 2


@pytest.mark.parametrize("tokens", ["offered", "unknown"])
def test_services_that_know_no_tokens(service: MetadataService, watcher: Watcher, tokens: str) -> None:
    service.tokens = tokens
    service.answer = (200, EC2 % "terminate")
    watcher.until(lambda: watcher.told)


@pytest.mark.parametrize(
    ("kind", "headers", "answer"),
    [
        ("gce", {"Metadata-Flavor": "Google"}, "TRUE"),
        ("azure", {"Metadata": "true"}, events({})),
    ],
)
def test_other_clouds(headers: dict[str, str], answer: str, service: MetadataService, watcher: Watcher) -> None:
    service.tokens, service.headers = "unknown", headers
    watcher.asks(service)
    assert watcher.told == []
    service.answer = (200, answer)
    watcher.asks(service)
    (at,) = watcher.told
    assert at == AT or abs(at - clock.now() - 30.0) < 20.0
    assert {method for method, _, _ in service.asked} == {"GET"}


@pytest.mark.parametrize(
    "answer",
    [
        (200, ""),
        (200, "TRUE"),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"action": 1, "time": 2}'),
        (200, '{"action": ["terminate"]}'),
        (200, '{"action": "terminate", "time": "2017-99-99T99:99:99Z"}'),
        (200, '{"a":' * 5000),
        (200, "{" * 100_000),
        (200, "\udcff\udcfe{}"),
        (404, EC2 % "terminate"),
        (500, EC2 % "terminate"),
        (302, ""),
    ],
    ids=range(14),
)
def test_bad_answers_do_no_harm(answer: tuple[int, str], service: MetadataService, watcher: Watcher) -> None:
    service.answer = answer
    watcher.asks(service)
    assert watcher.told == []
    service.answer = (200, EC2 % "terminate")
    watcher.until(lambda: watcher.told)


def test_a_bad_token_is_not_used(service: MetadataService, watcher: Watcher) -> None:
    service.tokens, service.valid = "offered", "a b\r\nX-Bad: header"
    watcher.asks(service, 4)
    assert {token for method, _, token in service.asked if method == "GET"} == {""}


def test_nobody_there(service: MetadataService, watcher: Watcher) -> None:
    service.close()
    descriptors = len(os.listdir("/proc/self/fd"))
    until = time.monotonic() + 0.3
    watcher.until(lambda: time.monotonic() > until)
    assert watcher.told == [] and len(os.listdir("/proc/self/fd")) <= descriptors + 1
    assert not watcher._watch._poll.poll(0) or watcher._watch._socket is not None


def test_a_silent_service_is_asked_again(
    service: MetadataService, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher._watch, "_wait", 0.05)
    service.silent.set()
    watcher.asks(service, 3)
    service.silent.clear()
    service.answer = (200, EC2 % "terminate")
    watcher.until(lambda: watcher.told)


def test_the_agent_tells_it_again_on_the_next_connection(service: MetadataService, node: Node) -> None:
    node.login[notices.OVERRIDE] = service.url
    service.answer = (200, EC2 % "terminate")
    node.connect(notices="ec2")
    assert node.wait(lambda m: m["op"] == "notice") == {"op": "notice", "at": AT}
    node.sh("t", "echo hello")
    assert node.outcome("t")["stdout"]["text"] == "hello\n"
    node.kill_agent()
    node.connect(notices="ec2")
    node.wait(lambda m: m["op"] == "notice", skip=1)


def test_a_service_that_hangs_delays_nothing(service: MetadataService, node: Node) -> None:
    node.login[notices.OVERRIDE] = service.url
    service.silent.set()
    node.connect(notices="ec2")
    wait_until(lambda: service.asked)
    begun = time.monotonic()
    for number in range(20):
        node.sh(f"t{number}", "true")
        node.outcome(f"t{number}")
    assert time.monotonic() - begun < 20 * 0.25, "each waited for the service"


def test_who_shall_not_watch_asks_nobody(service: MetadataService, node: Node) -> None:
    node.login[notices.OVERRIDE] = service.url
    node.connect()
    node.settle()
    assert service.asked == []
    node.say({"op": "configure", "slots": 2, "env": {}, "notices": "nonesuch"})
    node.wait(lambda m: m["op"] == "error")
    node.sh("t", "true")
    assert node.outcome("t")["exit"] == 0


def test_it_costs_next_to_nothing(service: MetadataService, watcher: Watcher) -> None:
    """Less than a millisecond of CPU every five seconds."""
    service.answer = NONE
    watcher.asks(service)
    before, asked = resource.getrusage(resource.RUSAGE_THREAD), len(service.asked)
    watcher.asks(service, 20)
    after = resource.getrusage(resource.RUSAGE_THREAD)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used / (len(service.asked) - asked) < 0.005

"""Which host a VM gets, that nobody else has it, and why a host is left out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import paramiko
import pytest

from providers import CapacityError, InvalidRequestError, VmState

from ..clouds.static import HOSTS, StaticCloud
from ..ssh import connect, run


def test_hosts_are_taken_in_the_order_of_the_inventory_and_returned(static: StaticCloud) -> None:
    ports = [host.port for host in static.hosts]
    assert [static.create(f"n{n}").port for n in range(HOSTS)] == ports
    with pytest.raises(CapacityError, match=f"no free host of size static: of {HOSTS}, {HOSTS} are leased and 0"):
        static.create("n9")
    static.provider.destroy(f"{static.deployment}-n2")
    assert static.create("n9").port == ports[2]


def test_two_deployments_and_many_controllers_never_share_a_host(static: StaticCloud) -> None:
    """Each has records of its own: only the hosts tell what is taken."""
    names = [f"{static.deployment}{letter}" for letter in "bc"]
    others = [static.open(name, baseDir=str(static.base.parent / name)) for name in names]
    providers = {static.deployment: static.provider, names[0]: others[0], names[1]: others[1]}

    def attempt(number: int) -> str | None:
        deployment = list(providers)[number % 3]
        try:
            spec = replace(static.spec(), name=f"{deployment}-n{number}", deployment=deployment)
            return providers[deployment].create(spec).provider_id
        except CapacityError:
            return None

    with ThreadPoolExecutor(9) as pool:
        got = [each for each in pool.map(attempt, range(9)) if each is not None]
    try:
        assert len(got) == len(set(got)) == HOSTS
        listed = [vm.provider_id for provider in providers.values() for vm in provider.list_owned()]
        assert sorted(listed) == sorted(got)
        with pytest.raises(CapacityError, match=f"{HOSTS} are leased and 0 .*leased as .* by deployment"):
            static.create("late")
    finally:
        for provider in others:
            for vm in provider.list_owned():
                provider.destroy(vm.name)


def test_a_node_is_reached_by_the_deployments_key_and_by_nothing_more(static: StaticCloud) -> None:
    vm = static.create()
    transport = connect(vm, static.key)
    host = static.host(vm.name)
    answer = run(transport, f"echo $EBBTIDE_NODE; cat; ls '{vm.node_root}'; exit 7", b"in\n")
    assert (answer.status, answer.out) == (7, f"{vm.name}\nin\n".encode())
    with pytest.raises(paramiko.ChannelException):
        transport.open_channel("direct-tcpip", ("127.0.0.1", host.port), ("127.0.0.1", 1))
    static.provider.destroy(vm.name)
    with pytest.raises((paramiko.SSHException, EOFError, AssertionError)):
        assert run(transport, "true").status == 0  # a connection that is still open is of no use
    transport.close()
    with pytest.raises(paramiko.AuthenticationException):
        connect(vm, static.key)
    assert host.keys.read_text().endswith(" owner") and host.keys.read_text().startswith("# the owner's\n")


def test_a_key_that_could_do_harm_is_refused(static: StaticCloud) -> None:
    for key in ("", "ssh-ed25519", 'command="rm" ssh-ed25519 AAAA', "ssh-ed25519 AA!A\nssh-ed25519 AAAA"):
        with pytest.raises(InvalidRequestError, match="not a public key"):
            static.create(public_key=key)
    good = static.spec().public_key
    static.create(public_key=f"{good} ebbtide:x\ncommand=\"evil\" {good}")
    assert "evil" not in static.hosts[0].keys.read_text()


def refuse_login(static: StaticCloud) -> dict[str, Any]:
    static.hosts[0].keys.write_text("")
    return {}


def reinstall(static: StaticCloud) -> dict[str, Any]:
    return {"hostKey": static.hosts[1].host_key}


def lose_python(static: StaticCloud) -> dict[str, Any]:
    host = static.hosts[0]
    host.down()
    host.environment["PATH"] = "/nowhere"
    host.up()
    return {}


def age_python(static: StaticCloud) -> dict[str, Any]:
    old = static.base.parent / "old"
    old.mkdir()
    (old / "python3").write_text("#!/bin/sh\necho welcome\necho EBBTIDE-HOST 3.6.9\ncat\n")
    (old / "python3").chmod(0o755)
    host = static.hosts[0]
    host.down()
    host.environment["PATH"] = f"{old}:/usr/bin:/bin"
    host.up()
    return {}


def end(static: StaticCloud) -> dict[str, Any]:
    static.hosts[0].down()
    return {}


def damage(static: StaticCloud) -> dict[str, Any]:
    (static.hosts[0].home / ".ebbtide").mkdir()
    (static.hosts[0].home / ".ebbtide" / "lease.json").write_text("{")
    return {}


FAULTS = [
    (refuse_login, "lets none of our keys in"),
    (reinstall, "shows another host key .* than the one known"),
    (lambda static: {"hostKey": None, "knownHosts": "/nowhere"}, "host key is unknown, and none is accepted blindly"),
    (lambda static: {"identityFile": "/nowhere"}, "identityFile /nowhere cannot be read"),
    (lambda static: {"nodeRoot": "/etc/passwd/x"}, "/etc/passwd is no folder in which this user may write"),
    (lose_python, "has no python3: install Python 3.8 or later"),
    (age_python, "its python3 is 3.6.9: install Python 3.8"),
    (end, "[Rr]efused|Unable to connect"),
    (damage, "lease.json is damaged"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=[reason for _, reason in FAULTS])
def test_a_host_that_cannot_serve_is_left_out_and_told(static: StaticCloud, fault: Any, reason: str) -> None:
    entries = [static.hosts[0].entry(**fault(static)), static.hosts[1].entry(), static.hosts[2].entry(size="big")]
    static.provider = static.reopen(hosts=entries)
    bad, good, *_ = static.provider.check()
    assert bad.severity == "warning" and bad.cure
    assert good.severity == "ok" and "free" in good.text
    assert static.create().port == static.hosts[1].port
    with pytest.raises(CapacityError, match=f"of 2, 1 are leased and 1 cannot be used .*{reason}") as caught:
        static.create("n2")
    assert bad.text in str(caught.value)
    if (static.hosts[0].home / ".ebbtide").is_dir():
        (static.hosts[0].home / ".ebbtide" / "lease.json").unlink(missing_ok=True)


def test_an_account_under_two_addresses_is_one_host(static: StaticCloud) -> None:
    twin = static.hosts[0].entry(address="localhost")
    static.provider = static.reopen(hosts=[static.hosts[0].entry(), twin])
    static.create()
    with pytest.raises(CapacityError, match=r"localhost.*it is the same account as .*127\.0\.0\.1"):
        static.create("n2")
    assert static.states() == {"n1": VmState.RUNNING}
    assert any("same account" in finding.text for finding in static.provider.check())


def test_a_disk_that_is_too_small_and_a_clock_that_is_off_are_told(static: StaticCloud) -> None:
    static.provider = static.reopen(minDiskMiB=1 << 40)
    assert all("MiB of disk are free" in f.text for f in static.provider.check() if f.topic.startswith("host"))
    static.clock = lambda: 1_000_000.0  # type: ignore[method-assign]
    static.provider = static.reopen()
    *hosts, last = static.provider.check()
    assert all("its clock is off by" in finding.text for finding in hosts)
    assert (last.severity, last.text) == ("error", f"none of {HOSTS} hosts can be used")


def test_a_low_priority_node_gets_a_host_that_is_for_it(static: StaticCloud) -> None:
    entries = [static.hosts[0].entry(), static.hosts[1].entry(lowPriority=True, labels={"rack": "3"})]
    static.provider = static.reopen(hosts=entries, prices={"static": 0.5}, lowPriorityPrices={"static": 0.1})
    low, usual = static.create("n1", low_priority=True), static.create("n2", low_priority=False)
    assert (low.port, low.price_per_hour, low.tags) == (static.hosts[1].port, 0.1, {"rack": "3"})
    assert (usual.port, usual.price_per_hour, usual.low_priority) == (static.hosts[0].port, 0.5, False)
    with pytest.raises(CapacityError, match="no free low-priority host"):
        static.create("n3", low_priority=True)

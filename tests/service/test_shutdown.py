"""Ending what all providers list: one that does not answer keeps nobody else's VMs alive, and is told once."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from pools import JournalError
from providers import AuthError, SimulatedProvider, SimulatedSettings, TransientError, Vm, VmSpec
from service import shutdown
from service.shutdown import Shutdown
from service.state import StateError

ID = "0123456789ab"
VM = f"{ID}-vm"


class Living(SimulatedProvider):
    """A cloud with one VM, which goes when it is asked to."""

    def __init__(self) -> None:
        super().__init__("living", ID, SimulatedSettings(boot_delay=0.0), lambda: 1000.0)
        self.gone = threading.Event()
        self.create(
            VmSpec(
                name=VM, deployment=ID, pool_id="p", node_id="n", size=self.sizes()[0].name,
                image=self.images()[0].name, low_priority=True, public_key="ssh-ed25519 " + "A" * 68,
            )
        )  # fmt: skip

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        super().destroy(name, provider_id)
        self.gone.set()


class Silent:
    """A cloud that answers nothing until the VM of the other one has gone, and nothing then."""

    name = "silent"

    def __init__(self, other: Living) -> None:
        self.asked = 0
        self.first = other.gone

    def list_owned(self) -> list[Vm]:
        self.asked += 1
        assert self.first.wait(10), "the other cloud's VM waits for the one that does not answer"
        raise TransientError("nobody there")


def at_work(told: list[str], *providers: Any) -> Shutdown:
    work = Shutdown.__new__(Shutdown)
    work.__dict__ |= {"_providers": list(providers), "_closed": {}, "_pool": None, "_owners": {}, "_seen": {}}
    work.__dict__ |= {"_tell": told.append, "_told": set(), "_given_up": threading.Event(), "_damaged": None}
    state = SimpleNamespace(key=SimpleNamespace(lost=lambda: False))
    work.__dict__ |= {"_state": state, "_settings": SimpleNamespace()}
    return work


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), StateError("no key"), JournalError("full")])
def test_a_full_disk_keeps_no_vm_alive(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(shutdown, "Controller", broken)
    told: list[str] = []
    living = Living()
    work = at_work(told, living)
    work._owners = {VM: "p"}
    work.drain()
    assert work.destroy() == []
    assert living.list_owned() == []
    assert f"the records cannot be written, the VMs are ended all the same: {error}" in told


def test_one_that_does_not_answer_holds_up_no_other_and_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "DESTROY_LIMIT", 0.5)
    monkeypatch.setattr(shutdown, "_PAUSE", 0.01)
    told: list[str] = []
    living = Living()
    silent = Silent(living)
    work = at_work(told, silent, living)
    assert work.destroy() == ["those of silent, which does not answer"]
    assert silent.asked > 2
    assert sorted(told) == [f"ended {VM}", "provider silent cannot be listed, tried again for 0.5 s: nobody there"]


class Littered(Living):
    """A cloud with something beside its VMs, of which it lets go only when it is asked for the third time."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)

    def sweep(self, dry: bool = False) -> list[str]:
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        assert not self.everything(), "VMs go first"
        found: list[str] = answer
        return found


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([["key k", "group g"], ["group g"], []], ["removing key k", "removing group g"]),
        ([TransientError("busy"), []], ["provider living: what was made beside the VMs cannot be removed: busy"]),
        ([AuthError("no"), ["never"]], ["provider living: what was made beside the VMs cannot be removed: no"]),
    ],
)
def test_what_was_made_beside_the_vms_goes_after_them(
    answers: list[Any], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "_PAUSE", 0.01)
    said: list[str] = []
    littered = Littered(*answers)
    assert at_work(said, littered).destroy() == []
    assert said == [f"ended {VM}", *told]
    assert littered.answers in ([], [["never"]])


def test_a_group_that_stays_in_use_is_no_vm_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "DESTROY_LIMIT", 0.2)
    monkeypatch.setattr(shutdown, "_PAUSE", 0.01)
    assert at_work([], Littered(*[["group g"]] * 10**4)).destroy() == []
